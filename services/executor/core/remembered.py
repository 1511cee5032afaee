"""What was made of a text, remembered: for so many texts, and for none so long that it matters."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")


def remembered(*, most: int, longest: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """A function of text that remembers ``most`` results.

    A text may come from a caller and be as long as a request: what is longer than ``longest``
    characters is not kept, and costs its work each time.
    """

    def remembering(function: Callable[[str], T]) -> Callable[[str], T]:
        kept = lru_cache(maxsize=most)(function)

        @wraps(function)
        def result(text: str) -> T:
            return kept(text) if len(text) <= longest else function(text)

        return result

    return remembering

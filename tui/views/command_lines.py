"""Command lines as they are told and kept: run as they are, unless that would be a document."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

LONGEST = 2_000


def with_text(words: Sequence[str], option: str, text: str) -> str:
    """The line of ``words`` with ``option text``; a long text stands in a file to be written.

    The name of that file says how large it is.
    """
    line = shlex.join([*words, option, text])
    if len(line) <= LONGEST:
        return line
    size = len(text.encode("utf-8", "surrogatepass"))
    return shlex.join([*words, option, f"@{option.lstrip('-')}-of-{size}-bytes"])

"""Work beside the screen, which ends with whom it is for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode


def begin(
    node: DOMNode,
    work: Callable[[], Coroutine[Any, Any, None]],
    group: str,
    *,
    exclusive: bool = False,
) -> None:
    """Run ``work`` as a worker of ``node``; an exclusive one ends the others of its group.

    It is called when the worker starts: one that never does leaves no coroutine behind.
    """
    # Textual's type of it takes the coroutine for the result.
    started: Any = work
    node.run_worker(started, group=group, exclusive=exclusive, exit_on_error=False)

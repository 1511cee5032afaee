"""Work beside the screen, which ends with whom it is for; what fails in it is told, never lost."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.message import Message


class WorkFailed(Message):
    """Work of the console ended by an error that nobody expects: the app is told.

    Attributes:
        group: Of the work.
    """

    def __init__(self, group: str, error: Exception) -> None:
        super().__init__()
        self.group = group
        self.error = error


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

    async def told() -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001
            # The console goes on: what is shown elsewhere is whole.
            node.app.post_message(WorkFailed(group, error))

    # Textual's type of it takes the coroutine for the result.
    started: Any = told
    node.run_worker(started, group=group, exclusive=exclusive, exit_on_error=False)

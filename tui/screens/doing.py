"""Doing what was asked for: sent, told as it is answered, and kept in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.resources.model import Action, Resource

if TYPE_CHECKING:
    from tui.app import Console


class Doing:
    """The actions of one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, resource: Resource[Any], action: Action[Any], records: Sequence[Any]) -> None:
        """Do ``action`` to ``records``."""
        self._console.run_worker(
            self._do(action, records, {}), group="actions", exit_on_error=False
        )  # fmt: skip

    async def _do(
        self, action: Action[Any], records: Sequence[Any], answers: dict[str, str]
    ) -> None:
        session = self._console.session
        title = f"{action.title} {len(records)}" if len(records) > 1 else action.title
        entry = session.log.sent(title, action.command(records, answers))
        done = 0
        faults: list[str] = []
        try:
            clients = await session.connection.clients()
            with session.connection.calling():
                async for result in action.perform(clients, records, answers):
                    done += result.ok
                    if not result.ok:
                        faults.append(result.detail)
        except (ServiceError, HomeUnusable) as error:
            faults.append(str(error))
        if faults:
            session.log.failed(entry, f"{done} of {len(records)}: {faults[0]}")
            self._console.tell(faults[0])
        else:
            session.log.done(entry, f"{done} of {len(records)}")

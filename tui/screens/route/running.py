"""A call on its way: sent beside the screen, awaited, cancelled as a client that leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from services.errors import DeadlineExceeded, ServiceError, Unavailable
from services.home import HomeUnusable
from tui.live.trying import Trial, try_route
from tui.views.route_call import RouteCall, command
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.live.session import Session

_GROUP = "call"


class Running:
    """One call at a time, for one widget; it is in the log of what the console did.

    Args:
        widget: With it a call ends that still runs.
        ended: Told of what came.
    """

    def __init__(self, widget: Widget, session: Session, ended: Callable[[Trial], None]) -> None:
        self._widget, self._session, self._tell = widget, session, ended
        self._begun: float | None = None

    @property
    def elapsed(self) -> float | None:
        """For how many seconds it has run; None: there is none."""
        return None if self._begun is None else time.monotonic() - self._begun

    def send(self, call: RouteCall, key: str) -> None:
        """Send a call; nothing may run."""
        self._begun = time.monotonic()
        begin(self._widget, partial(self._call, call, key), _GROUP, exclusive=True)

    def cancel(self) -> float | None:
        """Cancel what runs; after how many seconds, or None: there is nothing."""
        elapsed, self._begun = self.elapsed, None
        if elapsed is not None:
            self._widget.workers.cancel_group(self._widget, _GROUP)
        return elapsed

    async def _call(self, call: RouteCall, key: str) -> None:
        log, at = self._session.log, time.time()
        entry = log.sent(f"Test {call.method} {call.path}", command(call))
        sent = False
        try:
            clients = await self._session.connection.clients()
            sent = True
            with self._session.connection.calling():
                response = await try_route(clients, call, key)
        except asyncio.CancelledError:
            log.failed(entry, "cancelled")
            raise
        except (ServiceError, HomeUnusable) as error:
            told = error.detail if isinstance(error, ServiceError) else str(error)
            log.failed(entry, told)
            may_go_on = sent and isinstance(error, (Unavailable, DeadlineExceeded))
            self._ended(Trial(call, at, failed=told, may_go_on=may_go_on))
        else:
            log.done(entry, str(response.status))
            self._ended(Trial(call, at, response))

    def _ended(self, trial: Trial) -> None:
        self._begun = None
        self._tell(trial)

"""Event handlers and webhooks of a simulated executor: the real ones, over its store at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from types import SimpleNamespace
from typing import Any, cast

from podium.executor.v1 import webhooks_pb2 as pb
from services.executor.core.commands import Listen
from services.executor.core.events import Event
from services.executor.core.model import Json
from services.executor.eventing import rows
from services.executor.eventing.dispatcher import Dispatcher
from services.executor.inbound.calls import WebhookCalls
from services.executor.launching import Launching
from services.executor.units import Unit
from services.javascript import ScriptFailed
from tests.simulation.shell import Shell
from tests.simulation.wider import WEBHOOK

ID_HEADER = "x-id"
DEFINITION: Mapping[str, Json] = {
    "kind": "webhook", "name": WEBHOOK, "verifier": {"type": "NONE"}, "idHeader": ID_HEADER,
    "keepSeconds": 0,
}  # fmt: skip
# What comes before somebody waits for it is kept for longer than a life takes.
KEEPING: Mapping[str, Json] = {**DEFINITION, "keepSeconds": 86_400}


class Died(BaseException):
    """The process is gone, in the midst of something."""


class Office:
    """What is told by events and webhooks, until all is done about it."""

    def __init__(self, shell: Shell, loop: asyncio.AbstractEventLoop) -> None:
        self._shell = shell
        self._loop = loop
        self._dispatcher: Dispatcher | None = None
        self._between: Callable[[], None] = lambda: None
        self._recovered = False
        self.begin()

    def begin(self) -> None:
        """A process begins."""
        if self._dispatcher is not None:
            self._dispatcher.close()
        self._loop.run_until_complete(self._begin())
        self._recovered = False

    async def _begin(self) -> None:
        shell = self._shell
        shell.listens = self._listens
        store: Any = SimpleNamespace(loaders=self, readers=self, writer=self)
        self._launching = Launching(
            store,
            shell.snapshots,
            lambda execution_id, _workflow: shell.started(execution_id),
            now=lambda: shell.now,
        )
        self._dispatcher = Dispatcher(
            cast("Any", None),
            store,
            shell.snapshots.replica,
            cast("Any", self),
            self._launching,
            self._told,
        )
        self._calls = cast("type[Any]", WebhookCalls)()
        self._calls._replica = shell.snapshots.replica
        self._calls._runtime = cast(
            "Any",
            SimpleNamespace(store=store, launching=self._launching, dispatcher=self._dispatcher),
        )

    def waiting(self) -> rows.Message | None:
        """What is to be handed on next."""
        found = rows.waiting(self._shell.db, 0, 1)
        return found[0] if found else None

    def hand_on(self, message: rows.Message, between: Callable[[], None] = lambda: None) -> None:
        """Do all that is to be done about a message.

        Args:
            between: Called after each action.
        """
        assert self._dispatcher is not None
        self._done(self._dispatcher.handle(message), between)

    @property
    def listening(self) -> bool:
        """Whether somebody has begun to wait for what may have come before."""
        assert self._dispatcher is not None
        return not self._recovered or self._dispatcher.waking.early.listening > 0

    def give(self, between: Callable[[], None] = lambda: None) -> None:
        """Give what came before to those; ``between`` is as of :meth:`hand_on`."""
        assert self._dispatcher is not None
        early = self._dispatcher.waking.early
        self._done(early.give() if self._recovered else early.recover(), between)
        self._recovered = True

    def _listens(self, execution_id: str, listen: Listen) -> None:
        assert self._dispatcher is not None
        self._dispatcher.waking.early.listen(execution_id, listen)

    def _done(self, doing: Coroutine[Any, Any, None], between: Callable[[], None]) -> None:
        self._between = between
        try:
            self._loop.run_until_complete(doing)
        finally:
            self._between = lambda: None

    def receive(self, delivery: str, payload: Mapping[str, Json]) -> bool:
        """A request comes to the webhook; whether it was there before."""
        request = pb.ReceiveWebhookRequest(
            name=WEBHOOK, headers={ID_HEADER: delivery}, body=json.dumps(payload).encode()
        )
        call = self._calls.ReceiveWebhook(request, None)
        return bool(self._loop.run_until_complete(call).known)

    # A store without threads, and scripts without processes.

    async def read(self, read: Callable[..., Any], *arguments: object, **_: object) -> Any:
        """As of :class:`Readers`."""
        return read(self._shell.db, *arguments)

    def submit(self, unit: Unit) -> None:
        """As of :class:`Writer`."""
        self._shell.write(unit)
        unit.done(unit)
        self._between()

    async def evaluate(self, source: str, payload: str, **_: object) -> Json:
        """As of :class:`Scripts`."""
        try:
            return self._shell.judge(source, json.loads(payload))
        except ArithmeticError as error:
            raise ScriptFailed(str(error)) from error

    async def _told(self, execution_id: str, event: Event | None) -> Any:
        told = self._shell.asked(execution_id, event)
        self._between()
        return told

"""A pool of script workers: who runs what, for how long, with how much memory, and what then.

Calls go to idle workers in the order they came, each group's in its turn. One clock, which runs
only while something is under way, looks at time and memory of every call from outside; a script
that oversteps a limit loses its worker, and only that one. A worker that died of anything else was
perhaps not the script's fault: since a script has no effect but its value, its call is made once
more.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from services.javascript import replies, worker
from services.javascript.child import Child
from services.javascript.replies import Json, Limits, NoWorker, Reply, ScriptFailed
from services.javascript.turns import Turns

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.005
_BOOT_SECONDS = 30.0
_COLLECT_SECONDS = 5.0
_CALLS_OF_ONE_WORKER = 10_000
# A worker that keeps more than this of what it was given is told to let go of it, or replaced.
_KEPT_BYTES = 64 << 20
_FAILED_STARTS = 3
_RESTART_SECONDS = (0.2, 5.0)
_CHECKED = "to be checked"
JAVASCRIPT, JQ = "javascript", "jq"
_FRAME_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


@dataclass(slots=True, eq=False)
class _Call:
    """One request on its way.

    Attributes:
        group: Whose turn it waits for.
        request: What the worker is sent; empty while it starts.
        until: When the call is given up, in the loop's time.
        future: Who waits; nobody does for what the pool itself asks.
    """

    name: str
    request: bytes
    until: float
    group: str = ""
    future: asyncio.Future[Reply] | None = None
    retried: bool = False

    @property
    def ended(self) -> bool:
        return self.future is None or self.future.done()

    def fail(self, reason: ScriptFailed | NoWorker) -> None:
        if self.future is not None and not self.future.done():
            self.future.set_exception(reason)


@asynccontextmanager
async def pool(
    size: int = 2,
    *,
    deadline: timedelta = timedelta(seconds=1),
    memory_bytes: int = 256 << 20,
    patience: timedelta = timedelta(seconds=30),
    at_once: bool = True,
) -> AsyncGenerator[Scripts]:
    """``size`` workers, started and not waited for; all are gone when the block ends.

    Args:
        size: How many scripts run side by side. A worker at rest takes 73 MB.
        deadline: How long one script may run, counted from when a worker has it.
        memory_bytes: How much a worker may grow beyond its size at rest.
        patience: How long a call waits for a worker.
        at_once: False leaves their start to :meth:`Scripts.start`, or to the first call.

    Raises:
        RuntimeError: The event loop is not the main thread's.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A script worker would end with the thread that starts it.")
    scripts = Scripts(size, Limits(deadline, memory_bytes), patience)
    if at_once:
        scripts.start()
    try:
        yield scripts
    finally:
        await scripts.close()


@dataclass(frozen=True, slots=True)
class Load:
    """What a pool has to do.

    Attributes:
        workers: Processes that are ready or at work.
        running, waiting: Calls.
        replaced: Workers that were, since the pool was made.
    """

    workers: int
    running: int
    waiting: int
    replaced: int


class Scripts:
    """Evaluates scripts; made by :func:`pool`."""

    def __init__(self, size: int, limits: Limits, patience: timedelta) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._deadline = limits.deadline.total_seconds()
        self._patience = patience.total_seconds()
        self._waiting: Turns[_Call] = Turns(self._deadline)
        self._idle: deque[Child] = deque()
        self._busy: dict[Child, _Call] = {}
        self._failed_starts = 0
        self._replaced = 0
        self._restarts: list[asyncio.TimerHandle] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._clock: asyncio.TimerHandle | None = None
        self._open = True
        self._unstarted = size

    @property
    def load(self) -> Load:
        running = sum(call.future is not None for call in self._busy.values())
        workers = len(self._idle) + running
        return Load(workers, running, len(self._waiting), self._replaced)

    def start(self) -> None:
        """Start the workers, unless they were started before."""
        while self._unstarted:
            self._unstarted -= 1
            self._start()

    async def evaluate(
        self, source: str, scope: str, *, name: str, frame: str = "$", group: str = ""
    ) -> Json:
        """What ``source`` evaluates to: its last statement's value, ``undefined`` as None.

        Numbers are JavaScript's: integers beyond 2**53 lose digits, 1.0 comes back as 1, NaN and
        the infinities as None. Keys that are array indexes come first, in their order; all others
        keep theirs. Strings may hold lone surrogates, as JavaScript's do.

        Args:
            source: An expression or a program, e.g. ``(function () { return $.n > 1; })();``.
            scope: JSON, at most 10 MiB, that the script sees under the name ``frame``.
            name: What the script is called in errors.
            frame: A JavaScript identifier.
            group: Every group of those that wait gets as much of the workers' time as any other.

        Raises:
            ScriptFailed: There is no value; says why.
            NoWorker: It was not run.
            ValueError: ``scope`` is not JSON, or ``frame`` no identifier.
        """
        if not _FRAME_NAME.fullmatch(frame):
            raise ValueError(f"{frame!r} cannot be the name of a variable.")
        request = _request(worker.EVALUATE, source, scope, name, frame)
        return await replies.value(await self._asked(name, request, group), name, self._limits)

    async def query(self, program: str, scope: str, *, name: str, group: str = "") -> list[Json]:
        """All results of jq's ``program`` for its input ``scope``, which is JSON.

        Numbers are doubles. It sees no environment, no further input, and no file.

        Args, Raises:
            As :meth:`evaluate`.
        """
        request = _request(worker.QUERY, program, scope, name, "")
        found = await replies.value(await self._asked(name, request, group), name, self._limits)
        return cast("list[Json]", found)

    async def check(self, source: str, language: str = JAVASCRIPT) -> str | None:
        """What keeps ``source`` from being ``language``, with its line; None if nothing does.

        Nothing of it is run.

        Args:
            language: ``javascript`` or ``jq``.

        Raises:
            ScriptFailed: It is too large, or takes too long or too much memory to read.
            NoWorker: It was not looked at.
        """
        asked = worker.CHECK_QUERY if language == JQ else worker.CHECK
        reply = await self._asked(_CHECKED, _request(asked, source, "", _CHECKED, ""), "")
        if reply.kind not in (worker.INVALID, worker.NO_QUERY):
            await replies.value(reply, _CHECKED, self._limits)
            return None
        message, line = replies.fault(reply)
        return message if line is None else f"{message} (line {line})"

    def waited(self, group: str) -> float:
        """For how many seconds the oldest call of ``group`` has been waiting for a worker."""
        call = self._waiting.oldest(group)
        return 0.0 if call is None else self._loop.time() - (call.until - self._patience)

    async def _asked(self, name: str, request: bytes, group: str) -> Reply:
        if not self._open:
            raise NoWorker(f"Script {name} came after the script workers were stopped.")
        if self._unstarted:
            self.start()
        future: asyncio.Future[Reply] = self._loop.create_future()
        until = self._loop.time() + self._patience
        self._waiting.put(group, _Call(name, request, until, group, future))
        self._dispatch()
        return await future

    def _dispatch(self) -> None:
        """Hand waiting calls to idle workers."""
        while self._idle and (call := self._waiting.take()):
            if call.ended:
                self._waiting.end(call.group, 0.0)
            else:
                self._hand(self._idle.popleft(), call, self._deadline)
        if self._clock is None and (self._waiting or self._busy):
            self._clock = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _hand(self, child: Child, call: _Call, seconds: float) -> None:
        call.until = self._loop.time() + seconds
        self._busy[child] = call
        child.ask(call.request)

    def _tick(self) -> None:
        """Give up what has overstepped its time or its memory."""
        self._clock = None
        now = self._loop.time()
        for child, call in list(self._busy.items()):
            if now > call.until:
                # The loop may be late itself: an answer that is there counts.
                child.receive()
                if self._busy.get(child) is call:
                    self._give_up(child, self._limits.too_slow(call.name))
            elif call.request and child.grown_bytes() > self._limits.memory_bytes:
                self._give_up(child, self._limits.too_greedy(call.name))
        for call in self._waiting.shed(lambda call: now > call.until):
            call.fail(NoWorker(f"Script {call.name} waited {self._patience:g} s for a worker."))
        self._dispatch()

    def _freed(self, child: Child) -> _Call:
        """The call that ``child`` is done with."""
        call = self._busy.pop(child)
        if call.future is not None:
            begun = call.until - self._deadline
            self._waiting.end(call.group, self._loop.time() - begun)
        return call

    def _give_up(self, child: Child, reason: ScriptFailed) -> None:
        call = self._freed(child)
        self._replace(child, started=bool(call.request))
        call.fail(reason)

    def _replied(self, child: Child, reply: Reply) -> None:
        call = self._freed(child)
        if reply.kind == worker.DIRTY:
            # The call did not run, through no fault of its own.
            self._replace(child)
            self._again(call)
            return
        if reply.kind == worker.READY:
            self._failed_starts = 0
            child.rest()
        elif call.future is not None and not call.future.done():
            call.future.set_result(reply)
        self._release(child, reply)

    def _release(self, child: Child, reply: Reply) -> None:
        """Make ``child`` idle if it is fit for another call."""
        grown = child.grown_bytes() > _KEPT_BYTES
        worn = child.calls >= _CALLS_OF_ONE_WORKER or reply.kind == worker.NO_MEMORY
        if worn or (grown and reply.kind == worker.COLLECTED):
            self._replace(child)
        elif grown:
            collect = _request(worker.COLLECT, "", "", "", "")
            self._hand(child, _Call("(collecting)", collect, 0.0), _COLLECT_SECONDS)
        else:
            self._idle.append(child)
            self._dispatch()

    def _died(self, child: Child) -> None:
        """Make the call of a worker that ended by itself once more, on another."""
        call = self._freed(child) if child in self._busy else None
        _log.warning("Script worker %d ended by itself", child.pid)
        if call is None:
            self._idle.remove(child)
        self._replace(child, started=call is None or bool(call.request))
        if call is not None:
            self._again(call)

    def _again(self, call: _Call) -> None:
        if call.retried:
            call.fail(ScriptFailed(f"The script worker died twice while it ran {call.name}."))
        elif not call.ended:
            call.retried = True
            call.until = self._loop.time() + self._patience
            self._waiting.put(call.group, call, first=True)
            self._dispatch()

    def _replace(self, child: Child, *, started: bool = True) -> None:
        self._replaced += 1
        self._end(child)
        if started:
            self._start()
        else:
            self._start_later()

    def _start(self) -> None:
        try:
            child = Child(self._limits.memory_bytes // 8 * 7, self._replied, self._died)
        except OSError:
            _log.exception("A script worker cannot be started")
            self._start_later()
        else:
            self._busy[child] = _Call("(starting)", b"", self._loop.time() + _BOOT_SECONDS)

    def _start_later(self) -> None:
        """Start another worker in the place of one that did not; the longer, the more failed."""
        self._failed_starts += 1
        if self._failed_starts >= _FAILED_STARTS:
            for call in self._waiting.shed(lambda _: True):
                call.fail(NoWorker(f"Script {call.name} cannot run: no script worker starts."))
        first, last = _RESTART_SECONDS
        delay = min(first * 2 ** (self._failed_starts - 1), last)
        _log.warning("A script worker did not start; the next is tried in %g s", delay)
        timer = self._loop.call_later(delay, self._start)
        now = self._loop.time()
        self._restarts = [timer, *(other for other in self._restarts if other.when() > now)]

    def _end(self, child: Child) -> None:
        child.kill()
        ending = self._loop.create_task(child.reaped())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End every worker; calls that wait or run fail."""
        self._open = False
        for timer in (self._clock, *self._restarts):
            if timer is not None:
                timer.cancel()
        for call in (*self._waiting.shed(lambda _: True), *self._busy.values()):
            call.fail(NoWorker(f"Script {call.name} was stopped with the script workers."))
        for child in (*self._idle, *self._busy):
            self._end(child)
        self._idle.clear()
        self._busy.clear()
        await asyncio.gather(*self._ending)


def _request(kind: bytes, source: str, scope: str, name: str, frame: str) -> bytes:
    program = source.encode("utf-8", "surrogatepass")
    document = scope.encode("utf-8", "surrogatepass")
    for what, text in (("source", program), ("scope", document)):
        if len(text) > worker.MAX_BYTES:
            raise replies.too_large(what, name)
    variable = frame.encode()
    length = len(variable) + len(program) + len(document)
    head = worker.REQUEST.pack(length, kind, len(variable), len(program))
    return b"".join((head, variable, program, document))

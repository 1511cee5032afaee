"""Values judged by schemas, within a time: children that judge, and who waits for them.

A schema that refers to itself can ask for years, of a body of a hundred bytes; nothing ends the
validator from within, and all else would wait for it. What is known to be quick is judged
here; all else in children, which are ended when they take too long.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from services.errors import Overloaded
from services.json_text import Json
from services.judging import child as program
from services.judging.quick import Faults, quick_faults
from services.process import child_environment

logger = logging.getLogger(__name__)

T = TypeVar("T")

JUDGED_SECONDS = 2.0
# To say what is wrong, once that something is.
TOLD_SECONDS = 0.5
CHILDREN = 2
MOST_WAITING = 1000
MOST_WAITING_BYTES = 64 << 20
PATIENCE_SECONDS = 10.0
_LOADED_SECONDS = 20.0
# A process whose pipes are closed already.
_DYING_SECONDS = 1.0
# To read and judge more than this here would hold up everybody else for too long.
_ASIDE_BYTES = 64 << 10
NOT_TOLD = (("", "this value breaks the schema, in more ways than can be told"),)


@dataclass(slots=True)
class _Line:
    """Those who wait for one schema: at one time one of them is judged."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Judges:
    """The children; each is started when it is first needed. Whoever makes them closes them."""

    def __init__(self, seconds: float = JUDGED_SECONDS, most_waiting: int = MOST_WAITING) -> None:
        self._seconds = seconds
        self._most_waiting = most_waiting
        self._places = asyncio.Semaphore(CHILDREN)
        self._idle: list[Process] = []
        self._lines: dict[str, _Line] = {}
        self._waiting = 0
        self._bytes = 0
        self._open = True

    async def faults(
        self, schema: str, read: Callable[[], Json], size: int, written: Callable[[], bytes]
    ) -> Faults:
        """What is wrong with a value, as :func:`services.json_schema.faults` has it.

        Args:
            schema: JSON text that the registry has accepted.
            read: Gives the value.
            size: Of its JSON text, roughly.
            written: Gives that text.

        Raises:
            Unjudged: It took too long, or too much memory; it would again.
            Overloaded: Too much is waiting to be judged.
        """
        found = await _aside(size, lambda: quick_faults(schema, read, size))
        if found is None:
            found = await self.asked(schema, await _aside(size, written))
        return found

    async def asked(self, schema: str, value: bytes) -> Faults:
        """As :meth:`faults`, by a child; ``value`` is JSON text."""
        if self._waiting >= self._most_waiting or self._bytes + len(value) > MOST_WAITING_BYTES:
            raise _overloaded()
        self._waiting += 1
        self._bytes += len(value)
        try:
            async with self._turn(schema):
                # Once more where somebody else has ended the child: that says nothing of the value.
                for _ in range(2):
                    with suppress(_Killed):
                        async with self._child() as child:
                            return await self._judged(child, schema.encode(), value)
            raise _overloaded()
        finally:
            self._waiting -= 1
            self._bytes -= len(value)

    @asynccontextmanager
    async def _turn(self, schema: str) -> AsyncGenerator[None]:
        """A place, when it is free: of each schema one waits for it, so that none has them all."""
        line = self._lines.setdefault(schema, _Line())
        line.waiting += 1
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await stack.enter_async_context(line.lock)
                        await stack.enter_async_context(self._places)
                except TimeoutError:
                    raise _overloaded() from None
                yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                del self._lines[schema]

    @asynccontextmanager
    async def _child(self) -> AsyncGenerator[_Child]:
        """A child, kept for the next if it is through with what it was asked."""
        process = self._ready() or await _started()
        child = _Child(process)
        try:
            yield child
        finally:
            if child.done and self._open and process.returncode is None:
                self._idle.append(process)
            else:
                await _end(process)

    def _ready(self) -> Process | None:
        while self._idle:
            process = self._idle.pop()
            # The system may have ended it meanwhile.
            if process.returncode is None:
                return process
        return None

    async def _judged(self, child: _Child, schema: bytes, value: bytes) -> Faults:
        try:
            async with asyncio.timeout(self._seconds):
                if await child.verdict(schema, value):
                    return ()
        except TimeoutError:
            raise Unjudged(f"took more than {self._seconds:g} s to judge") from None
        except (EOFError, ConnectionError):
            if await child.was_killed():
                raise _Killed from None
            raise Unjudged("took more memory than it may to judge") from None
        try:
            async with asyncio.timeout(TOLD_SECONDS):
                return await child.faults()
        except (TimeoutError, EOFError, ConnectionError):
            return NOT_TOLD

    async def close(self) -> None:
        """End all that are idle, and from now on each when it has answered."""
        self._open = False
        while self._idle:
            await _end(self._idle.pop())


class Unjudged(Exception):
    """A value that cannot be judged by its schema: either is too involved.

    Attributes:
        why: What went beyond its limit: ``took more than 2 s to judge``.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Killed(Exception):
    """A child was ended, and not by what it was asked."""


class _Child:
    """One that is asked once.

    Attributes:
        done: It has said all that it had to say.
    """

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "it is a pipe"
        self._process = process
        self._input, self._output = process.stdin, process.stdout
        self.done = False

    async def verdict(self, schema: bytes, value: bytes) -> bool:
        """Whether the value is valid; raises EOFError or ConnectionError when the child ends."""
        head = program.LENGTHS.pack(len(schema), len(value))
        self._input.writelines((head, schema, value))
        await self._input.drain()
        self.done = await self._output.readexactly(1) == program.VALID
        return self.done

    async def was_killed(self) -> bool:
        """Of one that says no more: whether by SIGKILL, which no limit of its own ends it with."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DYING_SECONDS):
                await self._process.wait()
        return self._process.returncode == -signal.SIGKILL

    async def faults(self) -> Faults:
        """What is wrong with a value that is not valid; raises as :meth:`verdict`."""
        head = await self._output.readexactly(program.LENGTH.size)
        text = await self._output.readexactly(*program.LENGTH.unpack(head))
        self.done = True
        return tuple((pointer, detail) for pointer, detail in json.loads(text))


async def _started() -> Process:
    """A child that has loaded; 503 where there is none to be had."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", program.__name__),
            stdin=PIPE,
            stdout=PIPE,
            env=child_environment() | {"PODIUM_PARENT_PID": str(os.getpid())},
        )
    except OSError as error:
        logger.warning("A judge of schemas cannot be started: %s", error)
        raise _overloaded() from None
    ready = b""
    try:
        assert process.stdout is not None, "it is a pipe"
        async with asyncio.timeout(_LOADED_SECONDS):
            ready = await process.stdout.read(len(program.READY))
    except TimeoutError:
        logger.warning("A judge of schemas did not start within %g s.", _LOADED_SECONDS)
    finally:
        if not ready:
            await _end(process)
    if not ready:
        raise _overloaded()
    return process


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def _overloaded() -> Overloaded:
    return Overloaded("Too much waits to be judged by schemas. Try again in a moment.")


async def _aside(size: int, work: Callable[[], T]) -> T:
    """What ``work`` gives; done in a thread where ``size`` bytes make it long."""
    return work() if size <= _ASIDE_BYTES else await asyncio.to_thread(work)

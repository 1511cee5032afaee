"""`podium up`: the three services as three processes, their health, their drain.

The supervisor decides every address beforehand and hands it to all, so that the services start
side by side and in any order. A child says on a pipe that it serves; none is asked.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

SERVICES = ("registry", "executor", "edge")
# The edge first: what it still has to answer needs the executor, and that the registry.
DRAIN_ORDER = ("edge", "executor", "registry")
# Callers wait for these two: a process with its code loaded takes over at once.
STANDBYS = ("executor", "edge")

QUICK_DEATH_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
DRAIN_SECONDS = 12.0
START_SECONDS = 30.0


def restart_delay(lived_seconds: float, previous: float) -> float:
    """Seconds before a child that died is started again; ``previous`` is the delay before that."""
    if lived_seconds >= QUICK_DEATH_SECONDS:
        return 0.0
    return min(previous * 2, LONGEST_DELAY_SECONDS) if previous else FIRST_DELAY_SECONDS


@dataclass(slots=True)
class Life:
    """One process of a service.

    Attributes:
        ready: Read end of the pipe on which it says that it serves.
        go: Write end of the pipe on which a standby is told to begin; None: it began at once.
    """

    process: asyncio.subprocess.Process
    ready: int
    go: int | None

    def close(self) -> None:
        """Give both ends back; the process may live on."""
        os.close(self.ready)
        if self.go is not None:
            os.close(self.go)


@dataclass(slots=True)
class Child:
    """One service, over all the lives of its process.

    Attributes:
        standby: A process that has loaded its code and waits for this one to die.
        serving: Set while the process that runs has said that it serves.
        ever: It has served at least once since the suite was started.
    """

    name: str
    process: asyncio.subprocess.Process | None = None
    standby: Life | None = None
    serving: bool = False
    ever: bool = False
    delay: float = 0.0
    started: float = 0.0


@dataclass(slots=True)
class Suite:
    """The three services of one home.

    Args:
        environment: What every child gets, addresses and key files included.
        announce: Called whenever all three serve, with their process ids by name.
    """

    environment: Mapping[str, str]
    announce: Callable[[Mapping[str, int]], None]
    children: dict[str, Child] = field(default_factory=lambda: {n: Child(n) for n in SERVICES})
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    failed: bool = False
    readying: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> int:
        """Keep the services running until told to stop: 0, or 1 when one cannot even start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                keepers = [tasks.create_task(self._keep(each)) for each in self.children.values()]
                keepers.append(tasks.create_task(self._watch_the_start()))
                await self.stopping.wait()
                if not self.failed:
                    await self._drain()
                for keeper in keepers:
                    keeper.cancel()
        finally:
            await self._kill()
        return 1 if self.failed else 0

    def stop(self) -> None:
        """Begin to drain; a second call changes nothing."""
        self.stopping.set()

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        while not self.stopping.is_set():
            child.started = loop.time()
            said = await self._live_once(child)
            if self.stopping.is_set():
                return
            child.delay = restart_delay(loop.time() - child.started, child.delay)
            _tell(f"the {child.name} {said} again{_in(child.delay)}.")
            await asyncio.sleep(child.delay)

    async def _live_once(self, child: Child) -> str:
        """From a start to its end: what to say of that."""
        try:
            life = await self._next_life(child)
        except OSError as error:
            return f"cannot be started ({error.strerror or error}); it is tried"
        code = await self._live(child, life)
        if not child.ever and code == 1 and not self.stopping.is_set():
            # It has said why, in one line of its own.
            self._fail("")
        return f"ended ({_ending(code)}); it is started"

    def _fail(self, why: str) -> None:
        if why:
            _tell(why)
        self.failed = True
        self.stop()

    async def _watch_the_start(self) -> None:
        await asyncio.sleep(START_SECONDS)
        late = [child.name for child in self.children.values() if not child.ever]
        if late:
            self._fail(f"{' and '.join(late)} did not start within {START_SECONDS:g} s.")

    async def _next_life(self, child: Child) -> Life:
        """The standby, told to begin, if there is one that lives; else a new process."""
        life, child.standby = child.standby, None
        if life is not None and life.go is not None:
            go, life.go = life.go, None
            try:
                os.write(go, b"\n")
            except BrokenPipeError:
                life.close()
            else:
                return life
            finally:
                os.close(go)
        return await self._spawn(child.name, standby=False)

    async def _live(self, child: Child, life: Life) -> int:
        """One life of ``child``: its exit code."""
        child.process = life.process
        if self.stopping.is_set():
            # The drain has passed by: nobody else will tell it.
            life.process.terminate()
        async with asyncio.TaskGroup() as tasks:
            ready = tasks.create_task(self._await_ready(child, life))
            try:
                return await life.process.wait()
            finally:
                child.serving = False
                ready.cancel()

    async def _spawn(self, name: str, *, standby: bool) -> Life:
        """A new process. Raises OSError when the machine has no room for one."""
        with ExitStack() as ours, ExitStack() as theirs:
            ready, says = _pipe(ours, theirs)
            pipes, go = {"PODIUM_READY_FD": says}, None
            if standby:
                pipes["PODIUM_STANDBY_FD"], go = _pipe(theirs, ours)
            process = await self._execute(name, pipes)
            ours.pop_all()
        return Life(process, ready, go)

    async def _execute(self, name: str, pipes: Mapping[str, int]) -> asyncio.subprocess.Process:
        environment = {
            **os.environ,
            **self.environment,
            "PODIUM_PARENT_PID": str(os.getpid()),
            **{variable: str(end) for variable, end in pipes.items()},
        }
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"services.{name}",
                env=environment,
                pass_fds=tuple(pipes.values()),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl-C is for the supervisor: it drains the others in their order.
                process_group=0,
            )
        except RuntimeError as error:
            # Python 3.11 waits for each child in a thread, and there was no room for one.
            raise OSError(errno.EAGAIN, f"{error}") from error

    async def _await_ready(self, child: Child, life: Life) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(life.ready, "rb", buffering=0)
        )
        try:
            if not await reader.readline():
                return
        finally:
            transport.close()
        child.serving = child.ever = True
        if all(each.serving for each in self.children.values()):
            try:
                self.announce(
                    {name: c.process.pid for name, c in self.children.items() if c.process}
                )
            except OSError as error:
                self._fail(f"the suite serves, but cannot say where: {error}")
                return
            await self._stand_by()

    async def _stand_by(self) -> None:
        """Have a process wait for each service that callers wait for.

        Only once all serve: loading its code would slow a service that is being started.
        """
        async with self.readying:
            for name in STANDBYS:
                child = self.children[name]
                if child.standby is not None and child.standby.process.returncode is not None:
                    child.standby.close()
                    child.standby = None
                if child.standby is None and not self.stopping.is_set():
                    try:
                        child.standby = await self._spawn(name, standby=True)
                    except OSError as error:
                        _tell(f"no process stands by for the {name}: {error.strerror or error}.")

    async def _drain(self) -> None:
        _tell(f"draining {', '.join(DRAIN_ORDER)}, in turn; each up to {DRAIN_SECONDS:g} s.")
        for name in DRAIN_ORDER:
            process = self.children[name].process
            if process is None or process.returncode is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _kill(self) -> None:
        for child in self.children.values():
            lives = [child.process, child.standby.process if child.standby else None]
            for process in lives:
                if process is not None and process.returncode is None:
                    process.kill()
                    await process.wait()
            if child.standby is not None:
                child.standby.close()


def _pipe(reads: ExitStack, writes: ExitStack) -> tuple[int, int]:
    """The two ends of a new pipe, each closed with its owner."""
    reading, writing = os.pipe()
    reads.callback(os.close, reading)
    writes.callback(os.close, writing)
    return reading, writing


def _tell(sentence: str) -> None:
    sys.stderr.write(f"podium up: {sentence}\n")


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _in(seconds: float) -> str:
    return f" in {seconds:g} s" if seconds else ""

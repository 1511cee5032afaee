"""A service as a process: its parent, its signals, its one line when it cannot start."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

_PR_SET_PDEATHSIG = 1
_NEEDED_BY_PYTHON = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# A service keeps many small objects for long; the collector's own 700 has it look at them
# hundreds of times a second under load.
_GC_THRESHOLDS = (10_000, 20, 20)

# glibc's mallopt: from what size on a block is given back to the system when it is freed, which
# glibc alone raises to 32 MiB with the blocks that it has seen.
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 20


class StartupError(Exception):
    """The service cannot start; the message is one line that says why and the way out."""


def die_with_parent() -> None:
    """End this process with the one that ``PODIUM_PARENT_PID`` names; without it, do nothing.

    Call it first thing: a parent that died before is noticed by its number, and this process
    ends at once with 1.
    """
    expected = os.environ.get("PODIUM_PARENT_PID")
    if not expected:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if str(os.getppid()) != expected:
        sys.exit(1)


def child_environment() -> dict[str, str]:
    """For a child that does what users wrote: no setting and no secret, but what Python needs."""
    return {
        name: text
        for name, text in os.environ.items()
        if name in _NEEDED_BY_PYTHON or name.startswith("PYTHON")
    }


def stand_by(*modules: str) -> None:
    """Where ``PODIUM_STANDBY_FD`` says so: load ``modules``, then wait to be told to begin.

    The process ends with 0 when whoever was to tell it is gone.
    """
    descriptor = os.environ.pop("PODIUM_STANDBY_FD", "")
    if not descriptor:
        return
    with loading():
        for module in modules:
            import_module(module)
    with os.fdopen(int(descriptor), "rb", buffering=0) as pipe:
        if not pipe.read(1):
            sys.exit(0)


@contextmanager
def loading() -> Iterator[None]:
    """Load code within, without the collector, which leaves alone ever after what is there by now.

    Code stays to the end: to look at it again and again is nearly a tenth of what loading takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def report_ready(addresses: Mapping[str, str]) -> None:
    """Say that the service serves, to whoever gave ``PODIUM_READY_FD``; once.

    Args:
        addresses: ``host:port`` by name, as they were bound.
    """
    # What there is by now stays to the end: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    descriptor = os.environ.pop("PODIUM_READY_FD", "")
    if not descriptor:
        return
    try:
        with os.fdopen(int(descriptor), "w") as pipe:
            pipe.write(json.dumps(dict(addresses)) + "\n")
    except BrokenPipeError:
        # Nobody listens any more; being ready does not depend on it.
        return


def run(main: Callable[[asyncio.Event], Awaitable[None]], service: str = "") -> int:
    """Run ``main`` until it returns: the exit code.

    SIGTERM and SIGINT set the event that ``main`` is given; the second one ends the process at
    once. A :class:`StartupError` becomes one line on stderr and 1; what else is raised goes on.
    Files that are made are their owner's alone.

    Args:
        service: Stands in that line, ``podium-<service>: …``; without it, that of the package
            under ``services`` that ``main`` is from.
    """
    # What a service keeps holds what its users sent: no other user of the machine reads it.
    os.umask(0o077)
    _raise_descriptor_limit()
    _give_back_large_blocks()
    # With the default of 5 ms a thread that wants the interpreter lock waits that long for it.
    sys.setswitchinterval(0.0005)
    gc.set_threshold(*_GC_THRESHOLDS)
    failures: list[BaseException] = []
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_stopped(main))
    except* StartupError as group:
        failures.extend(_leaves(group))
    for failure in failures:
        sys.stderr.write(f"podium-{service or _service_of(main)}: {failure}\n")
    return 1 if failures else 0


async def _until_stopped(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop() -> None:
        stopping.set()
        for number in _SIGNALS:
            # The kernel's own action works even while the loop is stuck.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    await main(stopping)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # it does not exist for Windows
        return None
    return uvloop.new_event_loop


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        # macOS calls its hard limit infinite and takes no more than kern.maxfilesperproc.
        return


def _give_back_large_blocks() -> None:
    """A hundred large documents at once must not be what a service holds ever after."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries have none
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in group.exceptions:
        found.extend(_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    return found


def _service_of(main: object) -> str:
    module = getattr(main, "__module__", "")
    if module == "__main__":
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        module = spec.name if spec else ""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "services" else "service"

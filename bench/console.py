"""The console under measurement: in a terminal of its own, beside a suite that is busy."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench import console_views
from bench.changes import WORKFLOW
from bench.definitions import documents
from bench.history import multiply
from bench.load import at_once, paced, post
from bench.suite import Suite
from bench.terminal import Terminal, terminal
from bench.workloads import BODY, Figures, checked, percentile

ENDED = 50_000
# To copy from: of one workflow, as a busy gateway has them.
RUN = 50
BUSY_SECONDS = 10.0
EVENTS_A_SECOND = 200
IN_SIGHT = 40
WAITING = 2_000
CHANGES_A_SECOND = 2_000
KEYS = 120
# In no step with the console, which paints ten times a second.
KEY_SECONDS = 0.137
WARM_SECONDS = 1.0
# Columns up to here are the list's; on the right there may be its record.
LEFT = 3

# A move of the cursor of the terminal, before what is painted there.
_MOVED = re.compile(rb"\x1b\[(\d+);(\d+)H")
_BACKGROUND = re.compile(rb"48;2;\d+;\d+;\d+")


def figures(folder: Path, upstream: str, runs: int) -> Figures:
    """All of them, on a suite of its own with 50,000 executions that have ended."""
    with _long_past(folder, upstream) as suite:
        found = _begin(suite, runs)
        found |= _busy(suite)
        found |= _seen(suite)
        found |= _keys(suite)
    return found | console_views.figures(runs)


@contextmanager
def _long_past(folder: Path, upstream: str) -> Iterator[Suite]:
    suite = Suite(folder / "console")
    try:
        suite.start()
        suite.apply(*documents(upstream), WORKFLOW)
        gateway = suite.endpoints["gateway"]
        asyncio.run(_run(gateway, post(gateway, "/bench/w1", suite.key, BODY)))
        suite.stop()
        multiply(suite.home, ENDED)
        suite.start()
        yield suite
    finally:
        suite.stop()


async def _run(gateway: str, request: bytes) -> None:
    checked(await at_once(gateway, request, RUN))


@contextmanager
def _opened(suite: Suite) -> Iterator[Terminal]:
    """A console that shows all that there is."""
    with terminal(["tui", "tui", "--home", str(suite.home)]) as console:
        console.shows("LIVE")
        time.sleep(WARM_SECONDS)
        yield console


def _begin(suite: Suite, runs: int) -> Figures:
    """How long until a list is painted, and until it shows all that there is."""
    painted, synced = [], []
    for _ in range(runs):
        with terminal(["tui", "tui", "--home", str(suite.home)]) as console:
            first = console.shows("WORKFLOW", "STATUS")
            painted.append(first - console.begun)
            synced.append(console.shows("LIVE", f"{ENDED:,}") - first)
    return {
        "console first paint s": median(painted),
        "console 50,000 synced s": median(synced),
    }


def _busy(suite: Suite) -> Figures:
    """What 200 new executions a second cost: of a core, and on the way to the terminal."""
    gateway = suite.endpoints["gateway"]
    request = post(gateway, "/bench/w1", suite.key, BODY)
    with _opened(suite) as console:
        cpu, rate = _cost(console, lambda: asyncio.run(_paced(gateway, request, BUSY_SECONDS)))
        return {
            "console 200 new/s: CPU %": cpu,
            "console 200 new/s: KiB/s": rate,
            "console MB": console.resident_megabytes,
        }


def _seen(suite: Suite) -> Figures:
    """The same of 200 changes a second to rows that are all in sight."""
    with (
        _changing(suite, EVENTS_A_SECOND, BUSY_SECONDS, IN_SIGHT) as begin,
        _opened(suite) as console,
    ):
        cpu, rate = _cost(console, lambda: begin()())
    return {"console 200 seen/s: CPU %": cpu, "console 200 seen/s: KiB/s": rate}


def _cost(console: Terminal, while_: Callable[[], object]) -> tuple[float, float]:
    """Per cent of a core, and KiB a second to the terminal, while something is done."""
    cpu, written, began = console.cpu_seconds, console.written, time.monotonic()
    while_()
    took = time.monotonic() - began
    return (
        100 * (console.cpu_seconds - cpu) / took,
        (console.written - written) / took / 1024,
    )


async def _paced(gateway: str, request: bytes, seconds: float) -> None:
    checked(await paced(gateway, request, int(EVENTS_A_SECOND * seconds), seconds))


def _keys(suite: Suite) -> Figures:
    """How long from a key press to the bytes that move the cursor, while 2,000 rows/s change."""
    seconds = WARM_SECONDS + KEYS * KEY_SECONDS
    with _changing(suite, CHANGES_A_SECOND, seconds, WAITING) as begin, _opened(suite) as console:
        line, background = _cursor(console)
        made = begin()
        time.sleep(WARM_SECONDS)
        waits = []
        for number in range(KEYS):
            key, wanted = ("k", line) if number % 2 == 0 else ("j", line + 1)
            waits.append(1000 * _answered(console, key, wanted, background))
            # As one presses keys: the next one finds the console at whatever it does just then.
            time.sleep(KEY_SECONDS)
        changes = made()
    return {
        "console key p50 ms": percentile(waits, 0.5),
        "console key p95 ms": percentile(waits, 0.95),
        "console key: changes /s": changes / seconds,
    }


@contextmanager
def _changing(
    suite: Suite, a_second: int, seconds: float, count: int
) -> Iterator[Callable[[], Callable[[], int]]]:
    """Rows that change, once what is yielded is called; that gives how many it were, at its end."""
    command = [sys.executable, "-m", "bench.changes", str(suite.home)]
    process = subprocess.Popen(
        [*command, str(a_second), str(seconds), str(count)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    told, asked = process.stdout, process.stdin

    def begin() -> Callable[[], int]:
        asked.write("begin\n")
        asked.flush()
        return lambda: int(told.readline())

    try:
        told.readline()
        yield begin
    finally:
        process.kill()
        process.communicate()


def _cursor(console: Terminal) -> tuple[int, bytes]:
    """The line above that of the cursor, once it was moved, and the background of the cursor."""
    mark = console.mark()
    console.press("j")
    found: list[tuple[int, bytes]] = []

    def moved(seen: bytes) -> bool:
        painted = _backgrounds(seen)
        for line in sorted(painted):
            own = painted.get(line + 1, set()) - painted[line]
            if own:
                found.append((line, own.pop()))
        return bool(found)

    console.until(moved, mark)
    return found[-1]


def _answered(console: Terminal, key: str, line: int, background: bytes) -> float:
    """Seconds from a key press until the cursor is painted on ``line``."""
    mark = console.mark()
    pressed = console.press(key)
    return (
        console.until(lambda seen: background in _backgrounds(seen).get(line, ()), mark) - pressed
    )


def _backgrounds(written: bytes) -> dict[int, set[bytes]]:
    """The backgrounds that were painted on each line, from its left end on."""
    parts = _MOVED.split(written)
    found: dict[int, set[bytes]] = {}
    for line, column, painted in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if int(column) <= LEFT:
            found.setdefault(int(line), set()).update(_BACKGROUND.findall(painted))
    return found

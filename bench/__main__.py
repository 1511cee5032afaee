"""`make bench`: run the workloads on a suite of its own and print the figures."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

import click
import uvloop

from bench import conductor, console, gateway, growth, scale, workers, workloads
from bench.definitions import documents
from bench.suite import Suite, running, upstream

# figure -> (what it must reach now, whether more is better)
TARGETS: dict[str, tuple[float, bool]] = {
    "w1 1 client p50 ms": (3.5, False),
    "w1 32 clients /s": (1200, True),
    "w2 32 clients /s": (350, True),
    "cached 1 client p50 ms": (0.6, False),
    "cached 32 clients /s": (5000, True),
    "w3 all done s": (5.5, False),
    "w3 p99 late s": (1.0, False),
    "w3-wide p99 late s": (0.25, False),
    "w3-wide executor MB": (130, False),
    "w4 executor serving after s": (1.0, False),
    "w4 executor lost": (0, False),
    "w4 executor begun again": (0, False),
    "w4 all serving after s": (1.5, False),
    "w4 all lost": (0, False),
    "w4 all begun again": (0, False),
    "ready on a new home s": (2.5, False),
    "rules over bare w1 ms": (0.3, False),
    "1,000 routes cost %": (10, False),
    "reload of 1,000 routes: live after s": (1.0, False),
    "reload of 1,000 routes: lost": (0, False),
    "p99 under attack, times": (2, False),
    "worker tasks /s": (1500, True),
    "conductor tasks /s": (400, True),
    "conductor CPU ms/task": (1.2, False),
    "conductor idle poll late ms": (10, False),
    "conductor 500 polls of 5000 ms CPU %": (5, False),
    "console first paint s": (0.7, False),
    "console 50,000 synced s": (1.5, False),
    "console 200 new/s: CPU %": (10, False),
    "console 200 new/s: KiB/s": (50, False),
    "console 200 seen/s: CPU %": (10, False),
    "console 200 seen/s: KiB/s": (50, False),
    "console key p95 ms": (30, False),
    "console 1 MB JSON s": (0.3, False),
    "w5 10,000 branches s": (10, False),
    "w5 1,000 rounds s": (3, False),
    "w5 2,000 tasks s": (3, False),
    "w5 50 levels s": (2, False),
    "w5 executor MB": (400, False),
    "w5 fork over n log n, times": (1, False),
    "w5 loop over n log n, times": (1, False),
    "w5 chain over n log n, times": (1, False),
    "1,000,000: list, times": (2, False),
    "1,000,000: failed, times": (2, False),
    "1,000,000: of a workflow, times": (2, False),
    "1,000,000: of a day, times": (2, False),
    "1,000,000: failed of a day, times": (2, False),
    "1,000,000: start, times": (2, False),
    "1,000,000: w1 1 client p50, times": (2, False),
    "100,000 waiting: serving after s": (5, False),
    "100,000 waiting: executor MB": (200, False),
    "console 400 tasks drawn ms": (50, False),
}
NAMES = (
    "up", "w1", "w2", "cached", "w3", "wide", "w4", "rules", "many", "reload", "hostile", "console",
    "w5", "finished", "waiting", "workers", "conductor",
)  # fmt: skip
# Measured on suites that they start themselves.
OWN_SUITE = frozenset(("up", "console", "w5", "finished", "waiting"))
RUNS = 3


@click.command()
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Default: all of them.")
@click.option("--runs", default=RUNS, show_default=True, type=click.IntRange(1, 9))
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures there.")
def bench(only: tuple[str, ...], runs: int, file: Path | None) -> None:
    """Measure; each figure is the median of several runs."""
    wanted = only or NAMES
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder, upstream() as url:
        if "up" in wanted:
            figures["ready on a new home s"] = median(_ready(Path(folder), runs))
        if "console" in wanted:
            figures |= console.figures(Path(folder), url, runs)
        if "w5" in wanted:
            figures |= growth.figures(Path(folder))
        if "finished" in wanted:
            figures |= scale.finished(Path(folder), url)
        if "waiting" in wanted:
            figures |= scale.waiting(Path(folder), url)
        if set(wanted) - OWN_SUITE:
            figures |= _on_one_suite(Path(folder), url, wanted, runs)
    report = {"machine": machine(), "figures": figures}
    _print(figures)
    if file:
        file.write_text(json.dumps(report, indent=2) + "\n")


def _on_one_suite(folder: Path, url: str, wanted: Sequence[str], runs: int) -> workloads.Figures:
    figures: workloads.Figures = {}
    with running(folder) as suite:
        suite.apply(*documents(url), *gateway.bare_and_ruled())
        for name, count, measure in _measures(suite, url, runs):
            if name in wanted:
                figures.update(_medians(measure, count))
    return figures


def _measures(
    suite: Suite, url: str, runs: int
) -> list[tuple[str, int, Callable[[], Awaitable[workloads.Figures]]]]:
    return [
        ("w1", runs, lambda: workloads.steps(suite, "w1", seconds=5)),
        ("w2", runs, lambda: workloads.steps(suite, "w2", seconds=5)),
        ("cached", runs, lambda: workloads.cached(suite, seconds=5)),
        ("w3", runs, lambda: workloads.polled(suite)),
        ("w4", 1, lambda: workloads.killed(suite, url, everything=False)),
        ("w4", 1, lambda: workloads.killed(suite, url, everything=True)),
        ("wide", 1, lambda: workloads.wide(suite)),
        ("rules", 1, lambda: gateway.rules(suite)),
        ("many", 1, lambda: gateway.many(suite)),
        ("reload", 1, lambda: gateway.reload(suite)),
        ("hostile", 1, lambda: gateway.hostile(suite)),
        ("workers", runs, lambda: workers.tasks(suite)),
        ("conductor", runs, lambda: conductor.tasks(suite)),
    ]


def _medians(measure: Callable[[], Awaitable[workloads.Figures]], runs: int) -> workloads.Figures:
    async def once() -> workloads.Figures:
        return await measure()

    found = [uvloop.run(once()) for _ in range(runs)]
    figures = {name: median(each[name] for each in found) for name in found[0]}
    click.echo("  ".join(f"{name}: {value:.3f}" for name, value in figures.items()), err=True)
    return figures


def _ready(folder: Path, runs: int) -> list[float]:
    seconds = []
    for number in range(runs):
        with running(folder / f"new-{number}") as suite:
            seconds.append(suite.ready_seconds)
    return seconds


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("podium", "grpcio", "aiohttp", "uvicorn")},
    }


def _print(figures: dict[str, float]) -> None:
    click.echo("\n".join(f"{name}: {value}" for name, value in machine().items()) + "\n")
    for name, value in figures.items():
        goal = TARGETS.get(name)
        verdict = ""
        if goal:
            target, more = goal
            reached = value >= target if more else value <= target
            verdict = f"{'≥' if more else '≤'} {target:g}  {'reached' if reached else 'MISSED'}"
        click.echo(f"{name:<32} {value:>10.3f}  {verdict}".rstrip())


if __name__ == "__main__":
    bench()

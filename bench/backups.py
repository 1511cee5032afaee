"""What a backup of a long past costs those who call meanwhile: `python -m bench.backups [MB]`."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.definitions import documents
from bench.history import multiply
from bench.load import Answer, closed_loop, post
from bench.suite import Suite, upstream
from bench.workloads import percentile

_INPUT_BYTES = 5_000
_SECONDS = 5.0
_BODY = b"{}"


async def measured(suite: Suite, clients: int) -> dict[str, float]:
    """W1 before and during a backup."""
    request = post(suite.endpoints["gateway"], "/bench/w1", suite.key, _BODY)
    await closed_loop(suite.endpoints["gateway"], request, clients, 1.0)
    before = await closed_loop(suite.endpoints["gateway"], request, clients, _SECONDS)
    begun = time.monotonic()
    backup = asyncio.create_task(asyncio.to_thread(_backup, suite.home))
    during: list[Answer] = []
    while not backup.done():
        during += await closed_loop(suite.endpoints["gateway"], request, clients, 0.5)
    took = await backup
    log = (suite.home / "executor.db-wal").stat().st_size
    after = await closed_loop(suite.endpoints["gateway"], request, clients, _SECONDS)
    meanwhile = time.monotonic() - begun - _SECONDS
    return {
        "backup s": took,
        "log MB at its end": log / 1e6,
        **_figures("before", before, _SECONDS),
        **_figures("during", during, meanwhile),
        **_figures("after", after, _SECONDS),
        "log MB after": (suite.home / "executor.db-wal").stat().st_size / 1e6,
    }


def _figures(when: str, answers: list[Answer], seconds: float) -> dict[str, float]:
    wrong = [each for each in answers if each.status != 200]
    took = [1000 * (each.received - each.sent) for each in answers]
    return {
        f"{when} p50 ms": percentile(took, 0.5),
        f"{when} p99 ms": percentile(took, 0.99),
        f"{when} longest ms": max(took),
        f"{when} /s": len(answers) / seconds,
        f"{when} wrong": len(wrong),
    }


def _backup(home: Path) -> float:
    begun = time.monotonic()
    target = home.parent / "podium.backup"
    words = [sys.executable, "-m", "tui", "backup", str(target), "--home", str(home)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def _fill(home: Path, megabytes: int) -> None:
    with closing(sqlite3.connect(home / "executor.db")) as db, db:
        # Half of it is random, as far as a compressor can tell.
        text = f"json_object('text', hex(randomblob({_INPUT_BYTES // 2})))"
        multiply(home, megabytes * 1_000_000 // (_INPUT_BYTES + 1_200))
        db.execute(f"UPDATE executions SET input = {text}")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    """Print the figures."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder, upstream() as url:
        suite = Suite(Path(folder) / "home")
        try:
            suite.start()
            suite.apply(*documents(url))
            request = post(suite.endpoints["gateway"], "/bench/w1", suite.key, _BODY)
            asyncio.run(closed_loop(suite.endpoints["gateway"], request, 1, 0.2))
            suite.stop()
            _fill(suite.home, megabytes)
            size = (suite.home / "executor.db").stat().st_size
            sys.stdout.write(f"executor.db {size / 1e6:.0f} MB\n")
            for clients in (1, 32):
                suite.start()
                figures = asyncio.run(measured(suite, clients))
                suite.stop()
                size = (suite.home.parent / "podium.backup").stat().st_size
                sys.stdout.write(f"{clients} clients, file {size / 1e6:.0f} MB\n")
                for name, value in figures.items():
                    sys.stdout.write(f"  {name:<22} {value:10.2f}\n")
        finally:
            suite.stop()


if __name__ == "__main__":
    main()

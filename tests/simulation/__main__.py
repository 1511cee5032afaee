"""Lives of many seeds, for longer than tests may take: ``make simulate SEEDS=10000``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.simulation.world import life

_SEEDS_AT_ONCE = 20


def main() -> int:
    """Print each seed that fails, and how many lives there were; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="simulate")
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    arguments = parser.parse_args()
    begun, failed = time.monotonic(), 0
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as processes:
        for faults in processes.map(partial(_lives, Path(folder)), _batches(seeds)):
            failed += len(faults)
            for fault in faults:
                print(fault, flush=True)
    print(f"{len(seeds)} lives, {failed} failed, {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


def _batches(seeds: range) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(seeds), _SEEDS_AT_ONCE):
        yield tuple(seeds[start : start + _SEEDS_AT_ONCE])


def _lives(folder: Path, seeds: tuple[int, ...]) -> list[str]:
    """Why those of ``seeds`` that failed did."""
    faults: list[str] = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            try:
                life(seed, Path(own))
            except AssertionError as error:
                faults.append(str(error))
            except Exception as error:  # noqa: BLE001
                # The outermost loop of a life: what broke it is what is looked for.
                faults.append(f"seed {seed}: {error!r}")
    return faults


if __name__ == "__main__":
    sys.exit(main())

"""Lives of many seeds; `make simulate SEEDS=10000` runs more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.world import life

SEEDS = 300
# In parts, so that they run side by side.
PARTS = 30

# As they were drawn before there was anything beside executions.
ONCE_FAILED_NARROWLY = (303, 491, 500, 645, 926, 1027, 2548)
ONCE_FAILED = (7, 194, 212, 308, 325, 334, 477, 518, 776, 847, 978, 1303, 1574, 5523, 7924, 9728)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_life_with_faults_comes_to_what_one_without_does(part: int, tmp_path: Path) -> None:
    for seed in range(part, SEEDS, PARTS):
        life(seed, tmp_path)


@pytest.mark.parametrize("seed", ONCE_FAILED_NARROWLY)
def test_a_narrow_seed_that_once_failed_does_not(seed: int, tmp_path: Path) -> None:
    life(seed, tmp_path, narrow=True)


@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_a_seed_that_once_failed_does_not(seed: int, tmp_path: Path) -> None:
    life(seed, tmp_path)

"""What the console's lists look like, at three sizes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.looks import PLACES, SIZES, name_of
from tests.tui.screen import assert_snapshot

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def looks() -> dict[str, str]:
    """All of them, by the names of their snapshots: of one suite and one console."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.tui.looks"],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout)
    return told


# The first of them waits for all.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("place", PLACES)
def test_a_list_looks_so(looks: dict[str, str], place: str, size: tuple[int, int]) -> None:
    assert_snapshot(looks[name_of(place, size)], name_of(place, size))

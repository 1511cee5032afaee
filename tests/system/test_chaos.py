"""Eight random kills; `make chaos` does more of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.system import chaos


@pytest.mark.timeout(120)
def test_every_accepted_execution_ends_as_it_should_once(tmp_path: Path) -> None:
    # Eight kills with a start after each take half a minute.
    assert chaos.run(tmp_path, kills=8, seed=int(time.time())) == []

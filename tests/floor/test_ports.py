"""Claims on ports: they hold between processes, and are given up where they cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLAIM = "import sys; from services import ports; print(ports.claim(int(sys.argv[1])), flush=True)"
OTHER = 12_345


def claim(tmp: Path, then: str = "") -> subprocess.Popen[str]:
    """A process that claims a port, and then does something."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{CLAIM}; {then}", "25000"],
        env={**os.environ, "TMPDIR": str(tmp)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(tmp: Path) -> str:
    out, _ = claim(tmp).communicate(timeout=20)
    return out.strip()


def test_a_port_is_claimed_by_one_process_at_a_time(tmp_path: Path) -> None:
    first = claim(tmp_path, "sys.stdin.read()")
    assert first.stdout is not None
    assert first.stdout.readline() == "True\n"

    assert told(tmp_path) == "False"
    first.communicate(timeout=20)
    assert told(tmp_path) == "True"


def test_what_somebody_else_has_laid_there_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / f"podium-ports-{os.getuid()}"
    folder.mkdir()
    # Who opens it to write waits for a reader.
    os.mkfifo(folder / "25000")
    try:
        os.chown(folder, OTHER, OTHER)
    except PermissionError:
        pytest.skip("needs root")

    assert told(tmp_path) == "True"


@pytest.mark.parametrize("kind", ["file", "missing"])
def test_without_a_folder_for_claims_a_port_is_only_looked_at(tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / f"podium-ports-{os.getuid()}").write_text("")

    assert told(tmp_path if kind == "file" else tmp_path / "none") == "True"

"""The examples for who comes from Conductor, as their first lines say they are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.system.conductor.world import Conductor
from tests.system.conftest import EXAMPLES

SECONDS = 60


def printed(conductor: Conductor, *command: str, folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **conductor.environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_worker_in_python_greets(conductor: Conductor, tmp_path: Path) -> None:
    script = str(EXAMPLES / "conductor_worker.py")
    assert printed(conductor, sys.executable, script, "Ada", folder=tmp_path) == "Hello Ada\n"


def test_the_worker_in_javascript_greets(conductor: Conductor, javascript: Path) -> None:
    shutil.copy(EXAMPLES / "conductor_worker.mjs", javascript)
    command = ("node", "conductor_worker.mjs", "Ada")
    assert printed(conductor, *command, folder=javascript).splitlines()[-1] == "Hello Ada"

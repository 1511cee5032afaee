"""One suite, Conductor's clients of it and its workers, for all tests of this folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.system.conductor.world import ANYBODY, Conductor, workers
from tests.system.running import suite_in

JAVASCRIPT = Path(__file__).with_name("javascript")
AWAY = re.compile(
    r"npm error code (ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|E[45]\d\d|\w*CERT\w*)"
)
SECONDS = 120
HOWS = ("slow", "later", "fails", "never")


@pytest.fixture(scope="session")
def conductor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conductor]:
    """What it is asked without a token it does as ``anybody``.

    What takes its time is under way from the beginning (:attr:`Conductor.fussy`).
    """
    with ExitStack() as stack:
        # It is for this suite's services, and for no other's that are started while this one is.
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PODIUM_ANONYMOUS_APPLICATION", ANYBODY)
            suite = stack.enter_context(suite_in(tmp_path_factory.mktemp("conductor")))
        suite.apply({"kind": "application", "id": ANYBODY, "roles": ["OPERATOR"]})
        conductor = Conductor(suite)
        conductor.define()
        stack.enter_context(workers(conductor, tmp_path_factory.mktemp("workers")))
        for how in HOWS:
            conductor.fussy[how] = conductor.start("py_fusses", input={"how": how})
        yield conductor


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client as npm has it, by version and hash.

    Where it cannot be had, nobody is to blame: the tests are skipped, wherever they run.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    folder = tmp_path_factory.mktemp("javascript") / "client"
    shutil.copytree(JAVASCRIPT, folder)
    done = subprocess.run(
        ["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode and AWAY.search(done.stderr):
        pytest.skip("needs npm's registry, which cannot be reached")
    assert done.returncode == 0, done.stderr
    return folder

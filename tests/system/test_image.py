"""The services of docker-compose.yml need no more than it gives them: no rights, no other disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.system.apart import SERVICES, apart

DOCUMENTS = """
{kind: workflow, name: hello, version: 1, tasks: [
  {name: n, taskReferenceName: n, type: INLINE, inputParameters: {expression: "1 + 1"}}],
  outputParameters: {sum: "${n.output.result}"}}
---
{kind: application, id: caller, permissions: [
  {access: [EXECUTE], target: {type: workflow, id: hello}}]}
---
{kind: auth, id: nobody, authenticationType: NONE, applicationId: caller}
---
{kind: service, id: hello, path: /hello, authConfigId: nobody, routes: [
  {httpMethod: GET, path: /, mappedWorkflow: {name: hello}}]}
"""
# The root as compose's read_only has it; what is written to is bound beside it.
READ_ONLY = (
    'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,ro,bind / && '
    'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
)


def confined(folder: Path) -> list[str]:
    """Runs what follows where only ``folder`` can be written to, without any right of root's."""
    return ["unshare", "--mount", "sh", "-c", READ_ONLY, str(folder)]


def needs_confinement(folder: Path) -> None:
    """Skip where a process cannot be confined so; fail instead where all tests must run."""
    there = all(shutil.which(program) for program in ("unshare", "setpriv"))
    if there and not subprocess.run([*confined(folder), "true"], capture_output=True).returncode:
        return
    if os.environ.get("PODIUM_TEST_ALL"):
        pytest.fail("processes cannot be confined")
    pytest.skip("needs unshare and setpriv, and the right to a mount namespace")


def test_the_services_of_compose_need_no_more_than_it_gives_them(tmp_path: Path) -> None:
    needs_confinement(tmp_path)
    with apart(tmp_path, confined(tmp_path)) as services:
        services.start(*SERVICES)

        applied = services.podium("apply", "-", text=DOCUMENTS)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        told = httpx.get(f"{services.gateway}/hello", timeout=20)

        assert (told.status_code, told.json()) == (200, {"sum": 2})
        status = services.podium("status")
        assert status.returncode == 0, status.stdout + status.stderr

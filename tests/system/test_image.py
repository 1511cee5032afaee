"""The three services as docker-compose.yml runs them: apart, no right of the kernel, read-only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from services import ports

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES = ("registry", "executor", "edge")
PATIENCE_SECONDS = 60
DOCUMENTS = """
{kind: workflow, name: hello, version: 1, tasks: [
  {name: n, taskReferenceName: n, type: INLINE, inputParameters: {expression: "1 + 1"}}],
  outputParameters: {sum: "${n.output.result}"}}
---
{kind: auth, id: nobody, authenticationType: NONE, applicationId: caller}
---
{kind: application, id: caller, permissions: [
  {access: [EXECUTE], target: {type: workflow, id: hello}}]}
---
{kind: service, id: hello, path: /hello, authConfigId: nobody, routes: [
  {httpMethod: GET, path: /, mappedWorkflow: {name: hello}}]}
"""
# The root as compose's read_only has it; what is written to is bound beside it.
READ_ONLY = (
    'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,ro,bind / && '
    'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
)


def confined(folder: Path, *command: str) -> list[str]:
    """``command`` where only ``folder`` can be written to, and nothing of root's may be done."""
    return ["unshare", "--mount", "sh", "-c", READ_ONLY, str(folder), *command]


def can_confine(folder: Path) -> bool:
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return False
    return subprocess.run(confined(folder, "true"), capture_output=True).returncode == 0


class Composed:
    """Each service's environment, with the paths and ports of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        numbers = ("7401", "7402", "7403", "8080", "8081")
        free = (str(port) for port in ports.candidates(200) if ports.claim(port))
        self.ports = dict(zip(numbers, free, strict=False))
        (folder / "secrets").mkdir()
        for name in ("cluster_key", "secret_key", "admin_secret"):
            (folder / "secrets" / name).write_text(f"{name} " + "k" * 40)

    def environment(self, service: str) -> dict[str, str]:
        given = COMPOSE["services"][service]["environment"]
        kept = {name: value for name, value in os.environ.items() if name[:7] != "PODIUM_"}
        return {
            **kept,
            "TMPDIR": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: self._here(service, str(value)) for name, value in given.items()},
        }

    def _here(self, service: str, value: str) -> str:
        if value.startswith("${"):
            value = value.partition(":-")[2].rstrip("}")
        for name in SERVICES:
            value = value.replace(f"{name}:", "127.0.0.1:")
        value = value.replace("0.0.0.0", "127.0.0.1").replace("localhost", "127.0.0.1")
        for known, port in self.ports.items():
            value = value.replace(f":{known}", f":{port}")
        value = value.replace("/run/secrets", str(self.folder / "secrets"))
        return value.replace("/data", str(self.folder / service))

    @contextmanager
    def running(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        (self.folder / service).mkdir()
        command = [sys.executable, "-m", "tui", *COMPOSE["services"][service]["command"]]
        log = (self.folder / f"{service}.log").open("w")
        with log, subprocess.Popen(
            confined(self.folder, *command),
            env=self.environment(service), stderr=log, cwd=ROOT,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(20)

    def healthy(self, service: str) -> None:
        """Wait until compose's own check says so."""
        _, _, *module, address = COMPOSE["services"][service]["healthcheck"]["test"]
        check = [sys.executable, *module, self._here(service, address)]
        limit = time.monotonic() + PATIENCE_SECONDS
        while (done := subprocess.run(check, capture_output=True, text=True)).returncode:
            log = (self.folder / f"{service}.log").read_text()
            assert time.monotonic() < limit, done.stdout + done.stderr + log

    def podium(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """A command, as the console's container runs it."""
        return subprocess.run(
            confined(self.folder, sys.executable, "-m", "tui", *arguments),
            env=self.environment("console") | {"PODIUM_HOME": str(self.folder / "console")},
            input=text, capture_output=True, text=True, timeout=PATIENCE_SECONDS, cwd=ROOT,
        )  # fmt: skip


def test_the_services_of_compose_need_no_more_than_it_gives_them(tmp_path: Path) -> None:
    if not can_confine(tmp_path):
        pytest.skip("needs unshare and setpriv, and the right to a mount namespace")
    composed = Composed(tmp_path)
    with ExitStack() as stack:
        for service in SERVICES:
            stack.enter_context(composed.running(service))
        for service in SERVICES:
            composed.healthy(service)

        applied = composed.podium("apply", "-", text=DOCUMENTS)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        told = httpx.get(f"http://127.0.0.1:{composed.ports['8080']}/hello", timeout=20)

        assert (told.status_code, told.json()) == (200, {"sum": 2})
        status = composed.podium("status")
        assert status.returncode == 0, status.stdout + status.stderr

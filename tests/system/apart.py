"""The three services as docker-compose.yml runs them, each a process that nobody starts again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from services import ports
from tests.system.running import post

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES = ("registry", "executor", "edge")
PATIENCE_SECONDS = 60
_NUMBERS = ("7401", "7402", "7403", "8080", "8081")


class Apart:
    """Services of one folder, at the addresses and with the environment of compose.

    Args:
        prefix: What each is run by: a command that runs the rest of its arguments.
        settings: Of all services, beside compose's.
    """

    def __init__(
        self, folder: Path, prefix: Sequence[str] = (), settings: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.prefix = list(prefix)
        self._settings = settings or {}
        free = (str(port) for port in ports.candidates(200) if ports.claim(port))
        self.ports = dict(zip(_NUMBERS, free, strict=False))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "secrets").mkdir()
        for name in ("cluster_key", "secret_key", "admin_secret"):
            (folder / "secrets" / name).write_text(f"{name} " + "k" * 40)

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.ports['8080']}"

    @property
    def management(self) -> str:
        return f"http://127.0.0.1:{self.ports['8081']}"

    def data(self, service: str) -> Path:
        """The folder of its databases."""
        return self.folder / service

    def log(self, service: str) -> str:
        """What it has written on stderr."""
        return (self.folder / f"{service}.log").read_text()

    def environment(self, service: str) -> dict[str, str]:
        """Compose's, with the paths and ports of this machine."""
        given = COMPOSE["services"][service]["environment"]
        kept = {name: value for name, value in os.environ.items() if name[:7] != "PODIUM_"}
        return {
            **kept,
            "TMPDIR": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: self._here(service, str(value)) for name, value in given.items()},
            **(self._settings if service in SERVICES else {}),
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

    def start(self, *names: str, prefix: Sequence[str] = ()) -> None:
        """Start services, in place of those that have ended; return when all are healthy.

        Args:
            prefix: What these are run by, within :attr:`prefix`.
        """
        for name in names:
            self.data(name).mkdir(exist_ok=True)
            command = [sys.executable, "-m", "tui", *COMPOSE["services"][name]["command"]]
            with (self.folder / f"{name}.log").open("a") as log:
                self.processes[name] = subprocess.Popen(
                    [*self.prefix, *prefix, *command],
                    env=self.environment(name), stderr=log, cwd=ROOT,
                )  # fmt: skip
        for name in names:
            self.wait_until_healthy(name)

    def wait_until_healthy(self, name: str) -> None:
        """By compose's own check."""
        _, _, *module, address = COMPOSE["services"][name]["healthcheck"]["test"]
        check = [sys.executable, *module, self._here(name, address)]
        limit = time.monotonic() + PATIENCE_SECONDS
        while (done := subprocess.run(check, capture_output=True, text=True)).returncode:
            assert time.monotonic() < limit, done.stdout + done.stderr + self.log(name)

    def end(self, name: str, by: signal.Signals = signal.SIGKILL) -> None:
        """End a service; nobody starts it again."""
        process = self.processes.pop(name)
        process.send_signal(by)
        process.wait(20)

    def podium(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """A command, as the console's container runs it."""
        return subprocess.run(
            [*self.prefix, sys.executable, "-m", "tui", *arguments],
            env=self.environment("console") | {"PODIUM_HOME": str(self.folder / "console")},
            input=text, capture_output=True, text=True, timeout=PATIENCE_SECONDS, cwd=ROOT,
        )  # fmt: skip


class Callers:
    """What a client of the gateway does, with the keys that it was given."""

    def __init__(self, services: Apart) -> None:
        self.services = services
        self.keys: dict[str, str] = {}

    def apply(self, *documents: dict[str, Any]) -> None:
        text = "\n---\n".join(map(json.dumps, documents))
        done = self.services.podium("apply", "--output", "json", "-", text=text)
        assert done.returncode == 0, done.stdout + done.stderr
        for result in json.loads(done.stdout):
            for key in result["generatedKeys"]:
                self.keys[result["name"]] = key["key"]

    def headers(self, name: str, **more: str) -> dict[str, str]:
        return {"X-API-Key": self.keys[name], **more}

    def call(self, name: str, body: object = None, **headers: str) -> httpx.Response:
        return httpx.post(
            f"{self.services.gateway}/{name}", json=body or {},
            headers=self.headers(name, **headers), timeout=60,
        )  # fmt: skip

    def works(self, name: str, body: object = None, status: int = 200) -> httpx.Response:
        """The answer of a patient client."""
        url = f"{self.services.gateway}/{name}"
        answer = post(url, json=body or {}, headers=self.headers(name), timeout=60)
        assert answer.status_code == status, answer.text
        return answer

    def look(self, name: str, execution_id: str) -> httpx.Response:
        """Where an execution stands, as its caller asks."""
        return httpx.get(
            f"{self.services.gateway}/-/executions/{execution_id}",
            headers=self.headers(name), timeout=60,
        )  # fmt: skip

    def ended(self, name: str, execution_id: str) -> httpx.Response:
        limit = time.monotonic() + 60
        while (answer := self.look(name, execution_id)).status_code in (202, 503):
            assert time.monotonic() < limit, answer.text
        return answer


@contextmanager
def apart(
    folder: Path, prefix: Sequence[str] = (), settings: dict[str, str] | None = None
) -> Iterator[Apart]:
    """Services of ``folder``, none started yet; those that run at the end are ended."""
    services = Apart(folder, prefix, settings)
    try:
        yield services
    finally:
        for name in list(services.processes):
            services.end(name, signal.SIGTERM)

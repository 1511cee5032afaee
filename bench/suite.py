"""A whole suite under measurement: started, filled, killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
STOP_SECONDS = 20.0
NAMES = ("gateway", "management", "registry", "executor", "edge")


@dataclass(slots=True)
class Suite:
    """`podium up` in a folder of its own."""

    home: Path
    process: subprocess.Popen[str] | None = None
    ready_seconds: float = 0.0
    endpoints: dict[str, Any] = field(default_factory=dict)
    key: str = ""

    def start(self) -> None:
        """Start it and wait until it is ready."""
        begin = time.monotonic()
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", "up", "--home", str(self.home)]
            + [f"--{name}=127.0.0.1:0" for name in NAMES],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            raise RuntimeError("podium up did not get ready")
        self.ready_seconds = time.monotonic() - begin
        self.read_endpoints()

    def read_endpoints(self) -> None:
        """Where it is now, process ids included."""
        self.endpoints = json.loads((self.home / "endpoints.json").read_text())

    def apply(self, *documents: dict[str, Any]) -> None:
        """Put definitions; keeps the API key that is generated."""
        done = subprocess.run(
            [sys.executable, "-m", "tui", "apply", "--home", str(self.home), "--output=json", "-"],
            input="\n---\n".join(json.dumps(document) for document in documents),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        for result in json.loads(done.stdout):
            for key in result["generatedKeys"]:
                self.key = key["key"]

    def kill(self, *names: str) -> None:
        """SIGKILL processes, by name."""
        self.read_endpoints()
        for name in names:
            os.kill(self.endpoints["pids"][name], signal.SIGKILL)

    def resident_megabytes(self, name: str) -> float:
        """Resident memory of one process, without its children."""
        pid = self.endpoints["pids"][name]
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def peak_megabytes(self, name: str) -> float:
        """The most resident memory that one process has had, without its children."""
        status = Path(f"/proc/{self.endpoints['pids'][name]}/status").read_text()
        line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6

    def cpu_seconds(self, name: str) -> float:
        """CPU time that one process has used so far."""
        pid = self.endpoints["pids"][name]
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def running(folder: Path) -> Iterator[Suite]:
    """A new suite in ``folder``."""
    suite = Suite(folder / "home")
    try:
        suite.start()
        yield suite
    finally:
        suite.stop()


@contextmanager
def upstream() -> Iterator[str]:
    """The upstream's URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.upstream"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def until_serving(probe: Any, limit: float = START_SECONDS) -> float:
    """Seconds until ``probe()`` succeeds."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit:
        with suppress(OSError):
            if await probe():
                return time.monotonic() - begin
        await asyncio.sleep(0.02)
    raise RuntimeError(f"not serving again after {limit} s")

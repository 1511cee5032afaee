"""A suite as a user runs it: processes, files, HTTP, and nothing of its insides."""

from __future__ import annotations

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

import httpx

from tests.system.forking import command

NAMES = ("gateway", "management", "registry", "executor", "edge")
STOP_SECONDS = 20.0


@dataclass(slots=True)
class Suite:
    """`podium up` on a home of its own."""

    home: Path
    process: subprocess.Popen[str] | None = None
    log: Path = field(init=False)
    options: tuple[str, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    """The gateway key that was generated last for an auth, by the auth's id."""

    def __post_init__(self) -> None:
        self.log = self.home.parent / f"{self.home.name}.log"

    def start(self) -> str:
        """Start it; the line it printed when ready (empty: it ended instead)."""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tui", "up", "--home", str(self.home)]
                + [f"--{name}=127.0.0.1:0" for name in NAMES]
                + list(self.options),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    @property
    def endpoints(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "endpoints.json").read_text())
        return found

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name; empty while not all of it is healthy."""
        try:
            found: dict[str, int] = self.endpoints["pids"]
        except FileNotFoundError:
            return {}
        return found

    @property
    def gateway(self) -> str:
        return str(self.endpoints["gateway"])

    @property
    def management(self) -> str:
        return str(self.endpoints["management"])

    def kill(self, name: str) -> int:
        """SIGKILL one of the four processes, for a dead one its next; its process id."""
        limit = time.monotonic() + 20
        while not (pid := self.pids.get(name, 0)) or not _killed(pid):
            # It was killed a moment ago, and the next one is not there yet.
            assert time.monotonic() < limit, f"no {name} comes back"
            time.sleep(0.02)
        return pid

    def podium(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """A `podium` command on this home, as its user types it."""
        return podium(*arguments, "--home", str(self.home), text=text)

    def apply(self, *documents: dict[str, Any]) -> None:
        """Put definitions, live everywhere, and keep the keys that are generated."""
        self.apply_text("\n---\n".join(json.dumps(document) for document in documents))

    def apply_text(self, text: str) -> None:
        """As :meth:`apply`, documents as a file has them."""
        limit = time.monotonic() + 20
        while True:
            done = self.podium("apply", "--output", "json", "-", text=text)
            assert done.returncode == 0, done.stdout + done.stderr
            for result in json.loads(done.stdout):
                for key in result["generatedKeys"]:
                    self.keys[result["name"]] = key["key"]
            # A machine that does much else may need longer than `apply` waits.
            if "does not serve this yet" not in done.stderr:
                return
            assert time.monotonic() < limit, done.stderr

    def caller(self, name: str) -> dict[str, str]:
        """The headers of a call with the key of the auth ``name``."""
        return {"X-API-Key": self.keys[name]}

    def stop(self) -> int:
        """SIGTERM, as Ctrl-C does; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()


def _killed(pid: int) -> bool:
    """Whether there was such a process to kill."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def post(url: str, **arguments: Any) -> httpx.Response:
    """POST as a patient client does: one that is told 503 asks again, for 20 s at most.

    On a machine that runs other tests beside, a start may be refused as too much just then.
    """
    limit = time.monotonic() + 20
    while True:
        answer = httpx.post(url, **arguments)
        if answer.status_code != 503 or time.monotonic() > limit:
            return answer
        time.sleep(0.2)


def podium(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """A `podium` command."""
    return command(*arguments, text=text)


@contextmanager
def suite_in(folder: Path, *options: str) -> Iterator[Suite]:
    """A new suite, stopped afterwards."""
    suite = Suite(folder / "home", options=options)
    line = suite.start()
    try:
        assert line.startswith("ready"), suite.log.read_text()
        yield suite
    finally:
        suite.stop()


@contextmanager
def upstream_running() -> Iterator[str]:
    """The URL of the upstream."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.system.upstream"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def job_server_running() -> Iterator[str]:
    """The URL of the examples' job server."""
    process = subprocess.Popen(
        [sys.executable, "examples/job_server.py", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http://"))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def processes_of(home: Path) -> set[int]:
    """Every process whose environment or command line names ``home``, this one left out."""
    mark = str(home).encode()
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            if (
                mark in (folder / "environ").read_bytes()
                or mark in (folder / "cmdline").read_bytes()
            ):
                found.add(int(folder.name))
        except OSError:
            continue
    return found


def until(condition: Any, seconds: float, what: str) -> None:
    """Return once ``condition()`` holds; fail, naming ``what``, when it does not in time."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        time.sleep(0.02)


# Before a command: SIGINT ends it, though its parent may ignore that. Whoever runs the tests in the
# background of a shell has them ignore it, and all their children. Not done in the child itself: of
# a process with threads it may never get so far.
HEEDING_CTRL_C = ("env", "--default-signal=INT")

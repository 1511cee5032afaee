"""Makes a home of a version: `python -m tests.upgrade.make NAME [COMMIT]`.

Installs the commit (without one: what is checked out) in an environment of its own, starts its
suite, starts an execution of each scene that it can, kills all with SIGKILL, and writes
tests/upgrade/homes/NAME.tar.xz. Done once for each release, before its successor is begun.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.upgrade.scenes import GATEWAY, SCENES, SCHEDULE, Scene
from tests.upgrade.upstream import Upstream, upstream_running

ROOT = Path(__file__).parents[2]
HOMES = Path(__file__).parent / "homes"
LISTENERS = ("gateway", "management", "registry", "executor", "edge")
# Other ones are chosen where it is opened; locks, tokens and the index of words are made anew.
_LEFT_OUT = ("ports.json", "endpoints.json", "token.json", "executor-search.db")


class Old:
    """A suite of the version, on a home of its own."""

    def __init__(self, podium: list[str], home: Path) -> None:
        self.podium, self.home = podium, home
        self.process: subprocess.Popen[bytes] | None = None

    def call(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.podium, *words, "--home", str(self.home)],
            input=text, capture_output=True, text=True, timeout=60, check=False,
            cwd=self.home.parent,
        )  # fmt: skip

    def start(self) -> None:
        ports = [f"--{name}=127.0.0.1:0" for name in LISTENERS]
        # Not where this version's code is, which would be taken for its own.
        self.process = subprocess.Popen(
            [*self.podium, "up", "--home", str(self.home), *ports], cwd=self.home.parent
        )
        _until(lambda: (self.home / "endpoints.json").exists())

    def kill(self) -> None:
        """All four at once, as a power cut does."""
        assert self.process is not None
        pids = json.loads((self.home / "endpoints.json").read_text())["pids"]
        os.kill(self.process.pid, signal.SIGKILL)
        for name, pid in pids.items():
            if name != "supervisor":
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.values()))

    def put(self, documents: Any) -> dict[str, Any] | None:
        """What was generated for those definitions; None: this version does not know them."""
        text = "\n---\n".join(json.dumps(document) for document in documents)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            done = self.call("apply", "--output", "json", file.name)
        if done.returncode:
            sys.stderr.write(f"left out: {done.stdout}{done.stderr}\n")
            return None
        return {"results": json.loads(done.stdout)}


def _until(condition: Any) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


@contextmanager
def installed(commit: str, folder: Path) -> Iterator[list[str]]:
    """The command `podium` of a commit."""
    if not commit:
        yield [sys.executable, "-m", "tui"]
        return
    source, environment = folder / "source", folder / "environment"
    source.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(source, filter="data")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, str(source)], check=True)
    yield [str(environment / "bin" / "podium")]


def make(name: str, commit: str) -> None:
    """Write the home ``name`` as the version at ``commit`` makes it."""
    with (
        tempfile.TemporaryDirectory(prefix="podium-upgrade-") as temporary,
        upstream_running() as upstream,
        installed(commit, Path(temporary)) as podium,
    ):
        old = Old(podium, Path(temporary) / "home")
        old.start()
        facts = _told(old, upstream, name, commit)
        old.kill()
        _packed(old.home, facts, HOMES / f"{name}.tar.xz")
    sys.stdout.write(f"{name}: {[each['scene'] for each in facts['executions']]}\n")


def _told(old: Old, upstream: Upstream, name: str, commit: str) -> dict[str, Any]:
    """Have all of it under way; what the test needs to know of it."""
    gateway = old.put(GATEWAY)
    scheduled = old.put(SCHEDULE) is not None
    executions = [found for scene in SCENES if (found := _begun(old, upstream, scene))]
    ended = old.call("run", "echo", "--wait", "20", "--input", '{"say": "before"}')
    _until(lambda: all(_waits(old, each) for each in executions))
    _until(lambda: len(upstream.callbacks) == sum(e["scene"] == "called" for e in executions))
    if scheduled:
        # A run or two before the end.
        time.sleep(4)
    return {
        "name": name,
        "commit": commit,
        "upstream": upstream.url,
        "gatewayKey": _key(gateway),
        "scheduled": scheduled,
        "executions": executions,
        "ended": ended.stdout.split()[0] if ended.returncode == 0 else "",
        "callbacks": upstream.callbacks,
    }


def _begun(old: Old, upstream: Upstream, scene: Scene) -> dict[str, Any] | None:
    if old.put(scene.documents()) is None:
        return None
    given = json.dumps({"upstream": upstream.url, "given": scene.name})
    done = old.call("run", scene.name, "--input", given)
    if done.returncode:
        sys.stderr.write(f"left out: {done.stdout}{done.stderr}\n")
        return None
    return {"scene": scene.name, "id": done.stdout.split()[0]}


def _waits(old: Old, execution: dict[str, Any]) -> bool:
    """Whether it is where it is to be killed, by the database: each version's words differ."""
    (scene,) = (each for each in SCENES if each.name == execution["scene"])
    with sqlite3.connect(f"file:{old.home}/executor.db?mode=ro", uri=True) as db:
        found = db.execute(
            "SELECT 1 FROM tasks WHERE execution_id = ? AND ref = ? AND ended_at IS NULL",
            (execution["id"], scene.waits_at),
        ).fetchone()
    return found is not None


def _key(gateway: dict[str, Any] | None) -> str:
    results = gateway["results"] if gateway else []
    keys = [key["key"] for each in results for key in each.get("generatedKeys", ())]
    return str(keys[0]) if keys else ""


def _packed(home: Path, facts: dict[str, Any], target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    with tarfile.open(target, "w:xz", preset=9) as tar:
        text = json.dumps(facts, indent=2).encode()
        member = tarfile.TarInfo("facts.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
        for path in sorted(home.iterdir()):
            if path.suffix != ".lock" and not path.name.startswith(_LEFT_OUT):
                tar.add(path, f"home/{path.name}", filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")

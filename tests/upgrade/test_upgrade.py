"""A home of each version opens, is brought up to date, and what was running in it ends."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlite_utils import Database

from services.backups import checking, making
from services.backups.parts import PARTS, places
from services.backups.restoring import Order, restore
from services.versions import bring_up_to_date
from tests.system.running import Suite, post, until
from tests.upgrade.make import HOMES
from tests.upgrade.scenes import SCENES, Scene
from tests.upgrade.upstream import Upstream, upstream_running

# Starting a suite and bringing what it left to its end takes a few seconds each.
PATIENCE_SECONDS = 60
NAMES = sorted(path.name.removesuffix(".tar.xz") for path in HOMES.glob("*.tar.xz"))


class Opened:
    """A home of an earlier version, gone on with by this one."""

    def __init__(self, suite: Suite, facts: dict[str, Any]) -> None:
        self.suite, self.facts = suite, facts

    def scenes(self) -> Iterator[tuple[Scene, str]]:
        """What was under way, with the ids."""
        by_name = {scene.name: scene for scene in SCENES}
        for each in self.facts["executions"]:
            yield by_name[each["scene"]], each["id"]

    def statuses(self) -> dict[str, str]:
        listed = self.suite.podium("executions", "--limit", "1000", "--output", "json")
        assert listed.returncode == 0, listed.stderr
        return {each["workflowId"]: each["status"] for each in json.loads(listed.stdout)}


def unpacked(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The home, and what is to be known of it."""
    with tarfile.open(HOMES / f"{name}.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    with closing(sqlite3.connect(folder / "home" / "executor.db")) as db:
        runs = "SELECT count(*) FROM executions WHERE workflow = 'brief'"
        facts["scheduledRuns"] = db.execute(runs).fetchone()[0]
    return folder / "home", facts


def moved(home: Path, before: str, now: str) -> None:
    """The upstream has another address than it had."""
    with closing(sqlite3.connect(home / "executor.db")) as db, db:
        for table in ("executions", "tasks"):
            for column in ("input", "output", "memory"):
                names = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
                if column in names:
                    db.execute(
                        f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (before, now)
                    )


@contextmanager
def opened(name: str, folder: Path, upstream: Upstream) -> Iterator[Opened]:
    """This version's suite on a home of that version."""
    home, facts = unpacked(name, folder)
    moved(home, facts["upstream"], upstream.url)
    suite = Suite(home)
    line = suite.start()
    try:
        assert line.startswith("ready"), suite.log.read_text()
        yield Opened(suite, facts)
    finally:
        suite.stop()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", NAMES)
def test_what_was_running_in_an_earlier_version_ends(name: str, tmp_path: Path) -> None:
    with upstream_running() as upstream, opened(name, tmp_path, upstream) as home:
        suite, facts = home.suite, home.facts
        under_way = {id_: scene for scene, id_ in home.scenes()}
        assert under_way
        assert set(under_way) <= set(home.statuses())
        if facts["ended"]:
            assert home.statuses()[facts["ended"]] == "COMPLETED"
        upstream.status = "COMPLETED"
        for url in facts["callbacks"]:
            path = "/" + url.split("/", 3)[3]
            answer = httpx.post(f"{suite.gateway}{path}", json={"result": 1}, timeout=20)
            assert answer.is_success, answer.text
        token = _token(suite)
        for execution_id, scene in under_way.items():
            for ref in scene.complete:
                _complete(suite, token, execution_id, ref)
        for child in _children(suite):
            _complete(suite, token, child, "wait")
        until(
            lambda: {home.statuses()[each] for each in under_way} == {"COMPLETED"},
            PATIENCE_SECONDS,
            f"all have ended: {home.statuses()}",
        )
        _check_callable(suite, facts)
        if facts["scheduled"]:
            before = facts["scheduledRuns"]
            until(lambda: _runs(suite) > before, PATIENCE_SECONDS, "the schedule goes on")
        checked = suite.podium("check")
        assert checked.returncode == 0, checked.stdout


def _complete(suite: Suite, token: str, execution_id: str, ref: str) -> None:
    url = f"{suite.management}/api/tasks/{execution_id}/{ref}/COMPLETED"

    def done() -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(url, json={}, headers=headers, timeout=20).is_success

    until(done, PATIENCE_SECONDS, f"{ref} of {execution_id} is completed")


def _token(suite: Suite) -> str:
    """With the administrator's key, which was made before."""
    credentials = json.loads((suite.home / "credentials.json").read_text())
    return str(post(f"{suite.management}/api/token", json=credentials).json()["token"])


def _children(suite: Suite) -> list[str]:
    listed = suite.podium("executions", "wf:child status:running", "--output", "json")
    return [each["workflowId"] for each in json.loads(listed.stdout)]


def _check_callable(suite: Suite, facts: dict[str, Any]) -> None:
    """Keys that were handed out before open the routes that were put before."""
    answer = httpx.post(
        f"{suite.gateway}/shop/echo",
        json={"say": "after"},
        headers={"X-API-Key": facts["gatewayKey"]},
        timeout=20,
    )
    assert (answer.status_code, answer.json()) == (200, {"said": "after"})


def _runs(suite: Suite) -> int:
    """How many executions the schedule has started."""
    listed = suite.podium("executions", "wf:brief", "--limit", "1000", "--output", "json")
    return len(json.loads(listed.stdout))


@pytest.mark.parametrize("file", ["registry.db", "executor.db"])
def test_a_home_of_a_later_version_is_refused_and_left_as_it_is(file: str, tmp_path: Path) -> None:
    home, _ = unpacked(NAMES[-1], tmp_path)
    with closing(sqlite3.connect(home / file)) as db, db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            f"VALUES ('{file.removesuffix('.db')}', 'm999_later', '')"
        )
        db.execute("CREATE TABLE IF NOT EXISTS podium_versions (version TEXT, first_at TEXT)")
        db.execute("INSERT INTO podium_versions VALUES ('9.9.9', '2030')")
        before = list(db.iterdump())
    suite = Suite(home)

    assert suite.start() == ""
    assert suite.process is not None
    assert suite.process.wait(30) == 1
    suite.stop()
    said = suite.log.read_text()
    assert "was written by Podium 9.9.9 (it has 'm999_later'), and this is Podium" in said
    with closing(sqlite3.connect(home / file)) as db:
        assert list(db.iterdump()) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_backup_of_an_earlier_version_is_restored(name: str, tmp_path: Path) -> None:
    home, facts = unpacked(name, tmp_path)
    backup, new = tmp_path / "podium.backup", tmp_path / "new"
    found = places(home, {}, None)
    making.to_file(making.Wanted(found, with_keys=True, now=lambda: datetime.now(UTC)), backup)

    assert checking.backup(backup, None, thorough=True).findings == ()
    order = Order(backup, new, replace=False, resume=False, now=datetime.now(UTC))
    assert restore(order).under_way >= len(facts["executions"])
    for part in PARTS:
        with closing(Database(new / part.file)) as database:
            # As its service does when it starts.
            bring_up_to_date(new / part.file, database, part.migrations)
    with closing(sqlite3.connect(new / "executor.db")) as db:
        held = {row[0] for row in db.execute("SELECT execution_id FROM restored")}
    assert {each["id"] for each in facts["executions"]} <= held

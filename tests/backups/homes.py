"""Homes of suites that do not run, with something in their databases."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from services.executor.migrations import migrations as of_executor
from services.registry import audit, store, tokens
from services.registry.migrations import migrations as of_registry
from services.registry.store import Write
from services.sealing import sealer_of
from services.versions import bring_up_to_date

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
AT = 1_800_000_000_000_000
_EXECUTION = {
    "workflow": "order", "version": 1, "snapshot": "hash", "status": "RUNNING", "created_at": AT,
    "updated_at": AT, "ended_at": None, "reason": "", "correlation_id": "", "priority": 0,
    "parent_id": "", "parent_task_id": "", "restarts": 0, "next_sequence": 2, "failed_refs": "[]",
    "started_by": "", "input": "{}", "variables": "{}", "output": "{}", "fingerprint": b"",
    "answer": "", "request_id": "", "traceparent": "", "open": 1, "slot": b"", "depth": 0,
    "task_to_domain": "{}",
}  # fmt: skip
_TASK = {
    "sequence": 1, "id": "t", "ref": "w", "step": "w", "kind": "WAIT", "name": "w",
    "status": "IN_PROGRESS", "scheduled_at": AT, "updated_at": AT, "attempt": 0, "iteration": 0,
    "generation": 0, "reason": "", "poll_count": 0, "pending": 0, "callback_after": 0, "open": 0,
    "retried_id": "", "worker_id": "", "parent": "", "round": 0, "performs": 0, "timers": "[]",
    "held": 0, "queue": "",
}  # fmt: skip


def made(home: Path) -> Path:
    """A home with both databases, keys, two executions under way and one that has ended."""
    home.mkdir(mode=0o700, parents=True)
    for name in ("cluster.key", "secret.key", "admin.secret"):
        (home / name).write_text(secrets.token_urlsafe(32) + "\n")
    (home / "credentials.json").write_text(json.dumps({"keyId": "k", "keySecret": "s"}))
    (home / "ports.json").write_text("{}")
    _registry(home)
    _executor(home)
    return home


def _registry(home: Path) -> None:
    sealer = sealer_of(home / "secret.key")
    with closing(opened(home / "registry.db")) as db:
        bring_up_to_date(home / "registry.db", db, of_registry)
        with db.atomic():
            tokens.make(db, sealer, NOW)
            document = json.dumps({"name": "s", "value": sealer.seal("hunter2")})
            audit.write(db, NOW, audit.Entry("test", "create", "secret", "s", "made"))
            store.put(db, Write("secret", "s", 0, document), "test", NOW)


def _executor(home: Path) -> None:
    with closing(opened(home / "executor.db")) as db:
        bring_up_to_date(home / "executor.db", db, of_executor)
        with db.atomic():
            db.execute("INSERT INTO snapshots VALUES ('hash', '{}')")
            for id_ in ("a", "b", "c"):
                ended = {"status": "COMPLETED", "ended_at": AT} if id_ == "c" else {}
                db.table("executions").insert({"id": id_, **_EXECUTION, **ended})
                task = {"status": "COMPLETED", "ended_at": AT} if id_ == "c" else {}
                db.table("tasks").insert({"execution_id": id_, **_TASK, **task})
                for at in (1, 2):
                    db.execute(
                        "INSERT INTO changes (at, execution_id, workflow, state) "
                        "VALUES (?, ?, 'order', '{}')",
                        [AT + at, id_],
                    )
            db.execute("INSERT INTO timers VALUES ('a', 't', 'until', ?)", [AT])
            db.execute("INSERT INTO schedules VALUES ('nightly', 'etag', ?)", [AT])


def opened(path: Path) -> Database:
    """As a suite has it."""
    database = Database(path)
    database.enable_wal()
    return database


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 128 KiB: less than a home takes."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        missing = "a small file system cannot be mounted"
        if os.environ.get("PODIUM_TEST_ALL"):
            pytest.fail(missing)
        pytest.skip(f"needs root: {missing}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def rows(path: Path, text: str) -> list[tuple[object, ...]]:
    """What a statement finds."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(text).fetchall()


def run(path: Path, text: str) -> None:
    """Have a statement change something."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(text)

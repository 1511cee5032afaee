"""What lists, and what is left half-done at a start, is found by indexes: the plans are held."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from services.executor import (
    feed_rows,
    finding,
    fulltext,
    kinship,
    message_rows,
    queries,
    tasklist,
    turn_rows,
    upkeep,
)
from services.executor.eventing import kept_rows, rows, waits
from services.executor.migrations import migrations
from services.executor.ordering import executions_by, tasks_by
from services.executor.scheduling import rows as schedules
from services.query import parse
from services.query.executions import EXECUTIONS
from services.query.tasks import TASKS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
# Every row of a table that grows, in no order of an index.
_WHOLE = re.compile(
    r"SCAN (executions|tasks|timers|changes|webhooks|child|kin|e|crowds|event_\w+|schedule_runs"
    r"|task_logs|kept_outputs|idempotency_keys|begun_tasks)\b(?! USING)"
)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Generator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "x.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        migrations.apply(Database(db))
    fulltext.close(fulltext.opened(path, "epoch"))
    with closing(sqlite3.connect(path)) as db:
        finding.prepare(db)
        fulltext.attach(db, fulltext.beside(path))
        yield db


def plans(db: sqlite3.Connection, read: Callable[[sqlite3.Connection], Any]) -> str:
    """How the statements of ``read`` are done."""
    said: list[str] = []
    db.set_trace_callback(said.append)
    result = read(db)
    if hasattr(result, "__next__"):
        list(result)
    db.set_trace_callback(None)
    steps = [
        str(row[3])
        for each in said
        if each.lstrip().startswith(("SELECT", "WITH"))
        for row in db.execute(f"EXPLAIN QUERY PLAN {each}")
    ]
    return "\n".join(steps)


@pytest.mark.parametrize(
    ("query", "order_by", "index"),
    [
        ("", "", "executions_by_time"),
        ("newer:1h", "", "executions_by_time (created_at>?"),
        ("started > 2026-01-01 AND started < 2026-02-01", "", "executions_by_time (created_at>?"),
        ("status:failed", "", "executions_unwell"),
        ("status:failed,timed_out wf~a", "", "executions_unwell"),
        ("status:running", "", "executions_running"),
        ("wf:a", "", "executions_of_workflow (workflow=?"),
        ("wf:a newer:1h status:completed", "", "executions_of_workflow (workflow=? AND created_at"),
        ("wf:a*", "", "executions_of_workflow (workflow>? AND workflow<?)"),
        ("corr:a", "", "executions_correlated (correlation_id=?"),
        ("id:a", "", "sqlite_autoindex_executions_1 (id=?)"),
        ("parent:a", "", "executions_of_parent (parent_id=?"),
        ("text:a", "", "sqlite_autoindex_executions_1 (id=?)"),
        ("", "wf", "executions_of_workflow"),
        ("", "wf desc", "executions_of_workflow"),
    ],
)
def test_executions_are_found_by_an_index(
    db: sqlite3.Connection, query: str, order_by: str, index: str
) -> None:
    order = executions_by(order_by, {}, 0)
    place = tuple("a" if "workflow" in key or key == "id" else 1 for key in order.keys)
    for before in (None, place):
        read = partial(
            finding.found,
            query=parse(query, EXECUTIONS),
            now=NOW,
            before=before,
            limit=50,
            order=order,
        )
        plan = plans(db, read)

        assert index in plan, plan
        assert not _WHOLE.search(plan), plan
        if "*" not in query and "text" not in query and "id:" not in query:
            assert "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "executions_by_time"),
        ("kind:HTTP status:failed", "executions_by_time"),
        ("status:in_progress", "executions_running"),
        ("execution:a", "sqlite_autoindex_executions_1 (id=?)"),
        ("wf:a", "executions_of_workflow (workflow=?)"),
        ("corr:a", "executions_correlated (correlation_id=?)"),
        ("text:a", "sqlite_autoindex_executions_1 (id=?)"),
    ],
)
def test_tasks_are_found_by_an_index_of_executions(
    db: sqlite3.Connection, query: str, index: str
) -> None:
    read = partial(
        tasklist.found,
        query=parse(query, TASKS),
        now=NOW,
        before=None,
        limit=50,
        order=tasks_by("", {}, 0),
    )
    plan = plans(db, read)

    assert index in plan, plan
    assert "SEARCH tasks USING PRIMARY KEY (execution_id=?" in plan
    assert not _WHOLE.search(plan), plan


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (queries.counts, "COVERING INDEX executions_running"),
        (queries.open_of_workflows, "COVERING INDEX executions_running"),
        (queries.slots_held, "executions_in_slots"),
        (queries.interrupted, "tasks_pending"),
        (queries.not_begun, "executions_not_begun"),
        (feed_rows.revisions, "changes"),
        (kinship.unheard, "executions_children"),
        (kinship.unheard, "tasks_waiting_for_children"),
        (partial(queries.timers, until=1, limit=10), "timers_by_time"),
        (partial(queries.webhooks_due, until=1, limit=10, passed_over="[]"), "webhooks_due"),
        (partial(queries.ended_before, at=1, after=(0, 0), limit=10), "executions_ended"),
        (queries.unused_snapshots, "executions_of_snapshot (snapshot=?)"),
        (partial(feed_rows.changes, after=0, until=9, limit=5), "INTEGER PRIMARY KEY"),
    ],
)
def test_what_is_left_to_do_is_found_by_an_index(
    db: sqlite3.Connection, read: Callable[[sqlite3.Connection], Any], index: str
) -> None:
    plan = plans(db, read)

    assert index in plan, plan
    assert not _WHOLE.search(plan), plan


KEYED = "crowds_by_key (key=?)"


LATEST = partial(rows.listed, before=9, limit=9)


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (partial(queries.crowd_runners, keys=[b"k"], most=3), KEYED),
        (partial(queries.slot_holders, keys=[b"k"], most=3), "executions_in_slots"),
        (partial(queries.kept_output, key=b"k", at=1), "sqlite_autoindex_kept_outputs_1"),
        (turn_rows.in_queues, "tasks_in_queues"),
        (
            partial(turn_rows.task_logs, execution_id="e", task_id="t"),
            "execution_id=? AND task_id=?",
        ),
        (partial(rows.waiting, after=0, limit=10), "event_messages_waiting"),
        (partial(rows.runs_of, message_id="m"), "sqlite_autoindex_event_runs_1 (message_id=?)"),
        (partial(rows.listed, handlers=None, event="", before=9, limit=9), "PRIMARY KEY (rowid<?)"),
        (
            partial(rows.listed, handlers={"h"}, event="", before=9, limit=9),
            "event_runs_of_handler",
        ),
        (partial(rows.listed, handlers=None, event="e", before=9, limit=9), "event_runs_of_event"),
        (kept_rows.kept, "event_messages_kept"),
        (kept_rows.given, "event_runs_given"),
        (partial(kept_rows.message, seq=1), "INTEGER PRIMARY KEY (rowid=?)"),
        (partial(message_rows.is_known, id_="m"), "sqlite_autoindex_event_messages_1 (id=?)"),
        (partial(schedules.runs, name="s", before=9, limit=9), "(schedule=? AND at<?)"),
        (partial(schedules.last_runs, names=["s"]), "(schedule=? AND at<?)"),
        (partial(schedules.going_on, name="s"), "(schedule=?"),
        (partial(waits.path_sets, webhook="w"), "tasks_waiting_for_webhooks"),
        (partial(waits.matching, webhook="w", payload={}), "tasks_waiting_for_webhooks"),
    ],
)
def test_what_workers_events_and_schedules_ask_for_is_found_by_an_index(
    db: sqlite3.Connection, read: Callable[[sqlite3.Connection], Any], index: str
) -> None:
    plan = plans(db, read)

    assert index in plan, plan
    assert not _WHOLE.search(plan), plan


@pytest.mark.parametrize("text", ["input.a:b", "output.a>3"])
def test_what_snapshots_mask_is_looked_up_by_their_hash(db: sqlite3.Connection, text: str) -> None:
    read = partial(
        finding.found,
        query=parse(text, EXECUTIONS),
        now=NOW,
        before=None,
        limit=50,
        order=executions_by("", {}, 0),
    )
    plan = plans(db, read)

    assert "snapshots_that_mask (hash=?" in plan, plan
    assert not _WHOLE.search(plan), plan


def test_the_index_of_words_looks_masks_up_by_their_hash(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as store:
        db.backup(store)
    with closing(fulltext.opened(tmp_path / "x.db", "epoch")) as words:
        for each in fulltext._DUE:
            steps = words.execute(f"EXPLAIN QUERY PLAN {each}", ("[]",))
            plan = "\n".join(str(row[3]) for row in steps)

            assert "snapshots_that_mask (hash=?" in plan, plan
            assert not _WHOLE.search(plan), plan


@pytest.mark.parametrize(
    ("chore", "index"),
    [
        (partial(upkeep._forget_outputs, 1, []), "kept_outputs_by_until (until<?)"),
        (partial(upkeep._forget_events, 1, []), "event_messages_done"),
        (partial(upkeep._forget_keys, 1, []), "idempotency_keys_to_look_at (look_at<?)"),
        (partial(upkeep._drop_changes, 1), "INTEGER PRIMARY KEY (rowid<?)"),
        (partial(upkeep._drop_executions, [("e", 1)], [], []), "executions_1 (id=?)"),
    ],
)
def test_what_goes_is_found_by_an_index(
    db: sqlite3.Connection, chore: Callable[[sqlite3.Connection], Any], index: str
) -> None:
    said: list[str] = []
    db.set_trace_callback(said.append)
    chore(db)
    db.set_trace_callback(None)
    db.rollback()
    steps = "\n".join(
        str(row[3])
        for each in said
        if each.startswith(("SELECT", "DELETE"))
        for row in db.execute(f"EXPLAIN QUERY PLAN {each}")
    )

    assert index in steps, steps
    assert not _WHOLE.search(steps), steps

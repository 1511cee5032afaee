"""Queries as SQL: what the database finds is what the matcher finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing

import pytest
from hypothesis import example, given, settings, strategies as st
from sqlite_utils import Database

from services.executor import finding
from services.executor.conditions import condition, reads_documents
from services.executor.documents import text_of
from services.executor.migrations import migrations
from services.executor.rows import EXECUTION_COLUMNS
from services.query import Query, format_query, matcher, parse
from services.query.executions import EXECUTIONS
from services.query.parsing import MOST_NESTED
from tests.query.records import GETTERS, RECORDS, Record
from tests.query.trees import NOW, TREES

_DEFAULTS = {
    "snapshot": "h", "last_retried_at": None, "parent_task_id": "",
    "restarts": 0, "next_sequence": 1, "open": 0, "variables": "{}",
    "fingerprint": b"", "answer": "", "request_id": "", "traceparent": "", "slot": b"",
    "depth": 0, "task_to_domain": "{}", "tracestate": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Generator[sqlite3.Connection]:
    database = Database(memory=True)
    migrations.apply(database)
    with closing(database.conn) as connection:
        assert connection is not None
        finding.prepare(connection)
        yield connection


def store(db: sqlite3.Connection, records: list[Record]) -> None:
    db.execute("DELETE FROM executions")
    for record in records:
        row = {
            **_DEFAULTS,
            **{name: getattr(record, name) for name in Record.__dataclass_fields__},
            "failed_refs": text_of(record.failed_refs),
            "input": text_of(record.input),
            "output": text_of(record.output),
        }
        marks = ", ".join("?" * len(EXECUTION_COLUMNS))
        db.execute(
            f"INSERT INTO executions ({', '.join(EXECUTION_COLUMNS)}) VALUES ({marks})",
            [row[name] for name in EXECUTION_COLUMNS],
        )


def tree(written: str) -> Query:
    return parse(written, EXECUTIONS)


@settings(max_examples=300, deadline=None)
@given(TREES, st.lists(RECORDS, max_size=5, unique_by=lambda each: each.id))
@example(tree('wf:"[a*"'), [])
@example(tree("wf:\U0010ffff* id:\ud7ff*"), [])
def test_the_database_finds_what_the_matcher_does(
    db: sqlite3.Connection, query: Query, records: list[Record]
) -> None:
    store(db, records)
    sql, values = condition(query, NOW)
    test = matcher(query, EXECUTIONS, GETTERS, NOW)

    found = {row[0] for row in finding.found(db, query, NOW, None, 10)}
    negated = db.execute(f"SELECT count(*) FROM executions WHERE NOT ({sql})", values).fetchone()

    assert found == {each.id for each in records if test(each)}, format_query(query)
    assert negated == (len(records) - len(found),)


LEAVES = [
    "word*s",
    "input.a=1,true,b*",
    "input.a~x*y,z",
    "corr:a*,b,*c",
    "status:failed",
    "!wf~a,b",
]


@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("other", LEAVES)
def test_the_database_reads_what_is_as_deep_as_may_be(
    db: sqlite3.Connection, leaf: str, other: str
) -> None:
    store(db, [])
    written = leaf
    for _ in range(MOST_NESTED):
        written = f"{other} OR {other} {other} !({written})"
    query, before = tree(written), (1, "e")

    assert finding.found(db, query, NOW, before, 1) == []
    assert finding.running(db, query, NOW, before, 1) == []
    assert finding.matching(db, query, NOW, ["e", "f"]) == set()
    assert finding.oldest(db, query, NOW, ["RUNNING", "PAUSED"], 1) == []
    assert finding.counts_of(db, query, NOW) == {}


@pytest.mark.parametrize(
    ("written", "index"),
    [
        ("status:failed", "executions_unwell"),
        ("status:failed,terminated older:10m", "executions_unwell"),
        ("status:running", "executions_running"),
        ("older:10m", "executions_by_time"),
        ("wf:order*", "executions_of_workflow"),
        ("wf:order status:completed", "executions_of_workflow"),
        ("corr:c-1", "executions_correlated"),
        ("corr:c-*", "executions_correlated"),
        ("id:9f2c*", "sqlite_autoindex_executions_1"),
        ("id:9f2c OR corr:c-1", "executions_correlated"),
        ("", "executions_by_time"),
    ],
)
@pytest.mark.parametrize("place", ["", "AND (created_at, id) < (5, 'x') "])
def test_what_is_often_asked_for_has_its_index(
    db: sqlite3.Connection, written: str, index: str, place: str
) -> None:
    sql, values = condition(tree(written), NOW)
    plan = db.execute(
        f"EXPLAIN QUERY PLAN SELECT id, reason FROM executions WHERE {sql} {place}"
        "ORDER BY created_at DESC, id DESC LIMIT 50",
        values,
    ).fetchall()

    assert any(f"INDEX {index} " in f"{row[3]} " for row in plan), plan


@pytest.mark.parametrize(
    ("written", "expected"),
    [("wf:a b", False), ("wf:a OR !(v:1 input.x=1)", True), ("", False)],
)
def test_who_looks_into_documents_is_known(written: str, expected: bool) -> None:
    assert reads_documents(tree(written)) is expected

"""A query among what may be seen finds what it would find of all, and of that what may be seen."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from services.access import EVERY, Sight
from services.executor import finding, totals
from services.executor.conditions import EXECUTION_TABLE, condition
from services.executor.seeing import in_sight
from services.query import EVERYTHING, NOTHING, Query, format_query, matcher, parse
from services.query.executions import EXECUTIONS
from services.query.tasks import TASKS
from tests.executor.test_conditions import db, store
from tests.query.records import GETTERS, RECORDS, Record
from tests.query.trees import NOW, TEXTS, TREES

__all__ = ["db"]


def tree(written: str) -> Query:
    return parse(written, EXECUTIONS)


def told(query: Query) -> str:
    return format_query(query)


def seeing(*names: str) -> Sight:
    return Sight(frozenset(names))


@given(TREES, st.lists(RECORDS, max_size=4), st.frozensets(TEXTS, max_size=3), st.data())
@settings(max_examples=200)
def test_what_is_found_is_what_all_would_give_and_may_be_seen(
    query: Query, records: list[Record], names: frozenset[str], data: st.DataObject
) -> None:
    some = data.draw(st.frozensets(st.sampled_from([each.workflow for each in records] or ["-"])))
    sight = Sight(names | some)
    is_seen = matcher(in_sight(query, sight), EXECUTIONS, GETTERS, NOW)
    is_found = matcher(query, EXECUTIONS, GETTERS, NOW)

    for record in records:
        assert is_seen(record) == (is_found(record) and record.workflow in sight)


@pytest.mark.parametrize("many", [0, 5000])
@given(query=TREES, records=st.lists(RECORDS, max_size=4, unique_by=lambda each: each.id))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_database_finds_the_same_whichever_way_it_takes(
    db: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    many: int,
    query: Query,
    records: list[Record],
) -> None:
    monkeypatch.setattr(finding, "CROWD", many)
    monkeypatch.setattr(finding, "MANY", many)
    store(db, records)
    sight = Sight(frozenset(each.workflow for each in records[::2]))
    seen = in_sight(query, sight)
    rows = finding.found(db, seen, NOW, None, 100)
    is_found = matcher(query, EXECUTIONS, GETTERS, NOW)

    assert {row[0] for row in rows} == {
        each.id for each in records if is_found(each) and each.workflow in sight
    }
    assert sum(finding.counts_of(db, seen, NOW).values()) == len(rows)
    assert totals.counted(db, seen, NOW, EXECUTION_TABLE) == (len(rows), False)


@pytest.mark.parametrize(
    ("asked", "many", "index"),
    [
        ("", 0, "executions_of_workflow (workflow=?)"),
        ("status:running", 0, "executions_running"),
        ("status:failed", 0, "executions_unwell"),
        ("status:running", 5000, "executions_of_workflow (workflow=?)"),
    ],
)
def test_what_many_names_have_is_found_by_an_index(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, asked: str, many: int, index: str
) -> None:
    monkeypatch.setattr(finding, "CROWD", many)
    db.execute("DELETE FROM executions")
    store(db, [a_record(name) for name in ("order", "pay")])
    query = in_sight(tree(asked) if asked else EVERYTHING, seeing("order", "pay"))
    said: list[str] = []
    db.set_trace_callback(said.append)
    finding.found(db, query, NOW, None, 10)
    db.set_trace_callback(None)
    plans = db.execute(f"EXPLAIN QUERY PLAN {said[-1]}").fetchall()

    assert index in plans[0][3]


def a_record(workflow: str) -> Record:
    return Record(workflow, workflow, 1, "RUNNING", 1, 1, None, "", "", "", "", 0, [], {}, {})


def test_what_it_asks_of_the_workflow_is_answered_before() -> None:
    sight = seeing("order", "order2", "pay")

    assert told(in_sight(EVERYTHING, sight)) == "wf:order,order2,pay"
    assert told(in_sight(tree("wf:order* status:failed"), sight)) == "wf:order,order2 status:failed"
    assert told(in_sight(tree("wf:pay"), sight)) == "wf:pay"
    assert in_sight(tree("wf:secret status:failed"), sight) == NOTHING
    assert in_sight(EVERYTHING, seeing()) == NOTHING
    assert in_sight(parse("kind:HTTP", TASKS), seeing()) == NOTHING


def test_who_sees_all_asks_what_he_asks() -> None:
    query = tree("wf:order* or status:failed")

    assert in_sight(query, EVERY) is query


def test_of_many_names_one_value_is_bound() -> None:
    many = Sight(frozenset(f"w{number}" for number in range(40_000)))
    sql, values = condition(in_sight(EVERYTHING, many), NOW)

    assert "json_each" in sql
    assert len(values) == 1


def test_of_many_names_those_are_found(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM executions")
    many = Sight(frozenset(f"w{number}" for number in range(40_000)))

    assert finding.found(db, in_sight(EVERYTHING, many), NOW, None, 10) == []
    assert finding.counts_of(db, in_sight(EVERYTHING, many), NOW) == {}

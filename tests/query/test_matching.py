"""Records matched by trees, and trees split for those who have only some of the fields."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from services.query import (
    EVERYTHING,
    Query,
    QueryFault,
    Term,
    format_query,
    leaves,
    local_part,
    matcher,
    micros,
    moves,
    parse,
)
from services.query.executions import EXECUTIONS
from tests.query.records import GETTERS, RECORDS, Record
from tests.query.trees import NOW, TREES

STARTED = micros(NOW - timedelta(minutes=10))
RECORD = Record(
    id="9f2c",
    workflow="order_flow",
    version=3,
    status="TIMED_OUT",
    created_at=STARTED,
    updated_at=STARTED + 1,
    ended_at=STARTED + 2_500_000,
    reason="charge: the upstream answered 502",
    correlation_id="",
    parent_id="",
    started_by="key:shop/first",
    priority=3,
    failed_refs=["charge", "ship"],
    input={"order": {"id": 7, "code": "7", "paid": True, "note": None, "big": 10**25}},
    output={"items": [{"sku": "A-1", "price": 19.99}], "at": "2026-01-31"},
)


def matches(written: str) -> bool:
    return matcher(parse(written, EXECUTIONS), EXECUTIONS, GETTERS, NOW)(RECORD)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "failed:charge",
        "failed:s*,nobody",
        "failed~HIP",
        "priority>2",
        "status:timed_out",
        "status:failed,timed-out",
        "wf:order*",
        "wf:*_fl*w",
        "v:3",
        "v:1,3",
        "v>=3 v<4",
        "older:9m",
        "newer:11m",
        "older:2026-03-01T12:00",
        "started<=2026-03-01T11:50:00",
        "dur>2s dur<2600ms dur>=2500ms",
        "reason~CHARGE",
        "reason~up*502",
        "ANSWERED",
        "!corr:*",
        'corr:""',
        "input.order.id=7",
        "input.order.id<7.5",
        'input.order.code="7"',
        "input.order.code=7",
        "input.order.paid=true",
        "input.order.note=null",
        "input.order.note:*",
        "input.order.big=10000000000000000000000000",
        "output.items[0].sku:A-*",
        "output.items[0].sku~a-",
        "output.items[0].price=19.99",
        "output.at>=2026-01-01",
        "input.nothing!=1",
        "!input.nothing:*",
        "status:failed OR (order v:3)",
    ],
)
def test_what_matches(written: str) -> None:
    assert matches(written)
    assert not matches(f"!({written or '*'})")


@pytest.mark.parametrize(
    "written",
    [
        "failed:charge,ship2 failed:none",
        "!failed:*",
        "priority:1,2",
        "status:failed",
        "wf:Order*",
        "wf:order",
        "older:10m",
        "newer:10m",
        "dur>2500ms",
        "reason:charge",
        "order.flow",
        "corr:*",
        'input.order.id="7"',
        "input.order.id=7*",
        "input.order.paid=1",
        'input.order.paid="true"',
        "input.order.code<8",
        "input.order.nothing=null",
        "output.items[1].sku:*",
        "output.items.sku:*",
        "output.items[0]=A-1",
        "input.order.id~7",
    ],
)
def test_what_does_not_match(written: str) -> None:
    assert not matches(written)
    assert matches(f"!({written})")


def test_what_has_not_ended_is_neither_before_nor_after() -> None:
    test = matcher(
        parse("ended>2000-01-01 OR ended<2000-01-01", EXECUTIONS),
        EXECUTIONS,
        {"ended": lambda _: None},
        NOW,
    )

    assert not test(None)


def test_a_field_without_a_getter_is_known_before_the_first_record() -> None:
    with pytest.raises(KeyError):
        matcher(parse("wf:a", EXECUTIONS), EXECUTIONS, {}, NOW)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("wf:a older:10m", True),
        ("!newer:1h", True),
        ("dur>1m", True),
        ("older:2026-01-01", False),
        ("wf:a started>2026-01-01", False),
        ("", False),
    ],
)
def test_what_changes_with_time_is_known(written: str, expected: bool) -> None:
    assert moves(parse(written, EXECUTIONS), EXECUTIONS) is expected


@pytest.mark.parametrize(
    ("written", "local", "server"),
    [
        ("wf:a input.x=1", "wf:a", ["input.x=1"]),
        ("wf:a OR input.x=1", "", ["input.x=1"]),
        ("wf:a !(v:1 input.x=1)", "wf:a", ["input.x=1"]),
        ("wf:a !(v:1 OR input.x=1)", "wf:a v!=1", ["input.x=1"]),
        ("wf:a (older:1m OR b)", "wf:a (older:1m OR b)", []),
    ],
)
def test_a_query_is_split(written: str, local: str, server: list[str]) -> None:
    parts = local_part(parse(written, EXECUTIONS), {"wf", "v", "older"})

    assert format_query(parts.local) == local
    assert [format_query(each) for each in parts.server] == server


@given(TREES, RECORDS)
def test_the_local_part_lets_everything_pass_that_the_query_does(tree: Query, record: Any) -> None:
    fields = {"status", "wf", "v", "older", "started", "dur"}
    parts = local_part(tree, fields)
    rest = [each for each in leaves(parts.local) if isinstance(each, Term)]

    assert all(each.name in fields for each in rest)
    if not parts.server:
        assert parts.local == tree
    if parts.local != EVERYTHING and matcher(tree, EXECUTIONS, GETTERS, NOW)(record):
        assert matcher(parts.local, EXECUTIONS, GETTERS, NOW)(record)


@given(TREES, RECORDS)
def test_what_does_not_match_matches_the_negation(tree: Query, record: Any) -> None:
    negation = parse(f"!({format_query(tree)})", EXECUTIONS)
    test, other = (matcher(each, EXECUTIONS, GETTERS, NOW) for each in (tree, negation))

    assert test(record) is not other(record)


def test_an_ended_fault_is_a_value_error() -> None:
    assert issubclass(QueryFault, ValueError)
    assert next(itertools.islice(leaves(EVERYTHING), 1), None) is None

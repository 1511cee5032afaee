"""Text into trees and back."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, strategies as st

from services.query import (
    EVERYTHING,
    And,
    Field,
    Kind,
    Not,
    Or,
    Pattern,
    Query,
    QueryFault,
    Term,
    Vocabulary,
    Words,
    format_query,
    parse,
    says_nothing,
)
from services.query.executions import EXECUTIONS
from tests.query.trees import TREES


def text(*parts: str) -> Pattern:
    return Pattern(parts)


FAILED = Term("status", "=", ("FAILED",))
ORDERS = Term("wf", "=", (text("order", ""),))


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("", EVERYTHING),
        ("  \n", EVERYTHING),
        ("status:failed", FAILED),
        ("status:failed wf:order*", And((FAILED, ORDERS))),
        ("status = FAILED AND workflowType = order*", And((FAILED, ORDERS))),
        ("status:failed,timed-out", Term("status", "=", ("FAILED", "TIMED_OUT"))),
        ("status IN (FAILED, TIMED_OUT)", Term("status", "=", ("FAILED", "TIMED_OUT"))),
        ("status:t*", Term("status", "=", ("TIMED_OUT", "TERMINATED"))),
        ("status NOT IN (FAILED)", Not(FAILED)),
        ("status!=failed", Not(FAILED)),
        ("!status:failed", Not(FAILED)),
        ("NOT NOT status:failed", FAILED),
        ("status:failed or wf:order*", Or((FAILED, ORDERS))),
        ("(status:failed OR (wf:order* OR a))", Or((FAILED, ORDERS, Words(text("a"))))),
        ("a b OR c", Or((And((Words(text("a")), Words(text("b")))), Words(text("c"))))),
        ("a (b OR c)", And((Words(text("a")), Or((Words(text("b")), Words(text("c"))))))),
        ('"two words" \'it"s\'', And((Words(text("two words")), Words(text('it"s'))))),
        (r"2\*3", Words(text("2*3"))),
        ('"OR"', Words(text("OR"))),
        ("within (a)", And((Words(text("within")), Words(text("a"))))),
        ('workflowType = "two words"', Term("wf", "=", (text("two words"),))),
        ("reason~time*out", Term("reason", "~", (text("time", "out"),))),
        ("older:10m", Term("older", "=", (timedelta(minutes=10),))),
        ("older:1767225600000", Term("older", "=", (datetime(2026, 1, 1, tzinfo=UTC),))),
        ("after:2026-01-31", Term("newer", "=", (datetime(2026, 1, 31, tzinfo=UTC),))),
        ("startTime > 1767225600000", Term("started", ">", (datetime(2026, 1, 1, tzinfo=UTC),))),
        (
            "endTime <= 2026-01-01T00:00+02:00",
            Term("ended", "<=", (datetime(2025, 12, 31, 22, tzinfo=UTC),)),
        ),
        ("dur>1h30m", Term("dur", ">", (timedelta(minutes=90),))),
        ("executionTime >= 1500", Term("dur", ">=", (timedelta(seconds=1.5),))),
        ("version = 3", Term("v", "=", (3,))),
        ("input.a.b=1", Term("input", "=", (Pattern(("1",), loose=True),), ("a", "b"))),
        ('input.a="1"', Term("input", "=", (text("1"),), ("a",))),
        ("output.items[0].sku~x", Term("output", "~", (text("x"),), ("items", 0, "sku"))),
        ('input."a b"[1]:*', Term("input", "=", (text("", ""),), ("a b", 1))),
        ("corr:a:b", Term("corr", "=", (text("a:b"),))),
        ('corr:""', Term("corr", "=", (text(""),))),
    ],
)
def test_a_query_is_read(written: str, tree: Query) -> None:
    assert parse(written, EXECUTIONS) == tree


@pytest.mark.parametrize(
    ("written", "says", "at"),
    [
        ("status:fialed", "There is no status 'fialed'; did you mean failed?", "fialed"),
        ("a statu:failed", "There is no field 'statu'; did you mean status?", "statu"),
        ("queue:x", "Queues cannot be asked for", "queue"),
        ("taskType:x", "Tasks are asked for by themselves", "taskType"),
        ("tag:x", "Tags cannot be asked for yet", "tag"),
        ("input=1", "Say which value of the input", "input"),
        ("input.items[*].a=1", "begins with no field", "input.items[*].a=1"),
        ("=1", "begins with no field", "=1"),
        ("wf.a=1", "wf has nothing in it", "wf.a"),
        ("wf: AND", "", ""),
        ("wf:", "wf needs a value", "wf:"),
        ("wf:a,,b", "A value is missing here", ","),
        ("a, b", "Values are between commas", ","),
        ("(a", "is never closed", "("),
        ("wf:(a, b", "is never closed", "("),
        ("a )", "closes none", ")"),
        ("()", "A term is missing here", ")"),
        ('"abc', "The quote is never closed", '"abc'),
        ("a OR", "A term is missing at the end", ""),
        ("a AND OR b", "A term is missing before OR", "OR"),
        ("older:yesterday", "'yesterday': write a number and its unit", "yesterday"),
        ("older:10", "'10': write a number and its unit", "10"),
        ("newer:20260131", "or a time like 2026-01-31", "20260131"),
        ("dur>30", "'30': write a number and its unit", "30"),
        ("dur>900w900w900w900w900w900w", "more than a hundred years", "900w900w900w900w900w900w"),
        ("after:2026-99-99", "a time like", "2026-99-99"),
        ("started>0001-01-01T00:00+14:00", "write a time", "0001-01-01T00:00+14:00"),
        ("started>99999999999999999999999", "write a time", "99999999999999999999999"),
        ("started:2026-01-01", "is compared by < <= > >=", ":"),
        ("wf>a", "wf is compared by : = != ~", ">"),
        ("v:x", "v is a number", "x"),
        ("v>1,2", "one value, not 2", "2"),
        ("reason:f(x)", "in quotes", "f("),
        ("input.a>b*", "no order", "b*"),
        ("wf:" + "*a" * 11, "10 '*' at most", "*a" * 11),
    ],
)
def test_what_is_no_query_is_told_with_its_place(written: str, says: str, at: str) -> None:
    if not says:
        assert parse(written, EXECUTIONS) == Term("wf", "=", (text("AND"),))
        return
    with pytest.raises(QueryFault) as caught:
        parse(written, EXECUTIONS)

    assert says in str(caught.value)
    assert written[caught.value.start : caught.value.end] == at


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("a" * 4001, "4000 characters"),
        ("a " * 101, "100 terms"),
        ("(" * 11 + "a" + ")" * 11, "10 deep"),
        ("(" * 4000, "10 deep"),
        (" OR ".join(["id:" + "a," * 9 + "a"] * 51), "500 values"),
        ("wf:" + "*a" * 1000, "'*' at most"),
    ],
)
def test_too_much_of_a_query_is_refused(written: str, says: str) -> None:
    with pytest.raises(QueryFault, match=says.replace("*", r"\*")):
        parse(written, EXECUTIONS)


@pytest.mark.parametrize(
    "written", ["!" * 4000, "a." * 2000, " " * 3999 + "!", "((((" * 1000, "a " * 2000, "\\" * 4000]
)
def test_hostile_text_costs_little(written: str) -> None:
    before = time.process_time()
    with suppress(QueryFault):
        parse(written, EXECUTIONS)

    # A way to read it twice would take minutes.
    assert time.process_time() - before < 2


@given(TREES)
def test_the_canonical_text_is_read_as_the_same_tree(tree: Query) -> None:
    assert parse(format_query(tree), EXECUTIONS) == tree


# fmt: off
PIECES = st.sampled_from([
    "status", "wf", "input.a", "failed", "10m", "1", "x", "[0]", ".", "OR", "AND", "NOT", "IN",
    ":", "=", "!", "~", ">", "(", ")", ",", '"', "'", "*", "\\",
])
# fmt: on


def read(written: str) -> Query | QueryFault:
    try:
        return parse(written, EXECUTIONS)
    except QueryFault as fault:
        return fault


@given(st.text() | st.lists(PIECES | st.just(" "), max_size=15).map("".join))
@example("\\")
@example('input."')
def test_any_text_is_read_or_refused_with_a_place_in_it(written: str) -> None:
    result = read(written)

    if isinstance(result, QueryFault):
        assert 0 <= result.start <= result.end <= len(written)
        assert str(result)
    else:
        assert read(format_query(result)) == result


def test_a_vocabulary_names_its_own_fields() -> None:
    routes = Vocabulary(
        (Field("method", Kind.ENUM, values=("GET", "POST")), Field("public", Kind.ENUM)), ("path",)
    )

    assert parse("METHOD:get", routes) == Term("method", "=", ("GET",))
    with pytest.raises(QueryFault, match="no field 'status'"):
        parse("status:failed", routes)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", True),
        (" \t\n", True),
        ('""', True),
        ('"" reason~""', True),
        ('status:running OR wf~"",order', True),
        ('"" status:running', False),
        ("*", False),
        ("id:*", False),
        ('!""', False),
        ('wf:""', False),
        ('input.a~""', False),
    ],
)
def test_a_query_that_leaves_nothing_out_is_known(written: str, expected: bool) -> None:
    assert says_nothing(parse(written, EXECUTIONS)) is expected

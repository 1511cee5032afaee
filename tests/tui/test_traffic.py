"""What the gateway has answered, as charts."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from podium.edge.v1 import edge_pb2 as pb
from tui.views.traffic import Minute, Scope, charts, errors_of, minute_of, scope_of
from tui.views.words import text_of, words_of

NOON = 1_769_860_800
NOW = NOON + 30.0
HOUR = timedelta(hours=1)


def minute(at: int, requests: int = 60, **fields: Any) -> Minute:
    told = Minute(str(at), requests, (), 1.0, 2.0, 3.0, None, 0, 0)
    return told._replace(**fields)


def by_id(*minutes: Minute) -> dict[str, Minute]:
    return {each.id: each for each in minutes}


def test_a_chart_has_a_step_for_each_minute_and_none_where_nothing_was_answered() -> None:
    shown = charts(by_id(minute(NOON - 60)), NOW, timedelta(minutes=5), UTC)

    assert shown["requests"].series[0].values == [0, 0, 0, 1.0, 0]
    assert shown["latency"].series[1].values == [None, None, None, 2.0, None]
    assert shown["requests"].start.timestamp() == NOON - 4 * 60


def test_the_minute_that_goes_on_counts_by_what_has_passed_of_it() -> None:
    shown = charts(by_id(minute(NOON, 60)), NOW, HOUR, UTC)

    assert shown["requests"].series[0].values[-1] == 2.0


def test_a_minute_that_has_just_begun_shows_no_peak() -> None:
    shown = charts(by_id(minute(NOON, 10)), NOON + 0.4, HOUR, UTC)

    assert shown["requests"].series[0].values[-1] == 2.0


def test_success_is_a_percentage_where_executions_ended() -> None:
    shown = charts(by_id(minute(NOON, success=0.25)), NOW, timedelta(minutes=2), UTC)

    assert shown["success"].series[0].values == [None, 25.0]


def test_rare_errors_are_told_together() -> None:
    codes = tuple((str(code), 100 - code % 100) for code in range(400, 409))
    shown = charts(by_id(minute(NOON - 60, errors=codes)), NOW, HOUR, UTC)

    names = [each.name for each in shown["errors"].series]
    assert names == ["400", "401", "402", "403", "404", "other"]
    rest = shown["errors"].series[-1].values[-2]
    assert rest is not None
    assert rest * 60 == pytest.approx(95 + 94 + 93 + 92)


def test_an_error_is_counted_by_its_status() -> None:
    metrics = pb.GatewayMetrics(
        answers=[
            pb.AnswerCount(status=200, count=9),
            pb.AnswerCount(status=429, problem="quota-exceeded", count=1),
            pb.AnswerCount(status=429, problem="too-many-executions", count=2),
            pb.AnswerCount(status=502, count=5),
        ]
    )

    assert errors_of(metrics) == (("502", 5), ("429", 3))


def test_a_minute_without_executions_tells_no_success() -> None:
    row = pb.GatewayMetricsRow(metrics=pb.GatewayMetrics(requests=3))
    row.minute.seconds = NOON

    assert minute_of(row).success is None
    assert minute_of(row).at == NOON


texts = st.none() | st.text(max_size=12)


@given(st.builds(Scope, texts, texts, texts, texts))
def test_a_scope_survives_its_text(scope: Scope) -> None:
    assert scope_of(scope.text) == scope
    assert str(scope)


def test_the_query_of_a_scope_leaves_out_what_it_does_not_ask_for() -> None:
    query = Scope("", "GET").query(pb.GATEWAY_METRICS_GROUPING_MINUTE)

    assert query.HasField("service_id")
    assert not query.HasField("principal")
    assert query.group_by == pb.GATEWAY_METRICS_GROUPING_MINUTE


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text(max_size=10)))
def test_words_survive_their_text(words: dict[str, str]) -> None:
    assert words_of(text_of(words)) == words


def test_what_is_no_word_is_left_out() -> None:
    assert words_of('by:key free service:"a b"') == {"by": "key", "service": "a b"}
    assert words_of('by:"key') == {}

"""Filters of resources: one grammar, whatever the noun."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from services.query import QueryFault, parse
from services.query.tasks import TASKS
from tui.live.sources import Source
from tui.resources import RESOURCES, executions, task_runs
from tui.resources.execution_row import Execution
from tui.resources.filtering import Filter, filter_of, values_in, vocabulary_of
from tui.resources.model import Resource

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROW = Execution(
    "9f2c", "order_flow", 3, "FAILED", NOW.timestamp() - 60, NOW.timestamp(), NOW.timestamp(),
    "boom", "corr-1", "ada", (), (),
)  # fmt: skip


class Thing(NamedTuple):
    id: str
    enabled: bool


THINGS: Resource[Thing] = Resource(
    "things", (), "Things", "", fields={"Enabled": lambda row: row.enabled},
    text=lambda row: f"{row.id} in words",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", True),
        ("status:failed wf:order*", True),
        ("!status:failed", False),
        ("older:30s", True),
        ("older:2m", False),
        ("dur>59s", True),
        ("boom", True),
        ("workflowType = order_flow AND status IN (FAILED, PAUSED)", True),
    ],
)
def test_executions_are_filtered_by_the_grammar_of_all_lists(text: str, kept: bool) -> None:
    keeps = filter_of(executions.RESOURCE, text, NOW).keeps

    assert (keeps is None or keeps(ROW)) is kept


def test_an_age_moves_with_time() -> None:
    assert filter_of(executions.RESOURCE, "older:2m", NOW).moves
    assert not filter_of(executions.RESOURCE, "status:failed", NOW).moves


def test_fields_without_a_vocabulary_are_text() -> None:
    keeps = filter_of(THINGS, "enabled:yes words", NOW).keeps

    assert keeps is not None
    assert keeps(Thing("a", True))
    assert not keeps(Thing("a", False))


def test_what_only_the_service_knows_is_refused_where_it_takes_no_query() -> None:
    source = executions.SOURCE
    deaf = replace(executions.RESOURCE, source=replace(source, takes_query=False))

    with pytest.raises(QueryFault, match="cannot tell 'input'"):
        filter_of(deaf, "status:failed input.a=1", NOW)


def test_what_only_the_service_knows_is_asked_of_it() -> None:
    source: Source[Execution] = Source(
        "asked", "executor", executions.SOURCE.watch, takes_query=True
    )
    found = filter_of(
        replace(executions.RESOURCE, source=source), "older:30s input.a=1 wf:order*", NOW
    )

    assert found.server_terms == ("input.a=1",)
    assert found.server == "input.a=1 wf:order*"
    assert found.keeps is not None
    assert found.keeps(ROW)


def test_values_are_those_of_records() -> None:
    assert values_in(executions.RESOURCE, [ROW])["wf"] == ["order_flow"]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_every_noun_can_be_filtered(resource: Resource[Any]) -> None:
    vocabulary = vocabulary_of(resource)

    assert vocabulary.words_in
    found = filter_of(resource, "anything", NOW)
    # Either it is known here what is kept, or the service is asked all of it.
    assert (found.keeps is not None) is not bool(found.server)


def test_a_list_that_holds_a_part_only_asks_the_service_all_of_its_filter() -> None:
    found = filter_of(task_runs.RESOURCE, "status:failed newer:1h boom", NOW)

    assert found.keeps is None
    assert found.server_terms == ("status:failed", "newer:1h")
    assert parse(found.server, TASKS) == parse("status:failed newer:1h boom", TASKS)
    assert not found.moves
    assert filter_of(task_runs.RESOURCE, " ", NOW) == Filter()


def test_what_the_service_has_no_field_for_is_told_where_it_is_typed() -> None:
    with pytest.raises(QueryFault):
        filter_of(task_runs.RESOURCE, "nothing:such", NOW)

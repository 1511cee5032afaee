"""What lists and questions say of their records, in words that fit their number."""

from __future__ import annotations

from typing import Any

import pytest

from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from tui.resources import find, references
from tui.resources.execution_actions import ACTIONS
from tui.resources.execution_row import execution_of


def _executions(*statuses: str) -> list[Any]:
    values = [executor_pb2.ExecutionStatus.Value(f"EXECUTION_STATUS_{each}") for each in statuses]
    return [execution_of(executor_pb2.ExecutionState(status=value)) for value in values]


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (("RUNNING", "RUNNING"), "2 running will end; open tasks are cancelled."),
        (("PAUSED",), "1 paused will end; open tasks are cancelled."),
        (("RUNNING", "PAUSED"), "1 running and 1 paused will end; open tasks are cancelled."),
    ],
)
def test_what_will_end_is_told_without_those_that_are_none(
    statuses: tuple[str, ...], said: str
) -> None:
    terminate = next(each for each in ACTIONS if each.id == "executions.terminate")
    assert terminate.effect is not None

    assert terminate.effect(_executions(*statuses)) == said


def _named(kind: str, *, missing: bool) -> tuple[str, str]:
    each = registry_pb2.DefinitionReference(kind=kind, name="approve", missing=missing)
    column = next(each for each in references.COLUMNS if each.name == "name")
    cell = column.cell(references._row("uses", each), 0.0)
    return cell.text, cell.tone


def test_a_task_without_a_definition_is_not_missing() -> None:
    assert _named("task", missing=True) == ("approve (not defined)", "muted")
    assert _named("workflow", missing=True) == ("approve (missing)", "error")
    assert _named("task", missing=False) == ("approve", "text")


def test_an_empty_list_of_workflows_names_the_key_that_writes_one() -> None:
    workflows = find("workflows")
    assert workflows is not None

    assert " n writes one" in workflows.empty
    assert any(each.key == "n" for each in workflows.openings)

"""Which task types there are, and what of a definition is refused by name when it is put."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.executor.kinds import KINDS
from services.registry.definitions import Definition, Document, Json, examine, parse
from services.registry.definitions.tasks import TASK_KINDS
from services.registry.definitions.tasks.kind import LATER
from tests.executor.conductor.rows import (
    APART,
    CROWDS,
    FORKS,
    MASKS,
    RECORDS,
    SCHEMAS,
    SMALLER,
)
from tests.executor.core.simulator import task, workflow

# Of Conductor's open server, what is behind which nothing is left out.
BOTH = (
    "SIMPLE", "DYNAMIC", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "DECISION", "SWITCH", "JOIN",
    "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW", "EVENT", "WAIT", "HUMAN", "HTTP", "LAMBDA",
    "INLINE", "EXCLUSIVE_JOIN", "TERMINATE", "JSON_JQ_TRANSFORM", "SET_VARIABLE", "NOOP",
)  # fmt: skip
# Orkes' own, of which the open server has none.
BESIDES = ("HTTP_POLL", "WAIT_FOR_WEBHOOK")
NOT_HERE = (
    "KAFKA_PUBLISH", "PULL_WORKFLOW_MESSAGES", "LLM_TEXT_COMPLETE", "LLM_CHAT_COMPLETE",
    "LLM_INDEX_TEXT", "LLM_SEARCH_INDEX", "LLM_GENERATE_EMBEDDINGS", "LLM_STORE_EMBEDDINGS",
    "LLM_GET_EMBEDDINGS", "LLM_SEARCH_EMBEDDINGS", "LIST_MCP_TOOLS", "CALL_MCP_TOOL", "AGENT",
    "GET_AGENT_CARD", "CANCEL_AGENT", "JDBC", "GENERATE_IMAGE", "GENERATE_AUDIO",
    "GENERATE_VIDEO", "GENERATE_PDF", "YIELD", "JUMP", "UPDATE_TASK", "GET_WORKFLOW",
    "TERMINATE_WORKFLOW", "UPDATE_SECRET", "GET_SIGNED_JWT", "QUERY_PROCESSOR", "OPS_GENIE",
    "GRPC", "USER_DEFINED",
)  # fmt: skip


def faults(*tasks: Document, **more: Json) -> list[str]:
    document: Document = {"name": "w", "tasks": [*tasks], **more}
    return [str(fault) for fault in examine(document).faults]


@pytest.mark.parametrize("kind", [*BOTH, *BESIDES])
def test_a_type_can_be_put_and_runs(kind: str) -> None:
    assert kind in TASK_KINDS
    assert kind in KINDS


@pytest.mark.parametrize("kind", NOT_HERE)
def test_a_type_that_nothing_is_behind_is_refused_by_name(kind: str) -> None:
    (fault,) = faults(task("a", kind))
    assert fault.startswith(f"tasks[0].type: {kind} is not supported")
    assert kind in LATER
    assert (RECORDS / SMALLER).is_file()


def test_nothing_runs_that_cannot_be_put() -> None:
    assert {*KINDS} == {*TASK_KINDS} == {*BOTH, *BESIDES}


def references(document: Document) -> list[tuple[str, str]]:
    found: Definition = parse(document)
    return [(each.name, each.missing) for each in found.references if each.required]


def test_a_type_of_ones_own_needs_a_definition_at_the_put() -> None:
    # In Conductor an execution fails that comes to it.
    document: Document = {"name": "w", "tasks": [task("a", "billing", name="charge")]}
    ((name, missing),) = references(document)
    assert name == "charge"
    assert "there is no task type 'billing', and no task definition 'charge'" in missing
    assert references({"name": "w", "tasks": [task("a", "SIMPLE")]}) == []


FORK: Document = task("f", "FORK_JOIN", forkTasks=[[task("a", "NOOP")]])
DYNAMIC_FORK: Document = task(
    "f", "FORK_JOIN_DYNAMIC", {"t": [], "i": {}}, dynamicForkTasksParam="t",
    dynamicForkTasksInputParamName="i",
)  # fmt: skip
STOP: Document = task("t", "TERMINATE", {"terminationStatus": "FAILED"})


# Each is a fault of the execution in Conductor, if it is one at all, and one of the put here.
@pytest.mark.parametrize(
    ("tasks", "fault", "record"),
    [
        ([FORK, task("n", "NOOP")], "tasks[0].type: a FORK_JOIN must be followed by a JOIN", FORKS),
        ([DYNAMIC_FORK], "tasks[0].type: a FORK_JOIN_DYNAMIC must be followed by a JOIN", FORKS),
        ([{**STOP, "optional": True}], "tasks[0].optional: a TERMINATE task cannot be optional",
         ""),
        ([task("t", "TERMINATE", {"terminationStatus": "PAUSED"})],
         "tasks[0].inputParameters.terminationStatus: must be one of", SMALLER),
        ([task("s", "SWITCH", {"v": 1}, evaluatorType="python", expression="1",
               decisionCases={"x": []})], "evaluatorType: python is not supported", SMALLER),
        ([task("w", "WAIT", {"duration": "1s", "until": "2027-01-01"})],
         "tasks[0].inputParameters: has both duration and until", ""),
        ([task("e", "EVENT", sink="kafka:t")], "sinks are conductor and conductor:NAME", SMALLER),
        ([task("h", "HTTP", {"method": "GET"})], "inputParameters.uri", SMALLER),
        ([task("i", "INLINE", {"a": "${workflow.secrets.T}", "expression": "1"})],
         "a secret stands only in the input of a task that calls out", SMALLER),
        ([task("a", "NOOP", taskReferenceName="a__1")], "must not hold '__'", FORKS),
    ],
)  # fmt: skip
def test_a_fault_is_told_at_the_put(tasks: list[Document], fault: str, record: str) -> None:
    assert any(fault in each for each in faults(*tasks)), faults(*tasks)
    assert not record or (RECORDS / record).is_file()


@pytest.mark.parametrize("field", ["isolationGroupId", "executionNameSpace"])
def test_workers_are_told_apart_by_more_than_domains(field: str) -> None:
    assert examine({"kind": "task", "name": "t", field: "x"}).faults == ()
    found = examine({"kind": "task", "name": "t", field: "x:y"}).faults
    assert [fault.path for fault in found] == [field]
    assert (RECORDS / APART).is_file()


def test_a_fork_of_too_many_branches_is_refused_at_the_put() -> None:
    fork: Document = {**FORK, "forkTasks": [[]] * 100_000 + [[task("a", "NOOP")]]}
    (fault,) = faults(fork, task("j", "JOIN", joinOn=["a"]))
    assert fault.startswith("tasks[0].forkTasks: has 100,001 branches, and 100,000 are allowed")


# What Conductor has in its model only is heeded here, or refused; nothing is taken in silence.
@pytest.mark.parametrize(
    ("fields", "is_taken", "record"),
    [
        ({"rateLimitConfig": {"rateLimitKey": "k", "concurrentExecLimit": 1}}, True, CROWDS),
        ({"inputSchema": {"data": {"type": "object"}}}, True, SCHEMAS),
        ({"maskedFields": ["a"]}, True, MASKS),
        ({"onStateChange": {"onStart": []}}, False, ""),
        ({"cacheConfig": {"key": "k", "ttlInSecond": 1}}, False, ""),
    ],
)
def test_a_field_that_conductor_only_keeps_is_heeded_or_refused(
    fields: Document, is_taken: bool, record: str
) -> None:
    found = faults(task("n", "NOOP"), **fields)
    assert (not found) == is_taken
    assert is_taken or [*fields] == [found[0].partition(":")[0]]
    assert not record or (RECORDS / record).is_file()


def test_a_workflow_without_tasks_is_refused() -> None:
    # One that is there, of an expression say, completes.
    with pytest.raises(InvalidDefinition, match="tasks"):
        parse({"name": "w", "tasks": []})
    assert workflow().first == ""

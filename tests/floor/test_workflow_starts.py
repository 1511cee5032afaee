"""Which workflows are started by a definition is said by its document, wherever a task stands."""

from __future__ import annotations

from typing import Any

import pytest

from services.workflow_starts import Starts, starts_of


def task(kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": "s", "taskReferenceName": "s", "type": kind, **fields}


def sub(name: Any = "a", **param: Any) -> dict[str, Any]:
    return task("SUB_WORKFLOW", subWorkflowParam={"name": name, **param})


def given(kind: str, **inputs: Any) -> dict[str, Any]:
    return task(kind, inputParameters=inputs)


def flow(*tasks: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "w", "tasks": list(tasks), **fields}


NAMED = {
    "a sub-workflow": sub(),
    "one in a block": task("SWITCH", decisionCases={"x": [task("DO_WHILE", loopOver=[sub()])]}),
    "one in a fork": task("FORK_JOIN", forkTasks=[[sub()]]),
    "one in a definition": sub("i", workflowDefinition=flow(sub())),
    "a start": given("START_WORKFLOW", startWorkflow={"name": "a"}),
    "a start's definition": given(
        "START_WORKFLOW", startWorkflow={"name": "i", "workflowDef": flow(sub())}
    ),
    "what a task becomes": task("DYNAMIC", subWorkflowParam={"name": "a"}),
    "what another becomes": given("DYNAMIC", n="${x}", startWorkflow={"name": "a"}),
    "branches": given("FORK_JOIN_DYNAMIC", forkTaskInputs="${x}", forkTaskWorkflow="a"),
}
OPEN = {
    "a name": sub("a${x}"),
    "no name": sub(None),
    "a definition": sub("i", workflowDefinition="${x}"),
    "a start": given("START_WORKFLOW", startWorkflow={"name": "${x}"}),
    "a start as a whole": given("START_WORKFLOW", startWorkflow="${x}"),
    "a start of nothing": given("START_WORKFLOW", startWorkflow=None),
    "a start's definition": given(
        "START_WORKFLOW", startWorkflow={"name": "i", "workflowDef": flow(task("${x}"))}
    ),
    "what a task becomes": given("DYNAMIC", n="${x}", startWorkflow="${x}"),
    "branches": task("FORK_JOIN_DYNAMIC", dynamicForkTasksParam="a"),
    "the type of branches": given("FORK_JOIN_DYNAMIC", forkTaskInputs=[], forkTaskType="${x}"),
    "branches that start": given(
        "FORK_JOIN_DYNAMIC", forkTaskInputs=[], forkTaskType="START_WORKFLOW"
    ),
    "branches of what a task becomes": task("DYNAMIC", dynamicForkJoinTasksParam="a"),
}
NOTHING = {
    "a task that becomes another": given("DYNAMIC", n="${x}"),
    "branches of a task": given("FORK_JOIN_DYNAMIC", forkTaskInputs="${x}", forkTaskName="t"),
    "another kind": given("HTTP", startWorkflow={"name": "a"}),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_is_found(name: str) -> None:
    assert starts_of(flow(NAMED[name])) == Starts(("a",), ())


@pytest.mark.parametrize("name", OPEN)
def test_what_is_named_when_it_runs_may_be_any(name: str) -> None:
    assert starts_of(flow(OPEN[name])) == Starts((), ("s",))


@pytest.mark.parametrize("name", NOTHING)
def test_what_starts_nothing_is_left_alone(name: str) -> None:
    assert starts_of(flow(NOTHING[name])) == Starts((), ())


def test_what_is_started_after_a_failure_counts() -> None:
    assert starts_of(flow(failureWorkflow="a")) == Starts(("a",), ())
    assert starts_of(flow(failureWorkflow="$x")) == Starts((), ("failureWorkflow",))


def test_a_task_definition_may_say_what_its_tasks_start() -> None:
    says = {"name": "t", "inputTemplate": {"forkTaskWorkflow": "a"}}

    assert starts_of(says) == Starts((), ("inputTemplate",))
    assert starts_of(flow(task("SIMPLE", taskDefinition=says))) == Starts((), ("inputTemplate",))
    assert starts_of({"name": "t", "inputTemplate": {"x": "${y}"}}) == Starts((), ())

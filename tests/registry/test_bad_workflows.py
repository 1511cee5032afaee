"""What a bad workflow gets when it is put: the place, and the way out, over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from services.errors import InvalidDefinition
from tests.registry.registries import Running, put
from tests.registry.test_faults import told


def task(ref: str, kind: str, inputs: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": inputs or {}, **more
    }  # fmt: skip


def flow(*tasks: dict[str, Any], name: str = "w", **more: Any) -> dict[str, Any]:
    return {"kind": "workflow", "name": name, "tasks": [*tasks], **more}


def sub(name: str, **param: Any) -> dict[str, Any]:
    return task("s", "SUB_WORKFLOW", subWorkflowParam={"name": name, **param})


def loop(condition: str = "$.loop.iteration < 3", **more: Any) -> dict[str, Any]:
    fields = {"loopCondition": condition, "loopOver": [task("say", "NOOP")], **more}
    return task("loop", "DO_WHILE", **fields)


PARAM = "tasks[0].subWorkflowParam.name"
# Documents that are put together; the path of the fault; what it says, and the way out.
FAULTY: list[tuple[str, list[dict[str, Any]], str, str]] = [
    ("a workflow that runs itself", [flow(sub("w"))], PARAM, "leads back to this workflow: w → w"),
    ("two that run each other", [flow(sub("v")), flow(sub("w"), name="v")], PARAM,
     "leads back to this workflow: w → v → w"),
    ("three", [flow(sub("u")), flow(sub("v"), name="u"), flow(sub("w"), name="v")], PARAM,
     "leads back to this workflow: w → u → v → w"),
    ("one that runs itself in a loop", [flow(loop(loopOver=[sub("w")]))],
     "tasks[0].loopOver[0].subWorkflowParam.name", "leads back to this workflow: w → w"),
    ("one within it that runs it",
     [flow(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "in", "workflowDefinition":
           {"name": "in", "version": 1, "tasks": [sub("w")]}}))],
     "tasks[0].subWorkflowParam.workflowDefinition.tasks[0].subWorkflowParam.name",
     "leads back to this workflow"),
    ("a workflow that is not there", [flow(sub("nobody"))], PARAM, "there is no workflow 'nobody'"),
    ("a version that is not there", [flow(sub("v", version=9)),
     flow(task("n", "NOOP"), name="v")], "tasks[0].subWorkflowParam.version",
     "there is no version 9 of workflow 'v'"),
    ("a reference that no task has", [flow(task("paid", "NOOP"), task("n", "NOOP",
     {"x": "${piad.output.y}"}))], "tasks[1].inputParameters.x",
     "names 'piad', which no task of this workflow provides; did you mean 'paid'?"),
    ("in the outputs, too", [flow(task("paid", "NOOP"), outputParameters={"x": "${piad.output}"})],
     "outputParameters.x", "did you mean 'paid'?"),
    ("a join on no task", [flow(task("f", "FORK_JOIN", forkTasks=[[task("packed", "NOOP")]]),
     task("j", "JOIN", joinOn=["pakced"]))], "tasks[1].joinOn[0]",
     "no task of this workflow is named 'pakced'; did you mean 'packed'?"),
    ("a loop without an end", [flow(loop(""))], "tasks[0].loopCondition",
     "is required, unless there are items to go over"),
    ("rounds beyond any measure", [flow(loop(maxIterations=10**7))], "tasks[0].maxIterations",
     "must be at most 1000000"),
    ("no rounds at all", [flow(loop(maxIterations=0))], "tasks[0].maxIterations", "at least 1"),
    ("keepLastN that keeps nothing", [flow(loop(keepLastN=-1))], "tasks[0].keepLastN",
     "at least 1"),
    ("also in the input", [flow({**loop(), "inputParameters": {"keepLastN": -1}})],
     "tasks[0].inputParameters.keepLastN", "at least 1"),
    ("a duration that is none", [flow(task("w", "WAIT", {"duration": "soon"}))],
     "tasks[0].inputParameters.duration", "must be a duration like '2 hours 30 minutes'"),
    ("a moment that is none", [flow(task("w", "WAIT", {"until": "2027-02-30"}))],
     "tasks[0].inputParameters.until", "must be a moment like '2027-01-31'"),
    ("JavaScript that does not parse", [flow(task("i", "INLINE", {"expression": "1 +"}))],
     "tasks[0].inputParameters.expression", "line 1"),
    ("in a condition", [flow(loop("$.x <"))], "tasks[0].loopCondition", "line 1"),
    ("in a SWITCH", [flow(task("s", "SWITCH", evaluatorType="javascript", expression="(",
     decisionCases={"x": []}))], "tasks[0].expression", "line 1"),
    ("jq that does not parse", [flow(task("j", "JSON_JQ_TRANSFORM", {"queryExpression": ".a |"}))],
     "tasks[0].inputParameters.queryExpression", "line 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("documents", "path", "says"), [each[1:] for each in FAULTY], ids=[each[0] for each in FAULTY]
)
async def test_a_fault_has_its_place_and_the_way_out(
    registry: Running, documents: list[dict[str, Any]], path: str, says: str
) -> None:
    # Of several documents a path says which one it is of.
    where = path if len(documents) == 1 else f"puts[0]: {path}"
    faults = await told(registry, *documents)

    assert where in faults, [*faults]
    assert says in str(faults[where])


async def test_a_circle_that_a_later_put_would_close_is_refused(registry: Running) -> None:
    await put(registry.admin, flow(task("n", "NOOP"), name="v"))
    await put(registry.admin, flow(sub("v")))
    with pytest.raises(InvalidDefinition, match="v → w → v"):
        await put(registry.admin, flow(sub("w"), name="v"))
    # Another version, which it does not run, is none.
    pinned = flow(sub("v", version=1), version=2)
    await put(registry.admin, pinned, flow(sub("w", version=2), name="v", version=2))

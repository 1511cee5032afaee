"""DYNAMIC and FORK_JOIN_DYNAMIC: tasks that are made at run time."""

from __future__ import annotations

import json

import pytest

from services.executor.core.events import Rerun, Retried
from services.executor.core.model import Json
from services.executor.core.workflow import Workflow
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


def dynamic(ref: str, name: Json, **inputs: Json) -> dict[str, Json]:
    return task(ref, "DYNAMIC", {"which": name, **inputs}, dynamicTaskNameParam="which")


def forked(inputs: Json, **more: Json) -> list[dict[str, Json]]:
    return [task("fork", "FORK_JOIN_DYNAMIC", inputs, **more), task("join", "JOIN")]


ITEMS: Json = {"forkTaskInputs": "${workflow.input.items}", "forkTaskName": "call",
               "forkTaskType": "HTTP"}  # fmt: skip
CALLS: list[Json] = [{"uri": "http://a/1", "method": "GET"}, {"uri": "http://a/2", "method": "GET"}]


def test_a_task_becomes_what_its_input_names() -> None:
    run = Simulator(workflow(dynamic("d", "HTTP", uri="http://x/${workflow.input.n}", method="GET"),
                             task("end", "NOOP")), {"n": 7})  # fmt: skip
    run.definitions["HTTP"] = {"name": "HTTP", "retryCount": 1, "retryDelaySeconds": 3}
    run.begin()
    assert run.request("d").uri == "http://x/7"
    assert (run.task("d").kind, run.task("d").name) == ("HTTP", "HTTP")
    run.crash()
    run.answers("d", answer(status=500))
    run.reread()
    assert run.until("d") == 3
    run.fires()
    assert run.request("d").uri == "http://x/7"
    run.answers("d", answer({"n": 1}))

    assert run.status == "COMPLETED"


def test_a_task_that_nobody_knows_is_refused() -> None:
    for name, reason in (
        ("gone", "Cannot find task by name gone in the task definitions"),
        (None, "Cannot map a dynamic task based on the parameter and input. Parameter= which"),
    ):
        run = Simulator(workflow(dynamic("d", name))).begin()
        assert run.task("d").status == "FAILED_WITH_TERMINAL_ERROR"
        assert reason in run.task("d").reason


def test_a_dynamic_task_in_a_loop_may_be_another_one_each_time() -> None:
    loop = task("loop", "DO_WHILE", items=["HTTP", "NOOP"],
                loopOver=[dynamic("d", "${loop.output.loopItem}", uri="http://x",
                                  method="GET")])  # fmt: skip
    run = Simulator(workflow(loop)).begin()
    run.reread()
    run.answers("d__1", answer())

    assert run.status == "COMPLETED"
    assert [run.task(f"d__{n}").kind for n in (1, 2)] == ["HTTP", "NOOP"]


def test_a_branch_runs_for_each_item() -> None:
    run = Simulator(workflow(*forked(ITEMS)), {"items": CALLS}).begin()
    assert [run.request(f"_call_{n}").uri for n in (0, 1)] == ["http://a/1", "http://a/2"]
    given = run.task("_call_1").input
    assert isinstance(given, dict)
    assert given["__index"] == 1
    run.answers("_call_1", answer({"n": 1}))
    run.crash()
    run.answers("_call_0", answer({"n": 0}))

    assert run.status == "COMPLETED"
    assert run.task("join").output == {ref: run.task(ref).output for ref in ("_call_0", "_call_1")}
    noted = run.task("fork").input
    assert isinstance(noted, dict)
    assert noted["forkedTasks"] == ["_call_0", "_call_1"]


def test_what_is_no_object_is_given_as_input() -> None:
    inputs: Json = {"forkTaskInputs": ["x"], "forkTaskWorkflow": "child",
                    "forkTaskWorkflowVersion": "3"}  # fmt: skip
    run = Simulator(workflow(*forked(inputs))).begin()
    (started,) = run.started
    assert (started.workflow, started.version) == ("child", 3)
    assert started.input == {"input": "x", "__index": 0}


def test_a_second_fork_of_the_same_task_has_names_of_its_own() -> None:
    inputs: Json = {"forkTaskInputs": [1], "forkTaskName": "n", "forkTaskType": "NOOP"}
    second = [{**each, "taskReferenceName": f"{each['taskReferenceName']}2"}
              for each in forked(inputs)]  # fmt: skip
    run = Simulator(workflow(*forked(inputs), *second)).begin()
    assert run.status == "COMPLETED"
    assert {"_n_0", "_fork2_n_0"} <= set(run.execution.tasks)


FROM_INPUT: Json = {"tasks": "${workflow.input.tasks}", "inputs": "${workflow.input.inputs}"}
LISTED = {"dynamicForkTasksParam": "tasks", "dynamicForkTasksInputParamName": "inputs"}


def test_of_two_forks_at_once_with_the_same_names_the_second_fails_and_says_so() -> None:
    tasks: Json = [{"name": "x", "taskReferenceName": "same", "type": "NOOP"}]
    params = {"dynamicForkTasksParam": "t", "dynamicForkTasksInputParamName": "i"}
    branches: list[Json] = [
        [task(f"f{n}", "FORK_JOIN_DYNAMIC", inputParameters={"t": tasks, "i": {}}, **params),
         task(f"j{n}", "JOIN", joinOn=[])]
        for n in (1, 2)
    ]  # fmt: skip
    run = Simulator(
        workflow(task("fork", "FORK_JOIN", forkTasks=branches), task("j", "JOIN", joinOn=[]))
    ).begin()

    assert run.task("f1").status.successful
    assert run.task("f2").reason == "taskReferenceName 'same' is there already."


def test_tasks_as_in_a_definition_run_with_the_inputs_that_belong_to_them() -> None:
    switch: Json = {"name": "s", "taskReferenceName": "s", "type": "SWITCH",
              "evaluatorType": "value-param", "expression": "v", "decisionCases": {"x": [
                  {"name": "deep", "taskReferenceName": "deep", "type": "HTTP",
                   "inputParameters": {"uri": "http://x/${s.input.v}",
                                       "method": "GET"}}]}}  # fmt: skip
    call: Json = {"name": "c", "taskReferenceName": "c", "type": "HTTP",
            "inputParameters": {"uri": "http://mine", "method": "PUT"}}  # fmt: skip
    inputs: dict[str, Json] = {
        "tasks": [switch, call],
        "inputs": {"s": {"v": "x"}, "c": {"uri": "http://given"}},
    }
    run = Simulator(workflow(*forked(FROM_INPUT, **LISTED)), inputs).begin()
    assert (run.request("c").uri, run.request("c").method) == ("http://given", "PUT")
    assert run.request("deep").uri == "http://x/x"
    run.crash()
    run.answers("c", answer())
    assert run.status == "RUNNING"
    run.answers("deep", answer())

    assert run.status == "COMPLETED"


def test_the_older_form_is_read_too() -> None:
    entries: Json = {"dynamicTasks": [
        {"taskName": "call", "referenceName": "one", "type": "HTTP",
         "input": {"uri": "http://1", "method": "GET"}},
        {"workflowName": "child", "referenceName": "two", "input": {"x": 2}},
    ]}  # fmt: skip
    run = Simulator(workflow(*forked({"all": entries}, dynamicForkJoinTasksParam="all"))).begin()
    assert run.request("one").uri == "http://1"
    assert (run.started[0].workflow, run.started[0].input) == ("child", {"x": 2})


def test_no_branches_are_joined_at_once() -> None:
    run = Simulator(workflow(*forked(ITEMS), task("end", "NOOP")), {"items": []}).begin()
    assert run.status == "COMPLETED"
    assert run.task("join").output == {}


def test_a_branch_is_tried_again_by_its_definition_with_what_it_was_given() -> None:
    run = Simulator(workflow(*forked(ITEMS)), {"items": CALLS})
    run.definitions["call"] = {"name": "call", "retryCount": 1, "retryDelaySeconds": 1}
    run.begin()
    run.answers("_call_0", answer(status=500))
    run.reread()
    run.fires()
    assert run.request("_call_0").uri == "http://a/1"
    for ref in ("_call_0", "_call_1"):
        run.answers(ref, answer())
    assert run.status == "COMPLETED"


def test_an_operators_retry_runs_what_failed_in_its_branch() -> None:
    run = Simulator(workflow(*forked(ITEMS)), {"items": CALLS}).begin()
    run.answers("_call_0", answer())
    run.answers("_call_1", answer(status=500))
    assert run.status == "FAILED"
    run.reread()
    run.happens(Retried())
    run.answers("_call_1", answer())

    assert run.status == "COMPLETED"
    assert (run.task("_call_0").attempt, run.task("_call_1").attempt) == (0, 1)


def test_a_fork_in_a_loop_makes_other_branches_in_each_round() -> None:
    inputs: Json = {"forkTaskInputs": "${loop.output.loopItem}", "forkTaskName": "n",
                    "forkTaskType": "NOOP"}  # fmt: skip
    loop = task("loop", "DO_WHILE", items=[[1], [1, 2]], loopOver=[*forked(inputs)])
    run = Simulator(workflow(loop)).begin()

    assert run.status == "COMPLETED"
    assert {"_n_0__1", "_n_0__2", "_n_1__2"} <= set(run.execution.tasks)
    output = run.task("join__2").output
    assert output == {}


def test_nothing_that_is_given_is_resolved_and_made_tasks_name_no_secrets() -> None:
    call: Json = {"name": "c", "taskReferenceName": "c", "type": "HTTP",
            "inputParameters": {"headers": {"X": "${workflow.secrets.KEY}"}}}  # fmt: skip
    given: Json = {
        "uri": "http://x/${workflow.secrets.KEY}",
        "method": "POST",
        "body": "${workflow.workflowId}",
    }
    inputs: dict[str, Json] = {"tasks": [call], "inputs": {"c": given}}
    run = Simulator(workflow(*forked(FROM_INPUT, **LISTED)), inputs).begin()

    assert run.request("c").handoff == frozenset()
    assert run.request("c").body == "${workflow.workflowId}"


def test_a_task_may_become_a_fork_whose_branches_run() -> None:
    run = Simulator(workflow(dynamic("d", "FORK_JOIN_DYNAMIC", forkTaskInputs=CALLS,
                                     forkTaskName="call", forkTaskType="HTTP"),
                             task("join", "JOIN")))  # fmt: skip
    run.begin()
    run.crash()
    assert run.request("_call_1").uri == "http://a/2"
    run.answers("_call_0", answer({"n": 1}))
    assert run.task("join").status == "IN_PROGRESS"
    run.answers("_call_1", answer({"n": 2}))

    assert run.status == "COMPLETED"
    assert isinstance(run.execution.output, dict)
    assert run.execution.output.keys() == {"_call_0", "_call_1"}


@pytest.mark.parametrize("kind", ["DO_WHILE", "FORK_JOIN"])
def test_a_task_becomes_nothing_that_would_hold_no_tasks(kind: str) -> None:
    run = Simulator(workflow(dynamic("d", kind))).begin()

    assert run.status == "FAILED"
    assert f"A DYNAMIC task cannot become a {kind}" in run.task("d").reason


def branch(kind: str, **more: Json) -> Simulator:
    """A run of a fork whose one branch ``b`` is what a caller has said."""
    made = task("b", kind, more.pop("inputs", {}), **more)
    inputs: dict[str, Json] = {"tasks": [made], "inputs": {"b": {"said": "by the caller"}}}
    return Simulator(workflow(*forked(FROM_INPUT, **LISTED)), inputs)


def test_what_a_task_of_a_caller_becomes_names_no_secrets_and_keeps_what_it_was_given() -> None:
    inputs: Json = {"which": "HTTP", "method": "POST", "uri": "http://x/${workflow.secrets.KEY}",
                    "body": "${workflow.env.KEY}"}  # fmt: skip
    run = branch("DYNAMIC", dynamicTaskNameParam="which", inputs=inputs).begin()

    assert run.request("b").handoff == frozenset()
    given = run.task("b").input
    assert isinstance(given, dict)
    assert given["said"] == "by the caller"


def test_a_branch_of_a_caller_reads_no_environment() -> None:
    snapshot: dict[str, Json] = {"workflow": {"name": "flow", "tasks": [
        *forked(FROM_INPUT, **LISTED),
        task("own", "NOOP", {"env": "${workflow.env.KEY}"}),
    ]}}  # fmt: skip
    made = task("b", "NOOP", {"env": "${workflow.env.KEY}", "all": "${workflow.env}"})
    flow = Workflow.of(snapshot, {"KEY": "of the operator's"})
    run = Simulator(flow, {"tasks": [made], "inputs": {}}).begin()

    assert run.task("b").input == {"env": None, "all": {}}
    assert run.task("own").input == {"env": "of the operator's"}


def test_a_workflow_within_a_branch_of_a_caller_is_not_trusted() -> None:
    param: Json = {"name": "w", "workflowDefinition": {"name": "w", "tasks": []}}
    fixed = task("b", "SUB_WORKFLOW", subWorkflowParam=param)
    by_caller = branch("SUB_WORKFLOW", subWorkflowParam=param).begin()
    by_definition = Simulator(workflow(fixed)).begin()

    assert [each.trusted for each in by_caller.started] == [False]
    assert [each.trusted for each in by_definition.started] == [True]


def test_what_a_task_in_a_loop_in_a_branch_became_is_the_same_when_it_is_read_again() -> None:
    made = dynamic("d", "HTTP", uri="http://x", method="GET")
    run = branch("DO_WHILE", loopCondition="$.b.iteration < 2", loopOver=[made])
    run.definitions["HTTP"] = {"name": "HTTP", "retryCount": 1, "retryDelaySeconds": 3}
    run.begin()
    run.reread()
    run.answers("d__1", answer(status=500))

    assert run.until("d__1") == 3


def test_a_task_that_becomes_nothing_can_be_read_again() -> None:
    run = Simulator(workflow(dynamic("d", "HTTP")))
    run.definitions["HTTP"] = {"name": "HTTP", "inputTemplate": 3}
    run.begin()
    assert "It cannot become 'HTTP'" in run.task("d").reason
    run.reread()
    run.happens(Rerun(ref="d"))

    assert run.status == "FAILED"


def test_joins_within_a_branch_wait_for_what_they_name_alone() -> None:
    body: list[Json] = [
        task("inner", "FORK_JOIN", forkTasks=[[http("x")], [http("y")]]),
        task("first", "JOIN", joinOn=["x"]), task("then", "JOIN", joinOn=["y"]),
    ]  # fmt: skip
    run = branch("DO_WHILE", loopCondition="$.b.iteration < 1", loopOver=body).begin()
    run.answers("x__1", answer())
    assert run.task("first__1").status == "COMPLETED"
    assert run.task("then__1").status == "IN_PROGRESS"
    run.answers("y__1", answer())

    assert run.status == "COMPLETED"


def test_a_rerun_keeps_what_was_made_within_branches() -> None:
    made = [task(f"b{number}", "DYNAMIC", {"which": "HTTP", "uri": "http://x", "method": "GET"},
                 dynamicTaskNameParam="which") for number in range(20)]  # fmt: skip
    run = Simulator(workflow(*forked(FROM_INPUT, **LISTED), task("end", "NOOP")),
                    {"tasks": [*made], "inputs": {}})  # fmt: skip
    run.begin()
    for number in range(20):
        run.answers(f"b{number}", answer())
    before = dict(run.execution.extra)
    run.happens(Rerun(ref="end"))

    assert run.status == "COMPLETED"
    assert dict(run.execution.extra) == before


@pytest.mark.parametrize(
    ("inputs", "more", "reason"),
    [({"forkTaskInputs": 5, "forkTaskName": "x"}, {}, "must be a list, not a number."),
     ({"forkTaskInputs": []}, {}, "forkTaskName or forkTaskWorkflow must say what runs"),
     ({"tasks": "no"}, LISTED, "Cannot deserialize a list of Workflow Tasks from a string"),
     ({"tasks": [], "inputs": []}, LISTED, "expecting a map of K,V  but found a list"),
     ({"tasks": [{"name": "a"}]}, LISTED, "A dynamically forked task has no taskReferenceName."),
     ({"tasks": [{"name": "a", "taskReferenceName": "a__1"}]}, LISTED, "must not hold '__'"),
     ({"tasks": [{"name": "a", "taskReferenceName": "join"}]}, LISTED, "'join' is there already"),
     ({"tasks": [{"name": "a", "taskReferenceName": "a"}] * 2}, LISTED, "'a' is there already"),
     ({"tasks": [{"name": "a", "taskReferenceName": "a", "type": "SWITCH",
                  "decisionCases": {"x": [5]}}]}, LISTED, "tasks must be a list of objects"),
     ({"forkTaskInputs": [1], "forkTaskName": "n" * 256, "forkTaskType": "NOOP"}, {},
      "The name of what runs in the branches has 256 characters, and 255 are allowed."),
     ({"forkTaskInputs": [1], "forkTaskWorkflow": "n" * 256}, {}, "has 256 characters"),
     ({"tasks": [{"name": "a", "taskReferenceName": "n" * 256}]}, LISTED,
      "The taskReferenceName of a dynamically forked task has 256 characters"),
     ({"all": 5}, {"dynamicForkJoinTasksParam": "all"}, "it has no list of dynamicTasks")],
)  # fmt: skip
def test_branches_that_are_none_fail_the_fork(
    inputs: Json, more: dict[str, Json], reason: str
) -> None:
    run = Simulator(workflow(*forked(inputs, **more))).begin()

    assert run.task("fork").status == "FAILED_WITH_TERMINAL_ERROR"
    assert reason in run.task("fork").reason
    assert run.status == "FAILED"
    before = run.task("fork")
    run.reread()
    assert run.task("fork") == before
    run.happens(Rerun(ref="fork"))
    assert reason in run.task("fork").reason


@pytest.mark.parametrize("seconds", [1e12, 10**30, 10**400, -(10**400)])
def test_numbers_beyond_all_dates_in_branches_are_held_to_ten_years(seconds: Json) -> None:
    definition: Json = {
        "name": "b", "retryCount": 3, "retryLogic": "LINEAR_BACKOFF",
        "backoffScaleFactor": seconds, "retryDelaySeconds": 1, "backoffJitterMs": seconds,
        "timeoutSeconds": seconds, "totalTimeoutSeconds": seconds,
    }  # fmt: skip
    call: Json = {"uri": "http://x", "method": "GET"}
    later = branch("HTTP", startDelay=seconds, inputs=call).begin()
    failing = branch("HTTP", taskDefinition=definition, inputs=call).begin()
    failing.answers("b", answer(status=500))

    assert later.task("b").status == ("SCHEDULED" if json.loads(str(seconds)) > 0 else
                                      "IN_PROGRESS")  # fmt: skip
    assert failing.task("b").attempt == 1


def test_ten_thousand_branches_are_noted_once() -> None:
    inputs: Json = {"forkTaskInputs": "${workflow.input.items}", "forkTaskName": "n",
                    "forkTaskType": "NOOP"}  # fmt: skip
    run = Simulator(workflow(*forked(inputs)), {"items": list(range(10_000))}).begin()

    assert run.status == "COMPLETED"
    assert len(run.rows) == 10_002
    assert len(json.dumps(run.task("fork").memory)) < 150_000

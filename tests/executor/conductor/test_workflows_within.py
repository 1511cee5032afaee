"""What becomes a task or an execution at run time: workers, DYNAMIC, SUB_WORKFLOW and the like."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.commands import Publish, StartExecution
from services.executor.core.copies import changed
from services.executor.core.events import Retried, Terminated
from services.executor.core.model import Json
from services.executor.core.scope import shown_kind
from tests.executor.conductor.rows import (
    SMALLER,
    Act,
    Fields,
    Part,
    Row,
    check,
    child_ends,
    happens,
    ids,
    played,
    taken,
    worker_says,
)
from tests.executor.core.simulator import Simulator, task, workflow

Shows = Mapping[str, Json | Part]
GIVEN_UP = "FAILED_WITH_TERMINAL_ERROR"
NOBODY_KNOWS = "Invalid task specified. Cannot find task by name {} in the task definitions"


def worked(rule: str, shows: Shows, *after: Act, kind: str = "SIMPLE", defined: bool = True,
           domains: Mapping[str, str] | None = None, record: str = "") -> Row:  # fmt: skip
    """A task ``a`` of workers; its name is ``charge``."""
    flow = workflow(task("a", kind, {"n": 1}, name="charge"),
                    definitions={"charge": {}} if defined else {})  # fmt: skip
    return Row(rule, flow, shows, after, record, domains=domains)


def dynamic(rule: str, name: Json, shows: Shows, *after: Act, record: str = "",
            **inputs: Json) -> Row:  # fmt: skip
    """A DYNAMIC task ``d`` that is told ``name``."""
    flow = workflow(task("d", "DYNAMIC", {"which": name, **inputs}, dynamicTaskNameParam="which"))
    return Row(rule, flow, shows, after, record, known={"charge": {"retryCount": 0}})


BY_WORKERS = (
    worked("a SIMPLE task waits in the queue of its name", {"a.queue": ":charge",
           "a": "SCHEDULED"}),
    worked("in its domain, where the start says so", {"a.queue": "eu:charge"},
           domains={"charge": "eu"}),
    worked("its output is the worker's", {"a": "COMPLETED", "workflow.output": {"r": 7}},
           taken("a"), worker_says("a", "COMPLETED", {"r": 7})),
    worked("it needs no definition", {"a": "SCHEDULED"}, defined=False),
    worked("a type of one's own waits in the queue of the type", {"a.queue": ":billing"},
           kind="billing"),
    # There the execution fails without a task that says why.
    worked("and needs one", {"a.reason": NOBODY_KNOWS.format("charge"), "workflow": "FAILED",
           "workflow.reason": Part(NOBODY_KNOWS.format("charge"))}, kind="billing", defined=False,
           record=SMALLER),
    dynamic("a dynamic task becomes one of workers", "charge", {"d.queue": ":charge",
            "d.kind": "charge", "d.name": "charge"}),
    dynamic("its output is theirs", "charge", {"d.output": {"r": 7}}, taken("d"),
            worker_says("d", "COMPLETED", {"r": 7})),
    dynamic("or one of a type that is built in", "NOOP", {"d": "COMPLETED", "d.kind": "NOOP"}),
    dynamic("with its input", "HTTP", {"d.request.uri": "http://x"}, uri="http://x", method="GET"),
    *(
        dynamic(f"it cannot become {name!r}", name, {"d": GIVEN_UP, "workflow": "FAILED",
                "d.reason": Part("Cannot map a dynamic task based on the parameter and input. "
                                 "Parameter= which, input= ")}, record=SMALLER)
        for name in (None, "", 7)
    ),
    dynamic("a name that nobody knows", "gone", {"d.reason": NOBODY_KNOWS.format("gone")},
            record=SMALLER),
)  # fmt: skip


def within(rule: str, shows: Shows, *after: Act, param: Fields | None = None, record: str = "",
           missing: str = "", definition: Json = None, **more: Json) -> Row:  # fmt: skip
    """A SUB_WORKFLOW ``s`` of ``child``."""
    own = {"name": "child", **(param or {})}
    flow = workflow(task("s", "SUB_WORKFLOW", {"x": 1}, subWorkflowParam=own, **more),
                    definitions={"s": definition} if definition else None)  # fmt: skip
    return Row(rule, flow, shows, after, record, missing=frozenset({missing} - {""}))


ENDS = {"FAILED": ("FAILED", "FAILED"), "TIMED_OUT": ("TIMED_OUT", "TIMED_OUT"),
        "TERMINATED": ("CANCELED", "TERMINATED")}  # fmt: skip
CHILDREN = (
    within("it starts an execution, and waits for it", {"started": ["child"], "s": "IN_PROGRESS",
           "s.output.subWorkflowId": Part("-")}),
    within("its input is what that is given, and nothing beside it", {"s.input": {"x": 1}},
           record=SMALLER),
    within("that completes, so does it, with its output and its id", {"s": "COMPLETED",
           "s.output.r": 7, "s.output.subWorkflowId": Part("-"), "workflow": "COMPLETED"},
           child_ends("s", "COMPLETED", {"r": 7})),
    *(
        within(f"that is {ended}, so is it {status}", {"s": status, "workflow": whole,
               "s.output.r": 7, "s.reason": "Sub workflow child.1/x failure reason: no"},
               child_ends("s", ended, {"r": 7}, "no"))
        for ended, (status, whole) in ENDS.items()
    ),
    within("a retry by its definition starts another one", {"started": ["child", "child"]},
           child_ends("s", "FAILED"),
           definition={"retryCount": 1, "retryDelaySeconds": 0}),
    within("a failure for good is not tried again", {"s.attempts": 1},
           child_ends("s", "TERMINATED"), definition={"retryCount": 1}),
    within("an operator's retry starts another one", {"started": ["child", "child"]},
           child_ends("s", "FAILED"), happens(Retried())),
    within("or goes on in what was started, where it says so", {"started": ["child"],
           "s": "IN_PROGRESS"}, child_ends("s", "FAILED"), happens(Retried(resume=True))),
    within("a workflow that is not there fails it", {"workflow": "FAILED",
           "s.reason": Part("child")}, missing="child"),
)  # fmt: skip


@pytest.mark.parametrize("row", [*BY_WORKERS, *CHILDREN], ids=ids)
def test_what_is_made_at_run_time(row: Row) -> None:
    check(row)


def test_conductor_calls_a_task_of_workers_by_its_name() -> None:
    assert shown_kind(played(BY_WORKERS[0]).task("a")) == "charge"


def begun(kind: str, inputs: Json = None, *, domains: Mapping[str, str] | None = None,
          urgent: int = 0, **more: Json) -> StartExecution:  # fmt: skip
    """What the only task of an execution of that priority starts."""
    run = Simulator(workflow(task("s", kind, inputs, **more)), domains=domains)
    run.execution = changed(run.execution, priority=urgent)
    (start,) = run.begin().started
    return start


def child(*, domains: Mapping[str, str] | None = None, urgent: int = 0,
          **param: Json) -> StartExecution:  # fmt: skip
    return begun("SUB_WORKFLOW", {"x": 1}, domains=domains, urgent=urgent,
                 subWorkflowParam={"name": "child", **param})  # fmt: skip


def starting(kind: str, **given: Json) -> Simulator:
    """An execution whose only task is to start ``child``, as the input says."""
    request: dict[str, Json] = {
        "name": "child", **{name: f"${{workflow.input.{name}}}" for name in given}
    }  # fmt: skip
    if kind == "SUB_WORKFLOW":
        return Simulator(workflow(task("s", kind, subWorkflowParam=request)), given)
    return Simulator(workflow(task("s", kind, {"startWorkflow": request})), given)


def started(kind: str, **given: Json) -> StartExecution:
    (start,) = starting(kind, **given).begin().started
    return start


def test_a_child_is_given_the_input_and_knows_whose_it_is() -> None:
    start = child()
    assert (start.workflow, start.input, start.correlation_id) == ("child", {"x": 1}, "c-1")


def test_its_id_follows_from_its_parent_task_and_attempt() -> None:
    assert child().id == child().id


@pytest.mark.parametrize(
    ("said", "version"), [(None, 1), (0, 1), ("", 1), (3, 3), ("3", 3), (" 3 ", 3), (3.0, 3)]
)
@pytest.mark.parametrize("kind", ["SUB_WORKFLOW", "START_WORKFLOW"])
def test_its_version_is_the_one_that_is_said_or_the_latest(
    said: Json, version: int, kind: str
) -> None:
    # As an expression comes to it: often it is text.
    assert started(kind, version=said).version == version


@pytest.mark.parametrize("said", ["x", -1, 1.5, "1.5", True, [1], "9" * 400])
@pytest.mark.parametrize("field", ["version", "priority"])
@pytest.mark.parametrize("kind", ["SUB_WORKFLOW", "START_WORKFLOW"])
def test_a_number_that_is_none_starts_nothing(kind: str, field: str, said: Json) -> None:
    # The latest would be another workflow than the one that is meant.
    run = starting(kind, **{field: said}).begin()
    assert (run.started, run.status) == ([], "FAILED")
    assert f"{field} must be a whole number from 0 to" in run.task("s").reason


@pytest.mark.parametrize("kind", ["SUB_WORKFLOW", "START_WORKFLOW"])
def test_a_priority_may_be_text_and_is_at_most_99(kind: str) -> None:
    assert started(kind, priority="7").priority == 7
    assert starting(kind, priority=100).begin().status == "FAILED"


def test_it_has_the_domains_of_its_parent_unless_it_has_its_own() -> None:
    assert child(domains={"*": "eu"}).task_to_domain == {"*": "eu"}
    own = child(domains={"*": "eu"}, taskToDomain={"charge": "us"})
    assert own.task_to_domain == {"charge": "us"}


def test_its_priority_is_the_one_that_is_said_or_its_parents() -> None:
    # In Conductor that of a parent goes no further: what an urgent one waits for is not urgent.
    assert child(urgent=9, priority=4).priority == 4
    assert child(urgent=9).priority == 9
    check(Row("record", workflow(task("n", "NOOP")), {}, record=SMALLER))


def test_a_definition_within_is_marked_for_who_runs_it() -> None:
    inner: Json = {"name": "inner", "version": 1, "tasks": [task("n", "NOOP")]}
    start = child(workflowDefinition=inner)
    assert start.definition == inner
    assert start.input == {"x": 1, "_systemMetadata": {"dynamic": True}}


def test_a_definition_may_be_an_expression() -> None:
    inner: Json = {"name": "inner", "version": 1, "tasks": [task("n", "NOOP")]}
    param: Json = {"name": "x", "workflowDefinition": "${workflow.input.w}"}
    flow = workflow(task("s", "SUB_WORKFLOW", subWorkflowParam=param))
    (start,) = Simulator(flow, {"w": inner}).begin().started
    assert start.definition == inner


def test_a_child_ends_with_its_parent() -> None:
    run = Simulator(workflow(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"})))
    run.begin().happens(Terminated("enough"))
    (told,) = run.told
    assert told.event == Terminated(
        "Parent workflow has been terminated with reason: enough", by_parent=True
    )


def test_start_workflow_starts_what_nobody_waits_for() -> None:
    request: Json = {"name": "other", "version": 2, "input": {"k": 1}}
    start = begun("START_WORKFLOW", {"startWorkflow": request}, domains={"*": "eu"})
    assert (start.workflow, start.version, start.input) == ("other", 2, {"k": 1})
    assert (start.correlation_id, start.task_to_domain) == ("c-1", {"*": "eu"})
    run = Simulator(workflow(task("s", "START_WORKFLOW", {"startWorkflow": request}))).begin()
    assert run.task("s").output == {"workflowId": run.started[0].id}
    assert run.status == "COMPLETED"


def test_what_it_says_itself_wins() -> None:
    request: Json = {"name": "other", "correlationId": "own", "taskToDomain": {"*": "us"}}
    start = begun("START_WORKFLOW", {"startWorkflow": request}, domains={"*": "eu"})
    assert (start.correlation_id, start.task_to_domain) == ("own", {"*": "us"})


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [({}, "Missing 'startWorkflow' in input data."),
     ({"startWorkflow": {}}, "startWorkflow validation failed. 'name' -> must not be empty. "),
     ({"startWorkflow": {"name": "other", "input": [1]}},
      "startWorkflow validation failed. 'input' -> must be an object. ")],
)  # fmt: skip
def test_a_start_that_is_none_fails_the_task(inputs: Json, reason: str) -> None:
    row = Row("none", workflow(task("s", "START_WORKFLOW", inputs)), {"s": "FAILED",
              "s.reason": reason, "workflow": "FAILED"})  # fmt: skip
    check(row)


@pytest.mark.parametrize(
    ("sink", "event"),
    [("conductor", "conductor:flow:e"), ("conductor:paid", "conductor:flow:paid")],
)
def test_an_event_is_told_and_told_of(sink: str, event: str) -> None:
    run = Simulator(workflow(task("e", "EVENT", {"k": 1}, sink=sink)), domains={"*": "eu"})
    decision = run.begin().task("e").output
    assert decision == {
        "k": 1, "workflowInstanceId": run.execution.id, "workflowType": "flow",
        "workflowVersion": 1, "correlationId": "c-1", "taskToDomain": {"*": "eu"},
        "event_produced": event,
    }  # fmt: skip
    assert run.status == "COMPLETED"


def test_what_is_told_of_an_event_is_its_input_and_whose_it_is() -> None:
    published: list[Publish] = []

    class Told(Simulator):
        def _obey(self, command: object) -> None:
            published.extend([command] if isinstance(command, Publish) else [])

    Told(workflow(task("e", "EVENT", {"k": 1}, sink="conductor"))).begin()
    (publish,) = published
    assert publish.payload["k"] == 1
    assert publish.payload["workflowType"] == "flow"


@pytest.mark.parametrize("sink", ["sqs:q", "kafka:t", "nats:s", "amqp_queue:q", "conductor:"])
def test_another_sink_is_refused_by_name(sink: str) -> None:
    row = Row("sink", workflow(task("e", "EVENT", {"k": 1}, sink=sink)),
              {"e": GIVEN_UP, "e.reason": Part(sink)}, record=SMALLER)  # fmt: skip
    check(row)

"""That forks, joins, loops and sub-workflows fit: each as one kind, at a small price per event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from services.executor.core.commands import Command, StartExecution
from services.executor.core.events import Retried, Started, Terminated
from services.executor.core.identity import derived_id
from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting
from services.executor.core.model import Json, TaskStatus
from services.executor.kinds import KINDS
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


class Fork(Kind):
    """Enters all its branches; the JOIN behind it does not wait for them to be reached."""

    retried = False

    def begin(self, view: View) -> Next:
        return Finished(enter=tuple(view.step.blocks), detached=True)


class Join(Kind):
    """Waits for what ``joinOn`` names; its output is theirs by ref."""

    retried = False
    reopened = True

    def begin(self, view: View) -> Next:
        return Waiting(awaits=refs(view))

    def joined(self, view: View) -> Next:
        return Finished(output={ref: view.resolve(f"${{{ref}.output}}") for ref in refs(view)})


def refs(view: View) -> tuple[str, ...]:
    joined = view.step.document["joinOn"]
    assert isinstance(joined, list)
    return tuple(map(str, joined))


class Loop(Kind):
    """Enters its block again and again, until its condition says no."""

    retried = False
    reopened = True

    def begin(self, view: View) -> Next:
        return Waiting(enter=("loopOver",), round=1)

    def joined(self, view: View) -> Next:
        scope: dict[str, Json] = {"iteration": view.task.round}
        source = str(view.step.document["loopCondition"])
        return Waiting(compute=Script(f"condition {view.task.round}", source, scope))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        if error is not None:
            return Finished(TaskStatus.FAILED, reason=error)
        if value:
            return Waiting(enter=("loopOver",), round=view.task.round + 1)
        return Finished(output={"iteration": view.task.round})


def child_id(view: View) -> str:
    return derived_id("child", view.execution_id, view.task.id)


class SubWorkflow(Kind):
    """Starts another workflow and waits for its end, which comes as a word from outside."""

    def begin(self, view: View) -> Next:
        start = StartExecution(child_id(view), "child", 0, view.input)
        return Waiting(commands=(start,), output={"subWorkflowId": start.id})

    def cancelled(self, view: View) -> tuple[Command, ...]:
        return (StartExecution(child_id(view), "stop child", 0, {}),)


class Counting(Kind):
    """Another kind, and how often it was asked."""

    def __init__(self, kind: Kind, asked: Counter[str]) -> None:
        self._kind = kind
        self._asked = asked
        self.retried = kind.retried
        self.reopened = kind.reopened

    def begin(self, view: View) -> Next:
        self._asked["begin"] += 1
        return self._kind.begin(view)

    def performed(self, view: View, outcome: object) -> Next:
        self._asked["performed"] += 1
        return self._kind.performed(view, outcome)

    def joined(self, view: View) -> Next:
        self._asked["joined"] += 1
        return self._kind.joined(view)

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        self._asked["computed"] += 1
        return self._kind.computed(view, label, value, error)


MORE: Mapping[str, Kind] = {
    **KINDS, "FORK_JOIN": Fork(), "JOIN": Join(), "DO_WHILE": Loop(), "SUB_WORKFLOW": SubWorkflow(),
}  # fmt: skip


def forked(branches: int) -> list[dict[str, Json]]:
    ends: list[Json] = [f"b{number}" for number in range(branches)]
    tasks: list[Json] = [[http(f"a{number}"), http(f"b{number}")] for number in range(branches)]
    return [
        task("fork", "FORK_JOIN", forkTasks=tasks),
        task("join", "JOIN", joinOn=ends),
        task("end", "NOOP"),
    ]


def test_a_fork_runs_side_by_side_and_a_join_waits_for_all() -> None:
    run = Simulator(workflow(*forked(2)), kinds=MORE).begin()
    assert set(run.execution.tasks) == {"fork", "a0", "a1", "join"}
    run.answers("a1", answer())
    run.answers("b1", answer({"n": 1}))
    run.crash()
    assert run.task("join").open == 1
    run.answers("a0", answer())
    assert run.task("join").status == "IN_PROGRESS"
    run.answers("b0", answer({"n": 0}))

    assert run.status == "COMPLETED"
    assert run.task("join").output == {"b0": run.task("b0").output, "b1": run.task("b1").output}


def test_a_branch_that_fails_ends_the_rest_and_can_be_retried() -> None:
    run = Simulator(workflow(*forked(2)), kinds=MORE).begin()
    run.answers("a0", answer(status=500))
    assert [run.task(ref).status.value for ref in ("a1", "join")] == ["CANCELED", "CANCELED"]
    run.happens(Retried())

    assert run.task("join").status == "IN_PROGRESS"
    for ref in ("a0", "a1", "b0", "b1"):
        run.answers(ref, answer())
    assert run.status == "COMPLETED"
    assert (run.task("join").attempt, run.task("a0").attempt) == (0, 1)


@pytest.mark.parametrize("order", [("a0", "b0", "b1"), ("b0", "a0", "b1")])
def test_a_join_waits_for_all_that_a_retry_runs_again(order: tuple[str, ...]) -> None:
    fork, *rest = forked(2)
    first = http("a0", None, permissive=True)
    fork["forkTasks"] = [[first, http("b0")], [http("a1"), http("b1")]]
    run = Simulator(workflow(fork, *rest), kinds=MORE).begin()
    run.answers("a1", answer())
    run.answers("a0", answer(status=500))
    run.answers("b0", answer(status=500))
    run.happens(Retried())
    for ref in order:
        assert run.task("join").status == "IN_PROGRESS"
        run.answers(ref, answer())

    assert run.status == "COMPLETED"
    assert {row.status for row in run.execution.tasks.values()} == {"COMPLETED"}


def test_a_branch_that_is_retried_behind_its_join_is_waited_for() -> None:
    fork, *rest = forked(2)
    first = http("a0", None, permissive=True)
    fork["forkTasks"] = [[first, http("b0")], [http("a1"), http("b1")]]
    run = Simulator(workflow(fork, *rest), kinds=MORE).begin()
    for ref in ("a0", "a1", "b0", "b1"):
        run.answers(ref, answer(status=500 if ref == "a0" else 200))
    assert run.status == "FAILED"
    run.happens(Retried())
    assert run.status == "RUNNING"
    run.answers("a0", answer())

    assert run.status == "COMPLETED"


def test_a_wide_fork_costs_one_small_step_a_branch() -> None:
    asked: Counter[str] = Counter()
    kinds = {name: Counting(kind, asked) for name, kind in MORE.items()}
    run = Simulator(workflow(*forked(2_000)), kinds=kinds).begin()
    assert asked == {"begin": 2_002}
    asked.clear()
    touched = 0
    for number in range(2_000):
        touched += len(run.answers(f"a{number}", answer()).changed)
        touched += len(run.answers(f"b{number}", answer()).changed)

    assert run.status == "COMPLETED"
    assert asked == {"performed": 4_000, "begin": 2_001, "joined": 1}
    # The task and its successor; the task and the join; at last the end.
    assert touched == 2_000 * 2 + 2_000 * 2 + 1


def test_ten_thousand_steps_are_ten_thousand_small_steps() -> None:
    asked: Counter[str] = Counter()
    kinds = {name: Counting(kind, asked) for name, kind in KINDS.items()}
    inline: Json = {"expression": "1"}
    steps = [
        task(f"t{number}", "INLINE", inline) if number % 2 else task(f"t{number}", "NOOP")
        for number in range(10_000)
    ]
    run = Simulator(workflow(*steps), kinds=kinds, judge=lambda source, scope: 1)
    run.happens(Started())

    assert run.status == "COMPLETED"
    assert asked == {"begin": 10_000, "computed": 5_000}
    assert len(run.rows) == 10_000


def looped(*block: dict[str, Json]) -> list[dict[str, Json]]:
    tasks: list[Json] = [*block]
    return [task("loop", "DO_WHILE", loopOver=tasks, loopCondition="$.iteration < 3"),
            task("end", "INLINE", {"expression": "n", "evaluatorType": "value-param",
                                   "n": "${say.output}"})]  # fmt: skip


def test_a_loop_numbers_its_tasks_and_sees_its_latest_round() -> None:
    switch = task("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v",
                  decisionCases={"x": [http("deep", {"body": "${say.output.body}"})]})  # fmt: skip

    def less_than_three(source: str, scope: Mapping[str, Json]) -> Json:
        return scope["iteration"] in (1, 2)

    flow = workflow(*looped(http("say"), switch))
    run = Simulator(flow, judge=less_than_three, kinds=MORE).begin()
    keys = set()
    for number in (1, 2, 3):
        keys.add(run.request(f"say__{number}").idempotency_key)
        run.answers(f"say__{number}", answer({"n": number}))
        assert run.request(f"deep__{number}").body == {"n": number}
        assert run.task(f"deep__{number}").iteration == number
        run.answers(f"deep__{number}", answer())
        run.crash()

    assert run.status == "COMPLETED"
    assert len(keys) == 3
    assert run.task("loop").output == {"iteration": 3}
    output = run.execution.output
    assert isinstance(output, dict)
    assert output["result"] == run.task("say__3").output


def test_a_round_that_fails_is_retried_within_its_loop() -> None:
    run = Simulator(workflow(*looped(http("say"))), judge=lambda s, c: False, kinds=MORE).begin()
    run.answers("say__1", answer(status=500))
    assert run.status == "FAILED"
    run.happens(Retried())
    run.answers("say__1", answer())

    assert run.status == "COMPLETED"


def test_a_loop_whose_condition_failed_asks_it_again_when_it_is_retried() -> None:
    verdicts = iter((ArithmeticError("it throws"), False))

    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        verdict = next(verdicts)
        if isinstance(verdict, ArithmeticError):
            raise verdict
        return verdict

    run = Simulator(workflow(*looped(http("say"))), judge=judge, kinds=MORE).begin()
    run.answers("say__1", answer())
    assert run.status == "FAILED"
    run.happens(Retried())

    assert run.status == "COMPLETED"


def test_another_workflow_is_started_and_waited_for() -> None:
    run = Simulator(workflow(task("sub", "SUB_WORKFLOW", {"x": 1})), kinds=MORE).begin()
    (child,) = run.started
    assert (child.workflow, child.input) == ("child", {"x": 1})
    run.says("sub", "COMPLETED", {"from": "child"})

    assert run.execution.output == {"subWorkflowId": child.id, "from": "child"}


def test_a_kind_is_told_when_the_execution_ends_before_it() -> None:
    run = Simulator(workflow(task("sub", "SUB_WORKFLOW")), kinds=MORE).begin()
    run.happens(Terminated())

    assert [started.workflow for started in run.started] == ["child", "stop child"]
    assert run.task("sub").status is TaskStatus.CANCELED

"""That sub-workflows fit, and that what a step costs does not grow with the number of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from services.executor.core.commands import Command, StartExecution
from services.executor.core.events import Started, Terminated
from services.executor.core.identity import derived_id
from services.executor.core.kind import Kind, Next, View, Waiting
from services.executor.core.model import Json, TaskStatus
from services.executor.kinds import KINDS
from tests.executor.core.counting import Counting
from tests.executor.core.simulator import Simulator, task, workflow


def child_id(view: View) -> str:
    return derived_id("child", view.execution_id, view.task.id)


class SubWorkflow(Kind):
    """Starts another workflow and waits for its end, which comes as a word from outside."""

    def begin(self, view: View) -> Next:
        start = StartExecution(child_id(view), "child", 0, view.input)
        return Waiting(commands=(start,), output={"subWorkflowId": start.id})

    def cancelled(self, view: View) -> tuple[Command, ...]:
        return (StartExecution(child_id(view), "stop child", 0, {}),)


MORE: Mapping[str, Kind] = {**KINDS, "SUB_WORKFLOW": SubWorkflow()}


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

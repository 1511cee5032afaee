"""That what a step costs does not grow with the number of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from services.executor.core.deciding import Deciding
from services.executor.core.events import Started
from services.executor.core.flow import MOST_FAILED_REFS
from services.executor.core.model import Json, Task
from services.executor.core.sizes import MAX_REASON_CHARS
from services.executor.kinds import KINDS
from tests.executor.core.counting import Counting
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


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


def test_a_loop_that_fails_alone_costs_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def loop(number: int, **more: Json) -> dict[str, Json]:
        body: list[Json] = [http(f"h{number}"), http(f"i{number}")]
        return task(f"l{number}", "DO_WHILE", loopCondition="false", loopOver=body, **more)

    loops: list[Json] = [[loop(number, optional=True)] for number in range(5)]
    refs: list[Json] = [f"l{number}" for number in range(5)]
    flow = workflow(task("f", "FORK_JOIN", forkTasks=loops), task("j", "JOIN", joinOn=refs))
    run = Simulator(flow).begin()

    def all_of_them(deciding: Deciding) -> Iterator[Task]:
        raise AssertionError("what a loop comes to is no matter of all tasks of the execution")

    monkeypatch.setattr(Deciding, "tasks", all_of_them)
    run.answers("h3__1", answer(status=404))
    assert run.task("l3").status == "COMPLETED_WITH_ERRORS"
    assert run.status == "RUNNING"


def test_of_many_that_may_fail_some_are_named() -> None:
    made: list[Json] = [
        {"name": "h", "taskReferenceName": f"h{number}", "type": "HUMAN", "permissive": True}
        for number in range(MOST_FAILED_REFS + 10)
    ]
    fork = task("f", "FORK_JOIN_DYNAMIC", {"tasks": "${workflow.input.tasks}", "inputs": {}},
                dynamicForkTasksParam="tasks", dynamicForkTasksInputParamName="inputs")  # fmt: skip
    run = Simulator(workflow(fork, task("j", "JOIN", permissive=True)), {"tasks": made}).begin()
    for each in made:
        assert isinstance(each, dict)
        run.says(str(each["taskReferenceName"]), "FAILED_WITH_TERMINAL_ERROR", reason="x" * 5000)

    assert len(run.execution.failed_refs) == MOST_FAILED_REFS
    assert (run.status, run.task("j").status) == ("FAILED", "FAILED")
    assert len(run.task("j").reason) <= MAX_REASON_CHARS

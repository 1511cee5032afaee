"""That what a step costs does not grow with the number of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from services.executor.core.deciding import Deciding
from services.executor.core.events import Started
from services.executor.core.model import Json, Task
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

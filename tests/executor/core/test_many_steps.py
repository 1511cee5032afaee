"""That what a step costs does not grow with the number of steps."""

from __future__ import annotations

from collections import Counter

from services.executor.core.events import Started
from services.executor.core.model import Json
from services.executor.kinds import KINDS
from tests.executor.core.counting import Counting
from tests.executor.core.simulator import Simulator, task, workflow


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

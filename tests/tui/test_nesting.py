"""How tasks stand within each other: the same that is drawn."""

from __future__ import annotations

from typing import Any

from tests.tui.graph.workflows import ORDER
from tui.views.graph.plan import DEEPEST, read
from tui.views.nesting import nesting_of


def loop(ref: str, *tasks: Any) -> dict[str, Any]:
    return {"taskReferenceName": ref, "name": ref, "type": "DO_WHILE", "loopOver": list(tasks)}


def test_what_is_drawn_is_what_the_timeline_knows() -> None:
    drawn = {step.ref: step for step in read(ORDER).by_key.values()}
    nesting = nesting_of(ORDER)

    assert list(nesting.by_ref) == [ref for ref in drawn if ref]
    for ref, step in nesting.by_ref.items():
        assert [inner.ref for branch in step.branches for inner in branch.steps] == [
            inner.ref for branch in drawn[ref].branches for inner in branch.steps
        ]


def test_a_step_knows_what_is_around_it_and_which_of_that_are_loops() -> None:
    inner = {"taskReferenceName": "inner", "name": "inner"}
    fork = {
        "taskReferenceName": "fork", "name": "fork", "type": "FORK_JOIN", "forkTasks": [[inner]],
    }  # fmt: skip
    nesting = nesting_of({"tasks": [loop("outer", fork)]})

    step = nesting.by_ref["inner"]
    assert (step.around, step.loops, step.kind) == (("outer", "fork"), ("outer",), "SIMPLE")


def test_a_ref_that_comes_twice_counts_where_it_stands_first() -> None:
    nesting = nesting_of({"tasks": [loop("a", loop("a", loop("b"))), loop("b", loop("c"))]})

    assert [step.ref for step in nesting.steps] == ["a", "b"]
    assert nesting.by_ref["a"].branches == ()
    assert nesting.by_ref["c"].around == ("b",)


def test_what_is_malformed_or_too_deep_is_left_out() -> None:
    task: Any = loop("deepest")
    for depth in range(DEEPEST + 5):
        task = loop(f"d{depth}", task)

    assert len(
        nesting_of({"tasks": [task, 1, {"type": "NOOP"}, {"taskReferenceName": 3}]}).by_ref
    ) == (DEEPEST + 1)
    assert nesting_of({"tasks": "none"}).steps == ()

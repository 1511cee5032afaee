"""Which attempts an execution's drawing shows, and the tasks that it has made itself."""

from __future__ import annotations

from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from tests.tui.graph.workflows import task, workflow
from tui.views.graph.composing import MOST_GROWN
from tui.views.graph.drawing import lay_out
from tui.views.graph.overlay import (
    Attempt,
    Overlay,
    grown,
    of_document,
    of_states,
    rounds,
    tally,
)
from tui.views.graph.plan import read

DYNAMIC = workflow(
    task("before"), task("dyn", "FORK_JOIN_DYNAMIC"), task("dj", "JOIN"), task("after")
)


def state(ref: str, sequence: int, status: str = "COMPLETED", **fields: Any) -> pb.TaskState:
    value = pb.TaskStatus.Value(f"TASK_STATUS_{status}")
    return pb.TaskState(
        task_id=f"{ref}/{sequence}", ref=ref, kind="HTTP", sequence=sequence, status=value, **fields
    )


def test_the_latest_attempt_counts_in_whatever_order_they_come() -> None:
    attempts = [state("a", 1, "FAILED"), state("a", 2, "IN_PROGRESS", attempt=1)]

    for ordered in (attempts, attempts[::-1]):
        assert of_states(ordered).attempts["a"] == Attempt("a", "HTTP", "IN_PROGRESS", 2, 1)


def test_a_change_replaces_what_was_known_and_keeps_the_rest() -> None:
    before = of_states([state("a", 1), state("b", 2, "IN_PROGRESS")], "RUNNING")

    after = before.changed([state("b", 2, "FAILED"), state("a", 0, "FAILED")], "FAILED")

    assert {ref: each.status for ref, each in after.attempts.items()} == {
        "a": "COMPLETED",
        "b": "FAILED",
    }
    assert after.status == "FAILED"
    assert before.attempts["b"].status == "IN_PROGRESS"


def test_the_last_iteration_of_a_loop_is_shown_at_its_tasks() -> None:
    overlay = of_states([state("t__1", 2, iteration=1), state("t__2", 3, "FAILED", iteration=2)])

    assert overlay.attempts == {"t": Attempt("t", "HTTP", "FAILED", 3, iteration=2)}


def test_an_execution_is_read_as_conductor_writes_it() -> None:
    overlay = of_document({
        "status": "RUNNING",
        "tasks": [
            {"referenceTaskName": "s", "taskType": "SWITCH", "status": "COMPLETED", "seq": 1,
             "outputData": {"selectedCase": "high"}},
            {"referenceTaskName": "s", "status": "FAILED", "seq": 0},
            {"referenceTaskName": 5}, None,
        ],
    })  # fmt: skip

    assert overlay.status == "RUNNING"
    assert overlay.attempts == {"s": Attempt("s", "SWITCH", "COMPLETED", 1, selected="high")}
    again = overlay.changed([state("s", 1)])
    assert again.attempts["s"].selected == "high"


def test_the_tasks_of_a_dynamic_fork_are_drawn_once_they_are_there() -> None:
    states = [state("before", 1), state("dyn", 2), state("x", 3, "FAILED"), state("y", 4)]
    overlay = of_states(states)
    drawing = lay_out(DYNAMIC, overlay)

    assert list(drawing.regions) == ["before", "dyn", "x", "y", "dj", "after"]
    assert drawing.regions["x"].y == drawing.regions["y"].y
    assert drawing.regions["x"].parent == "dyn"
    assert list(lay_out(DYNAMIC).regions) == ["before", "dyn", "dj", "after"]


def test_many_tasks_of_a_dynamic_fork_are_one_box_until_it_is_opened() -> None:
    count = MOST_GROWN + 1
    states = [state(f"x{number}", 10 + number) for number in range(count)]
    overlay = of_states([state("dyn", 2), *states, state("x0", 30, "FAILED")])

    drawing = lay_out(DYNAMIC, overlay)
    rows = "\n".join(drawing.text(overlay))
    opened = lay_out(DYNAMIC, overlay, opened={"dyn"})

    assert f"FORK_JOIN_DYNAMIC ×{count} ({count} tasks)" in rows  # noqa: RUF001
    assert f"✔{count - 1} ✘1" in rows
    assert "x0" not in drawing.regions
    assert "x0" in opened.regions


def test_a_task_is_of_the_fork_that_names_it_or_else_of_the_last_before_it() -> None:
    plan = read(workflow(task("one", "FORK_JOIN_DYNAMIC"), task("two", "FORK_JOIN_DYNAMIC")))
    overlay = Overlay({
        "one": Attempt("one", "", "COMPLETED", 1, forked=("late",)),
        "x": Attempt("x", "HTTP", "COMPLETED", 2),
        "two": Attempt("two", "", "COMPLETED", 3),
        "y": Attempt("y", "HTTP", "COMPLETED", 4),
        "late": Attempt("late", "HTTP", "COMPLETED", 5),
    })  # fmt: skip

    found = grown(plan, overlay)

    assert [step.ref for step in found["one"]] == ["x", "late"]
    assert [step.ref for step in found["two"]] == ["y"]


def test_tasks_that_nobody_planned_are_left_out_where_no_fork_made_them() -> None:
    assert grown(read(DYNAMIC), of_states([state("x", 3)])) == {}


def test_statuses_of_one_glyph_are_counted_together() -> None:
    overlay = of_states([state("a", 1, "FAILED"), state("b", 2, "FAILED_WITH_TERMINAL_ERROR")])

    assert [(look.glyph, count) for look, count in tally(("a", "b", "c"), overlay)] == [("✘", 2)]


def test_a_loop_has_as_many_rounds_as_its_tasks_tell_and_not_those_of_a_loop_within() -> None:
    inner = task("inner", "DO_WHILE", loopOver=[task("deep")])
    outer = task("outer", "DO_WHILE", loopOver=[task("plain"), inner])
    steps = read(workflow(outer)).by_key
    overlay = of_states([
        state("outer", 1, "IN_PROGRESS"), state("plain__2", 5, iteration=2),
        state("inner__2", 6, "IN_PROGRESS", iteration=2), state("deep__2__7", 9, iteration=7),
    ])  # fmt: skip

    assert [rounds(steps[key], overlay) for key in ("outer", "inner", "plain")] == [2, 7, 0]
    assert rounds(steps["outer"], None) == rounds(steps["outer"], Overlay({})) == 0

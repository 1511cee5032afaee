"""Drawings as they look, and what they say of documents and executions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.graph.workflows import ORDER, standing, task, workflow
from tests.tui.screen import assert_snapshot
from tui.views.graph.composing import MOST_BRANCHES
from tui.views.graph.drawing import Drawing, lay_out
from tui.views.graph.listing import as_json, summary
from tui.views.graph.overlay import Attempt, Overlay
from tui.views.graph.painting import Run
from tui.views.graph.plan import DEEPEST, MOST_TASKS

# Half-way: the fork's branches are under way.
STANDING = standing(
    validate="COMPLETED", risk="COMPLETED", auto_ok="COMPLETED", fork="COMPLETED",
    charge="FAILED", stock="COMPLETED", label="IN_PROGRESS", join="IN_PROGRESS",
)  # fmt: skip


def text(drawing: Drawing, overlay: Overlay | None = None) -> str:
    return "\n".join(drawing.text(overlay))


def runs(drawing: Drawing, overlay: Overlay | None = None) -> list[Run]:
    return [run for y in range(drawing.height) for run in drawing.row(y, overlay)]


def test_a_workflow_is_drawn() -> None:
    assert_snapshot(text(lay_out(ORDER)), "graph_order")


def test_an_execution_is_drawn_over_it() -> None:
    assert_snapshot(text(lay_out(ORDER, STANDING), STANDING), "graph_order_standing")


def test_it_is_drawn_in_ascii() -> None:
    assert_snapshot(text(lay_out(ORDER, STANDING, ascii=True), STANDING), "graph_order_ascii")


def test_blocks_are_drawn_folded() -> None:
    folded = ("risk", "fork", "loop")

    drawing = lay_out(ORDER, STANDING, folded=folded)

    assert_snapshot(text(drawing, STANDING), "graph_order_folded")
    assert drawing.plan.foldable == folded


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("no", "the workflow is no object"),
        (workflow(task("a"), 7), "tasks[1] is no object"),
        ({"tasks": {}}, "tasks is no list"),
        (workflow({"type": "HTTP"}), "tasks[0] has no taskReferenceName"),
        (workflow(task("a"), task("a")), "tasks[1] has the taskReferenceName of tasks[0]"),
        (workflow(task("a", type=None)), "tasks[0].type is no text"),
        (workflow(task("s", "SWITCH", decisionCases=[])), "tasks[0].decisionCases is no object"),
        (
            workflow(task("s", "SWITCH", decisionCases={"x": 1})),
            "tasks[0].decisionCases.x is no list",
        ),
        (workflow(task("f", "FORK_JOIN", forkTasks={})), "tasks[0].forkTasks is no list"),
        (workflow(task("f", "FORK_JOIN", forkTasks=[0])), "tasks[0].forkTasks[0] is no list"),
    ],
)
def test_what_cannot_be_read_is_said(document: Any, fault: str) -> None:
    drawing = lay_out(document)

    assert drawing.plan.faults == (fault,)
    assert text(drawing).split()[-1] == "end"


def test_two_of_one_name_have_two_boxes() -> None:
    assert list(lay_out(workflow(task("a"), task("a"))).regions) == ["a", "tasks[1]"]


def test_too_many_tasks_are_not_drawn_and_that_is_said() -> None:
    drawing = lay_out(workflow(*(task(f"t{number}") for number in range(MOST_TASKS + 5))))

    assert len(drawing.regions) == MOST_TASKS
    assert "… 5 more" in text(drawing)
    assert "more than 10,000 tasks: from tasks[10000] on" in drawing.plan.faults[0]


def test_a_document_in_itself_is_drawn_to_a_depth_and_that_is_said() -> None:
    document = workflow(task("loop", "DO_WHILE", loopOver=[]))
    document["tasks"][0]["loopOver"] = document["tasks"]

    drawing = lay_out(document)

    assert len(drawing.regions) == DEEPEST + 1
    assert f"is {DEEPEST} deep: what is in it is not drawn" in drawing.plan.faults[-1]


def test_beyond_many_branches_the_rest_is_counted() -> None:
    forks = [[task(f"t{number}")] for number in range(MOST_BRANCHES + 3)]

    assert "… 3 more" in text(lay_out(workflow(task("f", "FORK_JOIN", forkTasks=forks))))


def test_many_faults_are_counted() -> None:
    faults = lay_out(workflow(*([None] * 80))).plan.faults

    assert len(faults) == 51
    assert faults[-1] == "and 30 more"


def test_control_characters_and_wide_names_break_no_box() -> None:
    drawn = text(lay_out(workflow(task("bad\x1b[2J"), task("任务" * 30))))

    assert "bad\\x1b[2J" in drawn
    assert "任务任务任务任务任务任务任务任务任…" in drawn


def test_a_join_says_how_many_branches_it_waits_for() -> None:
    fork = task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")], [task("c")]])

    assert "joins 2 of 3" in text(lay_out(workflow(fork, task("j", "JOIN", joinOn=["a", "c"]))))
    assert "joins" not in text(lay_out(workflow(fork, task("j", "JOIN", joinOn=["a", "b", "c"]))))


def test_a_door_tells_where_it_leads() -> None:
    known = task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "audit", "version": 2})
    late = task("t", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "${w.name}"}})

    drawing = lay_out(workflow(known, late))

    assert drawing.regions["s"].step.opens == ("audit", 2)
    assert drawing.regions["t"].step.opens is None
    assert "→ audit v2" in text(drawing)


def test_retries_polls_and_iterations_are_told() -> None:
    document = workflow(
        task("call", "HTTP"), task("loop", "DO_WHILE", loopOver=[task("poll", "HTTP_POLL")])
    )
    overlay = Overlay({
        "call": Attempt("call", "HTTP", "COMPLETED", retries=2),
        "loop": Attempt("loop", "DO_WHILE", "IN_PROGRESS"),
        "poll": Attempt("poll", "HTTP_POLL", "IN_PROGRESS", polls=1203, retries=1, iteration=7),
    })  # fmt: skip

    drawn = text(lay_out(document, overlay), overlay)

    assert "│   HTTP   ↻2 │" in drawn
    assert "╭╌ ● loop  DO_WHILE ×7 ╌" in drawn  # noqa: RUF001
    assert "↻1 1k polls │" in drawn
    folded = text(lay_out(document, overlay, folded=frozenset(("loop",))), overlay)
    assert "DO_WHILE (1 task)    ×7 │" in folded  # noqa: RUF001


def edges_of_labels(overlay: Overlay, *more: str) -> dict[str, str]:
    """By the case of a SWITCH, how the way to it is drawn."""
    cases = {"a": [task("in_a")], **{case: [] for case in ("b", "c", *more)}}
    document = workflow(task("s", "SWITCH", decisionCases=cases), task("after"))
    return {
        run.text: run.role
        for run in runs(lay_out(document, overlay), overlay)
        if run.role.startswith("label")
    }


def test_the_way_that_was_taken_stands_out() -> None:
    drawn = edges_of_labels(standing(s="COMPLETED", in_a="IN_PROGRESS"))

    assert drawn == {"a": "label-taken", "b": "label", "c": "label", "default": "label"}


def test_an_empty_way_is_taken_where_the_switch_says_so() -> None:
    overlay = Overlay({"s": Attempt("s", "SWITCH", "COMPLETED", selected="c")})

    assert edges_of_labels(overlay)["c"] == "label-taken"
    assert edges_of_labels(overlay)["b"] == "label"
    overlay = Overlay({"s": Attempt("s", "SWITCH", "COMPLETED", selected="other")})
    assert edges_of_labels(overlay)["default"] == "label-taken"


def test_an_empty_way_with_a_label_that_is_cut_is_taken_all_the_same() -> None:
    overlay = Overlay({"s": Attempt("s", "SWITCH", "COMPLETED", selected="of many words " * 3)})

    drawn = edges_of_labels(overlay, "of many words " * 3, "of many words, too " * 3)

    assert list(drawn.values()) == ["label"] * 3 + ["label-taken"] + ["label"] * 2


def test_lines_are_taken_as_far_as_the_execution_has_come() -> None:
    document = workflow(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]), task("j", "JOIN")
    )
    overlay = standing(f="COMPLETED", a="COMPLETED", b="IN_PROGRESS", j="IN_PROGRESS")
    drawing = lay_out(document, overlay)

    bus = drawing.row(drawing.regions["a"].bottom, overlay)

    assert [run.role for run in bus] == ["edge-taken", "edge-taken", "edge-taken", "edge", "edge"]
    assert {run.role for run in drawing.row(drawing.height - 2, overlay)} == {"edge"}


def test_the_end_is_reached_by_who_completed() -> None:
    document = workflow(task("a"))
    for status, role in (("COMPLETED", "edge-taken"), ("FAILED", "edge")):
        overlay = standing(status, a="COMPLETED")
        drawing = lay_out(document, overlay)
        assert [run.role for run in drawing.row(drawing.height - 2, overlay)] == [role]


def test_a_summary_counts_tasks_and_statuses() -> None:
    drawing = lay_out(ORDER, STANDING)

    assert summary(drawing) == "15 tasks"
    assert summary(drawing, STANDING) == "15 tasks · ✔ 5 ● 2 ✘ 1"
    assert summary(lay_out(workflow(task("a"), 7, 8))) == "1 task · 2 faults"


def test_the_places_of_nodes_are_told_as_data() -> None:
    told = as_json(lay_out(workflow(task("a", "HTTP"))), standing(a="FAILED"))

    assert told["nodes"] == [
        {
            "ref": "a", "type": "HTTP", "path": "tasks[0]", "parent": "",
            "x": 0, "y": 2, "width": 11, "height": 4,
            "status": "FAILED", "retries": 0, "iteration": 0, "polls": 0,
        }
    ]  # fmt: skip
    assert (told["width"], told["height"], told["spine"]) == (11, 8, 5)

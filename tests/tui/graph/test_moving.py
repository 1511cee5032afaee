"""Moves from task to task."""

from __future__ import annotations

import pytest

from tests.tui.graph.workflows import ORDER, standing, task, workflow
from tui.views.graph.drawing import lay_out
from tui.views.graph.moving import Moves, find, home_of, path, running


@pytest.mark.parametrize(
    ("start", "direction", "goal"),
    [
        ("validate", "down", "risk"),
        ("risk", "up", "validate"),
        ("risk", "down", "review"),
        ("auto_ok", "right", "review"),
        ("auto_ok", "left", "auto_ok"),
        ("review", "left", "auto_ok"),
        ("review", "down", "notify"),
        ("notify", "left", "auto_ok"),
        ("auto_ok", "down", "fork"),
        ("reject", "down", "notify"),
        ("fork", "up", "notify"),
        ("charge", "down", "join"),
        ("join", "down", "loop"),
        ("loop", "down", "track"),
        ("track", "up", "loop"),
        ("store", "down", "audit"),
        ("audit", "up", "store"),
        ("audit", "down", "audit"),
    ],
)
def test_moves_follow_the_flow_or_go_beside(start: str, direction: str, goal: str) -> None:
    assert Moves(lay_out(ORDER)).to(start, direction) == goal


def test_the_first_and_the_last_are_found() -> None:
    moves = Moves(lay_out(ORDER))

    assert (moves.first(), moves.last()) == ("validate", "audit")
    assert Moves(lay_out({})).first() == Moves(lay_out({})).last() == ""
    assert Moves(lay_out({})).to("", "down") == ""


def test_what_is_folded_is_found_at_its_block() -> None:
    nested = workflow(task("outer", "DO_WHILE", loopOver=[
        task("inner", "DO_WHILE", loopOver=[task("leaf")])]))  # fmt: skip

    assert path(lay_out(nested), "leaf") == ["outer", "inner", "leaf"]
    assert home_of(lay_out(nested, folded=["inner"]), "leaf") == "inner"
    assert home_of(lay_out(nested, folded=["outer", "inner"]), "leaf") == "outer"
    assert home_of(lay_out(nested), "gone") == ""


def test_tasks_are_found_by_ref_and_type_from_the_top() -> None:
    assert find(lay_out(ORDER), "HTTP") == ["validate", "notify", "charge", "track"]
    assert find(lay_out(ORDER), "re") == ["review", "reject", "store"]
    assert find(lay_out(ORDER), "nothing") == []


def test_the_running_task_is_the_last_that_began_and_no_join_that_waits() -> None:
    drawing = lay_out(ORDER, folded=["loop"])

    assert running(drawing, standing(charge="IN_PROGRESS", label="IN_PROGRESS")) == "label"
    assert running(drawing, standing(charge="IN_PROGRESS", join="IN_PROGRESS")) == "charge"
    assert running(drawing, standing(charge="IN_PROGRESS", label="SCHEDULED")) == "charge"
    assert running(drawing, standing(join="IN_PROGRESS")) == "join"
    assert running(drawing, standing(loop="IN_PROGRESS", track="IN_PROGRESS")) == "loop"
    assert running(drawing, standing(validate="COMPLETED")) == ""

"""Loops that keep their last rounds only, with branches and loops that are made at run time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.executor.core.events import Rerun
from tests.simulation.scenes import flow, playing, step


def _fork(ref: str, *branches: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A fork whose branches are the tasks that are given, and its join."""
    names = [each["taskReferenceName"] for each in branches]
    fork = step(
        ref, "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="tasks",
        dynamicForkTasksInputParamName="inputs",
        inputParameters={"tasks": [*branches], "inputs": {name: {} for name in names}},
    )  # fmt: skip
    return fork, step(f"{ref}_join", "JOIN")


def test_a_round_goes_with_its_branches(tmp_path: Path) -> None:
    inner = step("inner", "SWITCH", evaluatorType="value-param", expression="x",
                 decisionCases={}, defaultCase=[step("deep", "NOOP")])  # fmt: skip
    loop = step("loop", "DO_WHILE", items=[1, 2, 3], keepLastN=1,
                loopOver=[*_fork("fork", step("branch", "NOOP"), inner)])  # fmt: skip
    with playing(tmp_path / "x.db", flow("w", loop)) as scene:
        scene.begin("w", "x")
        assert scene.status("x") == "COMPLETED"
        refs = [ref for ref, _ in scene.tasks("x")]
        assert refs == ["loop", "fork__3", "branch__3", "inner__3", "deep__3", "fork_join__3"]
        scene.shell.forget()
        scene.shell.tell("x", Rerun("branch__3"))
        scene.settle()
        assert scene.status("x") == "COMPLETED"


def test_a_loop_in_a_branch_keeps_its_last_rounds(tmp_path: Path) -> None:
    loop = step("loop", "DO_WHILE", loopOver=[step("t", "NOOP")], items=[1, 2, 3], keepLastN=1)
    with playing(tmp_path / "x.db", flow("w", *_fork("fork", loop))) as scene:
        scene.begin("w", "x")
        assert scene.status("x") == "COMPLETED"
        assert [ref for ref, _ in scene.tasks("x")] == ["fork", "loop", "fork_join", "t__3"]

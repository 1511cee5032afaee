"""What executions and handlers have to say to each other when the process dies before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.executor import kinship
from services.executor.core.events import Rerun, Terminated
from tests.executor.core.simulator import answer
from tests.simulation.checker import check
from tests.simulation.office import Died
from tests.simulation.scenes import Scene, call, flow, playing, step

_CHILD = flow("child", call("h"), step("end", "NOOP"))
_PARENT = flow("parent", step("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}),
               step("w", "WAIT", inputParameters={"duration": "9s"}))  # fmt: skip


def _child(scene: Scene) -> str:
    rows = scene.shell.db.execute("SELECT id FROM executions WHERE parent_id = 'p'")
    return str(rows.fetchone()[0])


def _answered(scene: Scene) -> None:
    """The call of the child is answered, and nobody has heard yet what follows from that."""
    (under_way,) = scene.shell.calls.values()
    scene.shell.end_call(under_way, answer({"n": 1}))


def test_an_end_that_the_parent_has_not_heard_is_told_again(tmp_path: Path) -> None:
    with playing(tmp_path / "x.db", _CHILD, _PARENT) as scene:
        scene.begin("parent", "p")
        _answered(scene)
        child = _child(scene)
        assert (scene.status(child), scene.tasks("p")) == ("COMPLETED", [("s", "IN_PROGRESS")])
        assert kinship.unheard(scene.shell.db).ended == [child]
        scene.die()
        assert scene.tasks("p") == [("s", "COMPLETED"), ("w", "IN_PROGRESS")]
        check(scene.shell, scene.workers)


def test_a_termination_that_the_child_has_not_heard_is_told_again(tmp_path: Path) -> None:
    with playing(tmp_path / "x.db", _CHILD, _PARENT) as scene:
        scene.begin("parent", "p")
        scene.shell.tell("p", Terminated("enough"))
        child = _child(scene)
        assert (scene.status("p"), scene.status(child)) == ("TERMINATED", "RUNNING")
        scene.die()
        assert scene.status(child) == "TERMINATED"


def test_a_child_that_is_not_begun_begins(tmp_path: Path) -> None:
    with playing(tmp_path / "x.db", _CHILD, _PARENT) as scene:
        scene.shell.begin("parent", "p", {})
        assert not scene.shell.calls
        scene.die()
        assert scene.calling == [_child(scene)]


@pytest.mark.parametrize("dies", [False, True])
def test_who_runs_again_before_his_end_was_heard_runs_on(tmp_path: Path, dies: bool) -> None:
    """The parent goes on with the end that it heard of; a crash makes no orphan of the child."""
    with playing(tmp_path / "x.db", _CHILD, _PARENT) as scene:
        scene.begin("parent", "p")
        child = _child(scene)
        _answered(scene)
        scene.shell.tell(child, Rerun("h"))
        scene.settle()
        assert scene.tasks("p")[0] == ("s", "COMPLETED")
        if dies:
            scene.die()
        assert scene.status(child) == "RUNNING"


_SAYS = flow("says", step("v", "SET_VARIABLE", inputParameters={"said": "${workflow.input.n}"}),
             outputParameters={"said": "${v.input.said}"})  # fmt: skip
_TOLD = flow("told", step("s", "SUB_WORKFLOW", subWorkflowParam={"name": "says"}),
             outputParameters={"said": "${s.output.said}"})  # fmt: skip


def _output(scene: Scene, execution_id: str) -> object:
    rows = scene.shell.db.execute("SELECT output FROM executions WHERE id = ?", (execution_id,))
    return json.loads(rows.fetchone()[0])


@pytest.mark.parametrize("hears", [False, True])
def test_who_ends_again_at_once_is_heard_of_though_the_parent_had_ended(
    tmp_path: Path, hears: bool
) -> None:
    with playing(tmp_path / "x.db", _SAYS, _TOLD) as scene:
        scene.begin("told", "p")
        child, before = _child(scene), _output(scene, "p")
        scene.shell.tell(child, Rerun("v", input={"said": 2}))
        assert (scene.status(child), _output(scene, child)) == ("COMPLETED", {"said": 2})
        if hears:
            scene.settle()
        assert (kinship.unheard(scene.shell.db).again == []) is hears
        scene.die()
        assert (scene.status("p"), _output(scene, "p")) == ("COMPLETED", {"said": 2})
        assert before != {"said": 2}
        # Heard, it is said no more.
        assert kinship.unheard(scene.shell.db).again == []


def test_who_ran_again_before_the_parent_ended_does_not_have_it_run_again(tmp_path: Path) -> None:
    with playing(tmp_path / "x.db", _SAYS, flow("parent", *_TOLD["tasks"], call("h"))) as scene:
        scene.begin("parent", "p")
        scene.shell.tell(_child(scene), Rerun("v", input={"said": 2}))
        scene.settle()
        scene.answer("p")
        assert scene.status("p") == "COMPLETED"
        scene.die()
        assert (scene.status("p"), scene.calling) == ("COMPLETED", [])


def _handler(condition: str) -> dict[str, Any]:
    started = {"name": "child", "input": {}}
    action = {"action": "start_workflow", "start_workflow": started}
    return {"kind": "event", "name": "handler", "event": "conductor:teller:e", "active": True,
            "condition": condition, "actions": [action, action]}  # fmt: skip


@pytest.mark.parametrize(("condition", "starts"), [("throws", 0), ("", 2)])
@pytest.mark.parametrize("commits", range(4))
def test_a_handler_that_dies_half_way_does_the_rest_and_no_more(
    tmp_path: Path, condition: str, starts: int, commits: int
) -> None:
    teller = flow("teller", step("e", "EVENT", sink="conductor"))
    with playing(tmp_path / "x.db", _CHILD, teller, _handler(condition)) as scene:
        scene.begin("teller", "t")
        message = scene.office.waiting()
        assert message is not None
        left = iter(range(commits))

        def dies() -> None:
            if next(left, None) is None:
                raise Died

        scene.shell.writing = dies
        try:
            scene.office.hand_on(message)
        except Died:
            scene.shell.writing = lambda: None
            scene.die()
            again = scene.office.waiting()
            assert again is not None
            scene.office.hand_on(again)
        scene.shell.writing = lambda: None
        scene.settle()
        assert scene.office.waiting() is None
        assert len(scene.calling) == starts

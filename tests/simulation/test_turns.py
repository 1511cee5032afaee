"""Turns of tasks whose definition has a limit: none is kept by who has no use for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.executor.core.events import Paused, Resumed, TaskUpdated, TimerKey
from services.executor.core.model import TaskStatus
from tests.simulation.scenes import call, flow, limited, playing, step

_CHARGE = ":charge"
_FAST = {"task_to_domain": {"charge": "fast"}}
_CHARGED = flow("w", step("t", "SIMPLE", "charge"))


def test_what_becomes_another_task_leaves_its_room_when_that_ends(tmp_path: Path) -> None:
    """A DYNAMIC task takes its turn by its own definition, and ends as another one."""
    request = {"which": "HTTP", "uri": "http://upstream/", "method": "POST"}
    dynamic = step("t", "DYNAMIC", "narrow", dynamicTaskNameParam="which", inputParameters=request)
    with playing(tmp_path / "x.db", limited("narrow"), flow("w", dynamic)) as scene:
        scene.begin("w", "first", "second")
        assert scene.calling == ["first"]
        scene.answer("first")
        assert scene.calling == ["second"]


def test_what_becomes_a_workers_task_leaves_its_room_for_the_queue(tmp_path: Path) -> None:
    dynamic = step("t", "DYNAMIC", "narrow", dynamicTaskNameParam="which",
                   inputParameters={"which": "charge"})  # fmt: skip
    charge = {"kind": "task", "name": "charge", "retryCount": 0}
    with playing(tmp_path / "x.db", limited("narrow"), charge, flow("w", dynamic)) as scene:
        scene.begin("w", "first", "second")
        assert scene.tasks("first") == scene.tasks("second") == [("t", "SCHEDULED")]
        scene.die()
        # The limits of what it was are not those of the workers' queue.
        for _ in range(2):
            scene.workers.poll(_CHARGE)
        assert scene.tasks("first") == scene.tasks("second") == [("t", "IN_PROGRESS")]


def test_a_round_that_is_forgotten_leaves_its_room(tmp_path: Path) -> None:
    """With keepLastN a task may end and be gone in the same decision."""
    loop = step("loop", "DO_WHILE", loopOver=[step("t", "SIMPLE", "charge")], items=[1, 2],
                keepLastN=1)  # fmt: skip
    with playing(tmp_path / "x.db", limited("charge"), flow("w", loop)) as scene:
        scene.begin("w", "first", "second")
        for _ in range(4):
            scene.workers.poll(_CHARGE)
            scene.done()
        assert (scene.status("first"), scene.status("second")) == ("COMPLETED", "COMPLETED")
        assert not sum(each.running for each in scene.shell.queues.standings())


def test_who_is_paused_when_his_turn_comes_keeps_nobody_waiting(tmp_path: Path) -> None:
    with playing(tmp_path / "x.db", limited("narrow"), flow("w", call("t", "narrow"))) as scene:
        scene.begin("w", "first", "second", "third")
        scene.shell.tell("second", Paused())
        scene.answer("first")
        assert scene.calling == ["third"]
        scene.shell.tell("second", Resumed())
        scene.answer("third")
        scene.answer("second")
        assert scene.status("second") == "COMPLETED"


def test_a_crash_lets_in_no_more_than_the_limit(tmp_path: Path) -> None:
    """Of the two only the one that waits remembers the limit."""
    waits = step("t", "WAIT_FOR_WEBHOOK", "narrow", inputParameters={"webhook": "orders"})
    with playing(tmp_path / "x.db", limited("narrow"), flow("w", waits)) as scene:
        scene.begin("w", "first", "second")
        scene.die()
        assert scene.tasks("first") == [("t", "IN_PROGRESS")]
        assert scene.tasks("second") == [("t", "SCHEDULED")]


def test_who_waits_too_long_by_an_alert_keeps_the_place(tmp_path: Path) -> None:
    patient = {"kind": "task", "name": "charge", "retryCount": 0, "pollTimeoutSeconds": 5,
               "timeoutPolicy": "ALERT_ONLY"}  # fmt: skip
    with playing(tmp_path / "x.db", patient, flow("w", step("t", "SIMPLE", "charge"))) as scene:
        scene.begin("w", "first", "second")
        scene.shell.clock.jump(9)
        rows = scene.shell.db.execute("SELECT task_id, at FROM timers WHERE execution_id = 'first'")
        ((task_id, at),) = rows.fetchall()
        scene.shell.fire("first", TimerKey(task_id, "queued"), at, timedelta())
        scene.die()
        scene.workers.poll(_CHARGE)
        assert scene.tasks("first") == [("t", "IN_PROGRESS")]


@pytest.mark.parametrize("most", [0, 1])
def test_the_response_timeout_of_a_call_is_the_same_with_a_limit(tmp_path: Path, most: int) -> None:
    """A word about it gives it no more time, as one of a worker does."""
    quick = limited("narrow", concurrentExecLimit=most, responseTimeoutSeconds=5)
    with playing(tmp_path / "x.db", quick, flow("w", call("t", "narrow"))) as scene:
        shell = scene.shell
        scene.begin("w", "first")
        ((task_id, name, at),) = shell.db.execute("SELECT task_id, name, at FROM timers").fetchall()
        shell.clock.jump(3)
        shell.tell("first", TaskUpdated(TaskStatus.IN_PROGRESS, {"so": "far"}, task_id=task_id))
        shell.fire("first", TimerKey(task_id, name), at, timedelta())
        assert scene.tasks("first") == [("t", "TIMED_OUT")]


def test_who_has_waited_longest_follows_in_the_same_workers_hand(tmp_path: Path) -> None:
    """Others with a free hand have waited less: the hand is free with the room."""
    slots = {_CHARGE: 1, "fast:charge": 1}
    with playing(tmp_path / "x.db", limited("charge"), _CHARGED, slots=slots) as scene:
        scene.begin("w", "first", "second")
        scene.begin("w", "third", **_FAST)
        scene.done()
        assert scene.working == ["second"]
        scene.done()
        assert scene.working == ["third"]


def test_a_worker_that_comes_takes_them_in_the_order_of_all_its_queues(tmp_path: Path) -> None:
    slots = {_CHARGE: 2, "fast:charge": 2}
    two = limited("charge", concurrentExecLimit=2)
    with playing(tmp_path / "x.db", two, _CHARGED, slots=slots) as scene:
        scene.workers.disconnect()
        for number in range(3):
            scene.begin("w", f"fast {number}", **_FAST)
            scene.begin("w", f"slow {number}")
        scene.workers.connect()
        scene.settle()
        assert scene.working == ["fast 0", "slow 0"]


@pytest.mark.parametrize("dies", [False, True])
def test_a_hand_is_free_when_what_has_timed_out_is_let_go(tmp_path: Path, dies: bool) -> None:
    """Not before, though the stream breaks: until then the room is for others."""
    slots = {_CHARGE: 1, "fast:charge": 1}
    quick = limited("charge", responseTimeoutSeconds=5)
    with playing(tmp_path / "x.db", quick, _CHARGED, slots=slots) as scene:
        shell = scene.shell
        scene.begin("w", "first", "second")
        scene.begin("w", "third", **_FAST)
        scene.workers.listen()
        ((task_id, name, at),) = shell.db.execute(
            "SELECT task_id, name, at FROM timers WHERE execution_id = 'first'"
        ).fetchall()
        shell.fire("first", TimerKey(task_id, name), at, timedelta())
        if dies:
            shell.die()
        scene.settle()
        if not dies:
            # Who let a task's time pass is given nothing until it speaks.
            assert scene.working == []
            scene.workers.nod()
            scene.settle()
        assert scene.working == ["third"]
        scene.workers.listen()
        scene.done()
        assert scene.working == ["second"]

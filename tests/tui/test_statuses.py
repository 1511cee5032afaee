"""Every status has a glyph, a word and a tone, and is told apart without colours."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from podium.executor.v1 import executor_pb2 as pb
from tui.views.statuses import (
    EXECUTION_LOOKS,
    RUN_LOOKS,
    TASK_LOOKS,
    TONES,
    Look,
    look_of_execution,
    look_of_task,
)


def test_every_status_of_an_execution_has_a_look() -> None:
    for name, number in pb.ExecutionStatus.items():
        if number:
            assert look_of_execution(number).word == name.removeprefix("EXECUTION_STATUS_")


def test_every_status_of_a_task_has_a_look() -> None:
    for name, number in pb.TaskStatus.items():
        if number:
            assert look_of_task(number).word == name.removeprefix("TASK_STATUS_")


@pytest.mark.parametrize(
    "look", [*EXECUTION_LOOKS.values(), *TASK_LOOKS.values(), *RUN_LOOKS.values()]
)
def test_a_look_takes_one_cell_and_has_a_tone(look: Look) -> None:
    assert cell_len(look.glyph) == 1
    assert look.tone in TONES
    assert look.plain.isascii()
    assert len(look.plain) == 1


def test_a_status_that_is_not_known_says_so() -> None:
    assert look_of_task(99).word == "UNKNOWN"
    assert look_of_execution("NEW").word == "UNKNOWN"


def test_a_short_name_is_as_good_as_a_number() -> None:
    assert look_of_task("FAILED") == look_of_task(pb.TASK_STATUS_FAILED)
    assert look_of_execution("TIMED_OUT").label == "timed out"

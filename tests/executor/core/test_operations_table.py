"""Every operation of Conductor's, at every status: what comes of it, or why it is refused.

Where that is another thing than Conductor's answer, the row names the record that says why. What
has to look at more than one execution (signal, remove, bulk) is in tests/executor/test_operating.py
and test_bulk.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.executor.core.blocking import blocked
from services.executor.core.events import (
    CallbacksReset,
    Event,
    Paused,
    Rerun,
    Restarted,
    Resumed,
    Retried,
    Skipped,
    TaskUpdated,
    Terminated,
    VariablesSet,
)
from services.executor.core.model import Refused, TaskStatus
from tests.executor.core.simulator import Simulator, task, workflow

RECORDS = Path(__file__).parents[3] / "docs" / "decisions"
DONE = TaskStatus.COMPLETED


@dataclass(frozen=True)
class Row:
    """One operation at one status.

    Attributes:
        comes_to: The status after it; or, where it is refused, ``!`` and a part of the reason, or
            ``?`` and one where something is not there.
        record: Where it is told why this is not what Conductor does; empty: it is.
    """

    operation: str
    event: Event
    at: str
    comes_to: str
    record: str = ""
    restartable: bool = True


OWN = "0019-operations.md"
ROWS = (
    # Terminal is 409; paused again is nothing.
    Row("pause", Paused(), "RUNNING", "PAUSED"),
    Row("pause", Paused(), "PAUSED", "PAUSED"),
    Row("pause", Paused(), "COMPLETED", "!it is COMPLETED"),
    Row("pause", Paused(), "TERMINATED", "!it is TERMINATED"),
    # Conductor's own is an internal error where it is not paused.
    Row("resume", Resumed(), "PAUSED", "RUNNING"),
    Row("resume", Resumed(), "RUNNING", "!it is RUNNING", OWN),
    Row("resume", Resumed(), "FAILED", "!it is FAILED", OWN),
    Row("terminate", Terminated("r"), "RUNNING", "TERMINATED"),
    Row("terminate", Terminated("r"), "PAUSED", "TERMINATED"),
    Row("terminate", Terminated("r"), "COMPLETED", "!Cannot terminate a COMPLETED workflow."),
    Row("terminate", Terminated("r"), "TERMINATED", "TERMINATED"),
    Row("terminate", Terminated("r"), "FAILED", "TERMINATED"),
    Row("restart", Restarted(), "RUNNING", "!still running"),
    Row("restart", Restarted(), "PAUSED", "!still running"),
    Row("restart", Restarted(), "COMPLETED", "RUNNING"),
    Row("restart", Restarted(), "FAILED", "RUNNING"),
    # 404 in Conductor: there it is; only its state is another.
    Row("restart", Restarted(), "COMPLETED", "!is non-restartable", OWN, restartable=False),
    Row("restart", Restarted(), "FAILED", "RUNNING", restartable=False),
    Row("retry", Retried(), "RUNNING", "!Workflow is still running.  status=RUNNING", OWN),
    Row("retry", Retried(), "PAUSED", "!Workflow is still running.  status=PAUSED", OWN),
    Row("retry", Retried(), "COMPLETED", "!it is COMPLETED"),
    Row("retry", Retried(), "FAILED", "RUNNING"),
    Row("retry", Retried(), "TERMINATED", "RUNNING"),
    Row("retry --resume", Retried(resume=True), "FAILED", "RUNNING"),
    Row("rerun", Rerun("first"), "RUNNING", "!is RUNNING. Allowed are pause, terminate,"),
    Row("rerun", Rerun("first"), "PAUSED", "!is PAUSED. Allowed are resume, terminate,"),
    Row("rerun", Rerun("first"), "COMPLETED", "RUNNING"),
    Row("rerun", Rerun("first"), "FAILED", "RUNNING"),
    Row("rerun", Rerun("first"), "TERMINATED", "RUNNING"),
    # 400 in Conductor.
    Row("rerun", Rerun("none"), "FAILED", "?Task none not found", OWN),
    Row("rerun of the whole", Restarted(input={"x": 1}), "FAILED", "RUNNING"),
    # Whatever is wrong with a skip is an internal error in Conductor.
    Row("skip", Skipped("last"), "RUNNING", "RUNNING"),
    Row("skip", Skipped("last"), "PAUSED", "!it is PAUSED", OWN),
    Row("skip", Skipped("last"), "COMPLETED", "!it is COMPLETED", OWN),
    Row("skip", Skipped("none"), "RUNNING", "?no task 'none'", OWN),
    Row("skip", Skipped("first"), "RUNNING", "!is there already", OWN),
    Row("resetcallbacks", CallbacksReset(), "RUNNING", "RUNNING"),
    Row("resetcallbacks", CallbacksReset(), "PAUSED", "PAUSED"),
    Row("resetcallbacks", CallbacksReset(), "FAILED", "!it is FAILED"),
    # Orkes' own: the OSS server has none.
    Row("variables", VariablesSet({"a": 1}), "RUNNING", "RUNNING"),
    Row("variables", VariablesSet({"a": 1}), "PAUSED", "PAUSED"),
    Row("variables", VariablesSet({"a": 1}), "FAILED", "!it is FAILED"),
    Row("update", TaskUpdated(DONE, ref="first"), "RUNNING", "RUNNING"),
    Row("update", TaskUpdated(DONE, ref="first"), "PAUSED", "PAUSED"),
    Row("update", TaskUpdated(TaskStatus.CANCELED, ref="first"), "RUNNING", "TERMINATED"),
    # 200 in Conductor, and nothing happens; a repeat of the same is that here, too.
    Row("update", TaskUpdated(DONE, ref="first"), "COMPLETED", "COMPLETED"),
    Row("update", TaskUpdated(DONE, ref="first"), "FAILED", "!has ended already", OWN),
    Row("update", TaskUpdated(DONE, ref="none"), "RUNNING", "?no task 'none'", OWN),
    Row("update", TaskUpdated(TaskStatus.SKIPPED, ref="first"), "RUNNING", "!cannot be updated"),
)


def standing(status: str, *, restartable: bool) -> Simulator:
    """An execution that stands there."""
    flow = workflow(task("first", "WAIT"), task("last", "WAIT"), restartable=restartable)
    run = Simulator(flow).begin()
    match status:
        case "PAUSED":
            run.happens(Paused())
        case "COMPLETED":
            run.says("first", "COMPLETED")
            run.says("last", "COMPLETED")
        case "FAILED":
            run.says("first", "FAILED")
        case "TERMINATED":
            run.happens(Terminated())
    assert run.status == status
    return run


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.operation} at {row.at}")
def test_an_operation_comes_to_what_the_table_says(row: Row) -> None:
    run = standing(row.at, restartable=row.restartable)
    before = run.execution
    if row.comes_to[0] not in "!?":
        run.happens(row.event)
        assert run.status == row.comes_to
        return
    with pytest.raises(Refused, match=re.escape(row.comes_to[1:])) as caught:
        run.happens(row.event)
    assert caught.value.missing == (row.comes_to[0] == "?")
    assert run.execution is before


def test_a_difference_has_its_record() -> None:
    assert all((RECORDS / row.record).is_file() for row in ROWS if row.record)


def test_a_signal_at_any_status_is_for_what_is_open() -> None:
    for status, waits in (("RUNNING", True), ("PAUSED", True), ("FAILED", False)):
        assert bool([*blocked(standing(status, restartable=True).execution)]) is waits

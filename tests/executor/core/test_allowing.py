"""What a refusal names as allowed is that, and all else is refused with it."""

from __future__ import annotations

import pytest

from services.executor.core.allowing import ALLOWED, allowed, way_out
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
    Terminated,
    TimerFired,
    TimerKey,
    VariablesSet,
)
from services.executor.core.model import Refused
from tests.executor.core.simulator import Simulator, task, workflow
from tests.executor.core.test_operations_table import standing

OPERATIONS: dict[str, Event] = {
    "pause": Paused(), "resume": Resumed(), "terminate": Terminated("r"), "retry": Retried(),
    "restart": Restarted(), "rerun": Rerun("first"), "skip-task": Skipped("last"),
    "set-variables": VariablesSet({"a": 1}), "reset-callbacks": CallbacksReset(),
}  # fmt: skip
# Asked for once more it is no fault, and changes nothing.
AGAIN = {("pause", "PAUSED"), ("terminate", "TERMINATED")}


def at(status: str, *, restartable: bool) -> Simulator:
    if status != "TIMED_OUT":
        return standing(status, restartable=restartable)
    flow = workflow(task("first", "WAIT"), task("last", "WAIT"), timeoutSeconds=1,
                    timeoutPolicy="TIME_OUT_WF")  # fmt: skip
    run = Simulator(flow).begin()
    run.passes(seconds=1)
    run.happens(TimerFired(TimerKey("", "timeout")))
    return run


@pytest.mark.parametrize("status", [*ALLOWED], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("restartable", [True, False])
def test_what_is_named_is_allowed_and_nothing_else(
    operation: str, status: str, restartable: bool
) -> None:
    run = at(status, restartable=restartable)
    names = allowed(run.status, run.execution.workflow)
    if operation in names or (operation, status) in AGAIN:
        run.happens(OPERATIONS[operation])
        return
    with pytest.raises(Refused) as caught:
        run.happens(OPERATIONS[operation])
    assert status in str(caught.value)
    assert way_out(run.status, run.execution.workflow) in str(caught.value)


@pytest.mark.parametrize("status", [*ALLOWED], ids=str)
def test_a_signal_is_allowed_where_something_can_wait_for_one(status: str) -> None:
    run = at(status, restartable=True)
    assert ("signal" in ALLOWED[run.status]) == bool([*blocked(run.execution)])
    assert ("remove" in ALLOWED[run.status]) == run.status.final

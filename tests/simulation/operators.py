"""What operators may ask for of the executions of a simulated life."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

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
    VariablesSet,
)
from services.executor.core.identity import fraction
from tests.simulation.acts import Act
from tests.simulation.shell import Shell

_ENDED_BADLY: tuple[Event, ...] = (
    Retried(),
    Retried(resume=True),
    Retried(resume=True),
    Restarted(),
    Terminated("for good"),
)
ASKED: Mapping[str, tuple[Event, ...]] = {
    "RUNNING": (Paused(), Paused(), Terminated("enough")),
    "PAUSED": (Resumed(), Resumed(), Terminated("enough")),
    "FAILED": _ENDED_BADLY,
    "TIMED_OUT": _ENDED_BADLY,
    "TERMINATED": _ENDED_BADLY,
}
GOING_ON: Mapping[str, tuple[Event, ...]] = {"PAUSED": (Resumed(),)}
_BESIDES: tuple[Event, ...] = (CallbacksReset(), VariablesSet({"told": True}))


def asked(shell: Shell, seed: int, words: Mapping[str, tuple[Event, ...]]) -> list[Act]:
    """What may be asked for."""
    stand = shell.db.execute("SELECT id, status FROM executions ORDER BY id").fetchall()
    found: list[Act] = [
        (f"asked {execution_id} {number}", partial(shell.tell, execution_id, event))
        for execution_id, status in stand
        for number, event in enumerate(words.get(status, ()))
    ]
    if words is ASKED:
        found += [
            (f"asked {execution_id} {event}", partial(shell.tell, execution_id, event))
            for execution_id, status in stand
            for event in _of_tasks(shell, seed, execution_id, status)
        ]
    return found


def asked_besides(shell: Shell) -> list[Act]:
    """What changes no status."""
    return [
        (f"asked {execution_id} {event}", partial(shell.tell, execution_id, event))
        for (execution_id,) in shell.db.execute(
            "SELECT id FROM executions WHERE status = 'RUNNING' ORDER BY id"
        ).fetchall()
        for event in _BESIDES
    ]


def _of_tasks(shell: Shell, seed: int, execution_id: str, status: str) -> list[Event]:
    """A rerun from any of its tasks; while it runs, one of them is to be skipped."""
    refs = [
        ref
        for (ref,) in shell.db.execute(
            "SELECT DISTINCT ref FROM tasks WHERE execution_id = ? ORDER BY ref", (execution_id,)
        )
    ]
    if not refs or status == "PAUSED":
        return []
    ref = refs[int(fraction(seed, execution_id, len(refs)) * len(refs) * 0.999)]
    if status == "RUNNING":
        # In a loop the next round's; any other one is there already.
        base, _, number = ref.rpartition("__")
        return [Skipped(f"{base}__{int(number) + 1}")] if base and number.isdigit() else []
    return [Rerun(ref)]

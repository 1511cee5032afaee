"""Batches of a live list: what happened to each execution, once, as it stands after it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from services.executor.feed import Change
from services.executor.states import execution_state, task_state


@dataclass(slots=True)
class _Latest:
    """Of one execution: its facts, and those of the attempts that changed, by task id."""

    execution: list[Any] = field(default_factory=list)
    tasks: dict[str, list[Any]] = field(default_factory=dict)


def batch(changes: Iterable[Change]) -> list[pb.ExecutionChange]:
    """The changes of each execution as one, in the order of the last of them."""
    latest: dict[str, _Latest] = {}
    for change in changes:
        of = latest.pop(change.execution_id, None) or _Latest()
        latest[change.execution_id] = of
        of.execution, tasks = json.loads(change.state)
        for facts in tasks:
            of.tasks[facts[0]] = facts
    return [change_of(of.execution, of.tasks.values()) for of in latest.values()]


def change_of(execution: Any, tasks: Iterable[list[Any]] = ()) -> pb.ExecutionChange:
    """The message of an execution's facts and those of some of its attempts."""
    return pb.ExecutionChange(
        execution=execution_state(execution), tasks=[task_state(facts) for facts in tasks]
    )

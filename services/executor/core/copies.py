"""Changed copies of executions and tasks, made fast."""

from __future__ import annotations

from typing import TypeVar

from services.executor.core.model import Execution, Task

_Value = TypeVar("_Value", Task, Execution)


def changed(value: _Value, /, **changes: object) -> _Value:
    """A copy with ``changes``; raises TypeError for a field that there is none of.

    As :func:`dataclasses.replace`, in a twentieth of its time: an event makes several copies.
    """
    before = value.__dict__
    fields = {**before, **changes}
    if len(fields) != len(before):
        raise TypeError(f"{type(value).__name__} has no {sorted(fields.keys() - before.keys())}")
    copy = object.__new__(type(value))
    object.__setattr__(copy, "__dict__", fields)
    return copy

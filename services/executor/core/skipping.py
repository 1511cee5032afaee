"""A task is skipped before the flow comes to it: which one is meant, and its row."""

from __future__ import annotations

import re

from services.executor.core import allowing, attempts, counts
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import Skipped
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json, Refused, TaskStatus
from services.executor.core.sizes import checked
from services.executor.core.workflow import Step

_ROUND = re.compile(r"(.+)__([0-9]{1,9})", re.DOTALL)
_LOOP = "DO_WHILE"


def skip(deciding: Deciding, event: Skipped) -> None:
    """Makes the task's row; the flow goes on behind it once it comes there.

    Raises:
        Refused: The execution does not run, there is no such task, or it was reached already.
    """
    if not deciding.running:
        said = f"Only in what runs can a task be skipped: it is {deciding.status}."
        raise allowing.refusal(said, deciding.status, deciding.workflow)
    step, suffix = _place(deciding, event.ref)
    known = deciding.latest(step.ref + suffix)
    if known is not None:
        raise Refused(
            f"The task {known.ref} is there already: it is {known.status}; only what is not "
            "reached yet can be skipped."
        )
    task = attempts.new_task(deciding, step, step.ref + suffix, "", 0)
    deciding.add(
        changed(
            task,
            status=TaskStatus.SKIPPED,
            ended_at=deciding.now,
            input=_document(event.input),
            output=_document(event.output),
            memory={counts.AHEAD: True},
        )
    )


def _document(given: object) -> Json:
    try:
        return checked(dict(given)) if isinstance(given, dict) else {}
    except (TooCostly, RecursionError) as error:
        raise Refused(f"It cannot be taken: {error}.") from None


def _place(deciding: Deciding, ref: str) -> tuple[Step, str]:
    """The step that is meant, and the suffix of its task; in a loop without one, of this round.

    Raises:
        Refused: There is none, or its round is over.
    """
    name, suffix = ref, ""
    while (step := _step(deciding, name, suffix)) is None and (parts := _ROUND.fullmatch(name)):
        name, suffix = parts[1], f"__{int(parts[2])}{suffix}"
    if step is None:
        raise Refused(f"There is no task {ref!r} in the workflow.", missing=True)
    now = _suffix(deciding, step)
    if suffix.count("__") not in (0, now.count("__")):
        raise Refused(f"There is no task {ref!r} in the workflow.", missing=True)
    given = suffix or now
    if given.rpartition("__")[0] == now.rpartition("__")[0] and _last(given) < _last(now):
        raise Refused(f"The round of the task {ref!r} is over.")
    return step, given


def _last(suffix: str) -> int:
    return int(suffix.rpartition("__")[2] or 0)


def _step(deciding: Deciding, ref: str, suffix: str) -> Step | None:
    try:
        return deciding.step_at(ref, suffix)
    except KeyError:
        return None


def _suffix(deciding: Deciding, step: Step) -> str:
    """Of a task of ``step`` that would be reached now: of a loop to come, in its first round."""
    if not step.parent:
        return ""
    holder = deciding.step_at(step.parent, "")
    outer = _suffix(deciding, holder)
    if holder.kind != _LOOP:
        return outer
    loop = deciding.latest(holder.ref + outer)
    return f"{outer}__{(loop.round if loop else 0) or 1}"

"""What comes back for a task by another way than its request: a callback, or somebody's word."""

from __future__ import annotations

from dataclasses import replace

from services.executor.core.events import TaskUpdated
from services.executor.core.model import Execution, Task
from services.executor.core.spawning import step_of
from services.executor.effects.handoff import mask_of
from services.executor.effects.masking import Mask
from services.executor.handingoff import HandingOff


def echo_mask(execution: Execution, task: Task, handing_off: HandingOff) -> Mask:
    """What is not to be seen of what comes back for ``task``, from whomever it was given to."""
    step = step_of(execution, task)
    if step is None:
        return Mask()
    handoff = handing_off(execution.id, task.id, task.scheduled_at)
    names = step.template.handoff if step.template is not None else frozenset[str]()
    mask = mask_of(names, handoff)
    for name in step.metadata:
        for value in (handing_off.secret(name), *handing_off.former(name)):
            if value is not None:
                mask.hide(value)
    return mask


def masked(event: TaskUpdated, mask: Mask) -> TaskUpdated:
    """``event`` with nothing to be seen of what ``mask`` hides."""
    if not mask:
        return event
    return replace(
        event,
        output=mask.value(event.output),
        reason=mask.text(event.reason),
        logs=tuple((at, mask.text(line)) for at, line in event.logs),
    )

"""Reasons as they are kept: not long, and without what is masked beside them.

They stand in lists, streams, indexes, webhooks and in reasons of others, where no document is at
hand to tell what is masked: so it is told as they are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from services.executor.core.masking import Sentences
from services.executor.core.model import Json, Task
from services.executor.core.sizes import MAX_REASON_CHARS, shortened

if TYPE_CHECKING:
    from services.executor.core.deciding import Deciding

# What is masked makes a reason shorter, mostly: more of it is looked at than is kept.
_LOOKED_AT = 4 * MAX_REASON_CHARS


def kept(deciding: Deciding, reason: str, task: Task | None = None, output: Json = None) -> str:
    """``reason``, of the execution or of ``task``, as it is kept.

    Args:
        output: What the task, or the execution, comes to.
    """
    if not reason:
        return ""
    keys = deciding.workflow.masked
    if task is not None and (own := deciding.step(task).masked):
        keys = keys | own
    if not keys:
        return shortened(reason)
    documents = [output] if task is None else [output, task.input, task.output]
    documents += [cast("Json", deciding.execution.input), cast("Json", deciding.variables)]
    return shortened(Sentences.beside(documents, keys).text(reason[:_LOOKED_AT]))

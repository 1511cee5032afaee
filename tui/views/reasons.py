"""Why an execution did not end well, in as few words as say it."""

from __future__ import annotations

import re
from collections.abc import Sequence

# As Conductor words it: the task by its id, which tells an operator nothing, then what it said.
_OF_TASK = re.compile(
    r"Task [0-9a-f-]{36} failed with status: (?P<status>\w+) and reason: '(?P<said>.*?)'?",
    re.DOTALL,
)


def short_reason(reason: str, failed_refs: Sequence[str] = ()) -> str:
    """``reason`` without its frame, behind the name of the task that failed.

    Args:
        failed_refs: The tasks that made the execution fail.
    """
    found = _OF_TASK.fullmatch(reason)
    if found is None:
        return reason
    said = found["said"] or found["status"]
    return f"{failed_refs[0]}: {said}" if failed_refs else said

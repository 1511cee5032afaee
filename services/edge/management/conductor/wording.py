"""What services refuse, in the words of Conductor's API: its fields and its operations. No IO.

Our services name what their own callers have sent, over gRPC or by a command. What stands between
quotes is what somebody has written, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.edge.management.conductor.unknown import no_execution
from services.errors import Fault, InvalidRequest, ServiceError

_FIELDS: Mapping[str, str] = {
    "callback_after": "callbackAfterSeconds",
    "correlation_id": "correlationId",
    "execution_id": "workflowId",
    "idempotency_strategy": "idempotencyStrategy",
    "mocks": "taskRefToMockOutput",
    "offset": "start",
    "order_by": "sort",
    "page_size": "size",
    "sub_workflow_tests": "subWorkflowTestRequest",
    "task_id": "taskId",
    "task_input": "taskInput",
    "task_to_domain": "taskToDomain",
    "task_type": "taskType",
    "worker_id": "workerId",
    "workflow_input": "workflowInput",
    "workflow_key": "idempotencyKey",
    "workflow_name": "name",
    "workflow_version": "version",
}
# What can be done to an execution, as its page ends.
_OPERATIONS: Mapping[str, str] = {
    "remove --terminate": "terminate-remove",
    "reset-callbacks": "resetcallbacks",
    "set-variables": "variables",
    "skip-task": "skiptask",
}
# Of the one that comes with a start.
_DEFINITION: Mapping[str, str] = {
    f"The definition {verb}": f"workflowDef {verb}" for verb in ("is", "cannot")
}
# Of a request, by names that are ours as well.
_SHARED = frozenset({"count", "domain", "priority", "query", "reason", "workflowDef"})
# What a rerun begins at is named by its id alone.
_RERUN: Mapping[str, str] = {"a ref or a task_id": "reRunFromTaskId"}
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""


class Wording:
    """Words that stand for others.

    Args:
        words: Ours, each with theirs.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        # Of two that begin alike the longer one is meant.
        ours = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        self._words = words
        self._said = re.compile(rf"{_QUOTED}|(?<![\w-])({ours})(?![\w-])")

    def of(self, sentence: str) -> str:
        """``sentence`` with theirs in place of ours, but for what is quoted."""
        return self._said.sub(self._theirs, sentence)

    def _theirs(self, found: re.Match[str]) -> str:
        return self._words[found[1]] if found[1] else found[0]


_NAMED = _SHARED.union(_FIELDS.values())
_OF_FIELD = re.compile(r"(\w+) ((?:cannot|has|is|may|must)\b.*?)\.?", re.DOTALL)
_WORDING = Wording({**_FIELDS, **_OPERATIONS, **_DEFINITION, **_RERUN})


def reworded(sentence: str) -> str:
    """``sentence`` as one who called Conductor's API understands it."""
    return _WORDING.of(sentence)


def in_their_words(error: ServiceError) -> ServiceError:
    """``error`` so, with a fault of the field that it begins with; itself where nothing differs."""
    missing = error.metadata.get("execution_id")
    if missing and error.detail == f"There is no execution {missing!r}.":
        return no_execution(missing)
    said, faults = reworded(error.detail), error.faults
    if isinstance(error, InvalidRequest) and not faults:
        faults = _faults_in(said)
    if said == error.detail and faults == error.faults:
        return error
    return type(error)(said, faults, **error.metadata)


def _faults_in(said: str) -> tuple[Fault, ...]:
    """What is said of a field, where the sentence begins with one."""
    found = _OF_FIELD.fullmatch(said)
    return (Fault(found[1], found[2]),) if found and found[1] in _NAMED else ()

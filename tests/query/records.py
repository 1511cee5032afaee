"""Executions as records, for the matcher and as rows of ``executor.db``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from hypothesis import strategies as st

from services.query import micros
from services.query.executions import STATUSES
from tests.query.trees import MOMENTS, NOW, NUMBERS, TEXTS


@dataclass(frozen=True, slots=True)
class Record:
    id: str
    workflow: str
    version: int
    status: str
    created_at: int
    updated_at: int
    ended_at: int | None
    reason: str
    correlation_id: str
    parent_id: str
    started_by: str
    priority: int
    failed_refs: list[str]
    input: Any
    output: Any


GETTERS: dict[str, Callable[[Record], Any]] = {
    "id": attrgetter("id"),
    "wf": attrgetter("workflow"),
    "v": attrgetter("version"),
    "status": attrgetter("status"),
    "started": attrgetter("created_at"),
    "updated": attrgetter("updated_at"),
    "ended": attrgetter("ended_at"),
    "dur": lambda each: (micros(NOW) if each.ended_at is None else each.ended_at) - each.created_at,
    "reason": attrgetter("reason"),
    "corr": attrgetter("correlation_id"),
    "parent": attrgetter("parent_id"),
    "by": attrgetter("started_by"),
    "priority": attrgetter("priority"),
    "failed": attrgetter("failed_refs"),
    "input": attrgetter("input"),
    "output": attrgetter("output"),
}

_SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | NUMBERS.map(str)
_NAMES = st.sampled_from(["a", "b c", "b\tc", "items", "other"])
DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


def _record(
    status: str,
    moments: list[datetime],
    texts: list[str],
    version: int,
    failed: list[str],
    documents: list[Any],
) -> Record:
    started, updated, ended = sorted(map(micros, moments))
    is_open = status in ("RUNNING", "PAUSED")
    execution_id, workflow, reason, correlation_id, parent_id, started_by = texts
    return Record(
        execution_id,
        workflow,
        version,
        status,
        started,
        updated,
        None if is_open else ended,
        reason,
        correlation_id,
        parent_id,
        started_by,
        version,
        failed,
        *documents,
    )


RECORDS = st.builds(
    _record,
    st.sampled_from(STATUSES),
    st.lists(MOMENTS, min_size=3, max_size=3),
    st.lists(TEXTS, min_size=6, max_size=6),
    st.integers(1, 3),
    st.lists(TEXTS, max_size=2),
    st.lists(DOCUMENTS, min_size=2, max_size=2),
)

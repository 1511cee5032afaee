"""What an execution runs: its workflow with the task definitions, as they were at its start."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.executor.core.workflow import Workflow, blocks_of
from services.executor.documents import text_of, value_of
from services.replica import Replica

_MOST_PARSED = 256


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A workflow with its task definitions.

    Attributes:
        hash: Of ``text``; what executions refer to it by.
        text: JSON of ``{"workflow": <document>, "tasks": {<name>: <task document>}}``.
    """

    hash: str
    text: str
    workflow: Workflow


class Snapshots:
    """The snapshots last used, parsed. May be asked in any thread."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._parsed: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()
        self._latest: dict[tuple[str, int], tuple[int, Snapshot]] = {}

    def of(self, name: str, version: int) -> Snapshot | None:
        """The workflow as it is defined now; None: there is no such one.

        Args:
            version: 0 is the latest.
        """
        revision = self._replica.revision
        known = self._latest.get((name, version))
        if known is not None and known[0] == revision:
            return known[1]
        stored = self._replica.get("workflow", name, version)
        if stored is None:
            return None
        snapshot = self.parsed(text_of(self._assembled(stored.document)))
        if len(self._latest) >= _MOST_PARSED:
            self._latest.clear()
        self._latest[name, version] = revision, snapshot
        return snapshot

    def cached(self, hash_: str) -> Snapshot | None:
        """The snapshot of that hash, if it was used lately."""
        with self._lock:
            return self._used(hash_)

    def parsed(self, text: str) -> Snapshot:
        """The snapshot of that text.

        Raises:
            ValueError: The registry would have refused it.
        """
        hash_ = hashlib.sha256(text.encode()).hexdigest()
        with self._lock:
            known = self._used(hash_)
        if known is not None:
            return known
        document: Any = value_of(text)
        snapshot = Snapshot(hash_, text, Workflow.of(document))
        with self._lock:
            self._parsed[hash_] = snapshot
            while len(self._parsed) > _MOST_PARSED:
                self._parsed.popitem(last=False)
        return snapshot

    def _used(self, hash_: str) -> Snapshot | None:
        snapshot = self._parsed.get(hash_)
        if snapshot is not None:
            self._parsed.move_to_end(hash_)
        return snapshot

    def _assembled(self, workflow: Mapping[str, Any]) -> dict[str, Any]:
        tasks: dict[str, Any] = {}
        for name in _task_names(workflow.get("tasks") or []):
            stored = self._replica.get("task", name)
            if stored is not None:
                tasks[name] = stored.document
        return {"workflow": workflow, "tasks": tasks}


def _task_names(steps: list[dict[str, Any]]) -> Iterator[str]:
    pending = list(steps)
    while pending:
        step = pending.pop()
        if isinstance(step.get("name"), str):
            yield step["name"]
        for _, block in blocks_of(step):
            pending.extend(dict(each) for each in block)

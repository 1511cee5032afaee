"""What an execution runs: its workflow with the task definitions, as they were at its start."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.executor.assembling import Current, Taken, assembled, with_own_schemas
from services.executor.core.masking import FIELD
from services.executor.core.model import Json
from services.executor.core.workflow import Workflow
from services.executor.documents import text_of, value_of
from services.replica import Replica

_MOST_PARSED = 256


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A workflow with its task definitions.

    Attributes:
        hash: Of ``text``; what executions refer to it by.
        text: JSON of what :func:`assembling.assembled` gives.
    """

    hash: str
    text: str
    workflow: Workflow


class Snapshots:
    """The snapshots last used, parsed. May be asked in any thread.

    Args:
        environment: What ``${workflow.env}`` is.
    """

    def __init__(self, replica: Replica, environment: Mapping[str, Json] | None = None) -> None:
        self._replica = replica
        self._environment = environment or {}
        self._parsed: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()
        self._latest: dict[tuple[str, int], tuple[int, Snapshot]] = {}
        self._pinned: dict[tuple[str, str, int], Snapshot] = {}
        self._masking: dict[tuple[str, frozenset[str]], Snapshot] = {}

    @property
    def replica(self) -> Replica:
        """The definitions that they are made of."""
        return self._replica

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
        snapshot = self.parsed(text_of(assembled(stored.document, Current(self._replica))))
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
        snapshot = Snapshot(hash_, text, Workflow.of(document, self._environment))
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

    def pinned(self, parent: Snapshot, name: str, version: int) -> Snapshot | None:
        """A workflow that ``parent`` names, as it was when that was taken; None: it names none."""
        place = parent.hash, name, version
        known = self._pinned.get(place)
        if known is not None:
            return known
        taken = Taken(parent.workflow.snapshot)
        document = taken.workflow(name, version)
        if document is None:
            return None
        snapshot = self.parsed(text_of(assembled(document, taken)))
        if len(self._pinned) >= _MOST_PARSED:
            self._pinned.clear()
        self._pinned[place] = snapshot
        return snapshot

    def masking(self, snapshot: Snapshot, keys: frozenset[str]) -> Snapshot:
        """``snapshot`` with ``keys`` masked, too."""
        if keys <= snapshot.workflow.masked:
            return snapshot
        place = snapshot.hash, keys
        known = self._masking.get(place)
        if known is None:
            masks = sorted(keys | snapshot.workflow.masked)
            known = self.parsed(text_of({**snapshot.workflow.snapshot, FIELD: masks}))
            if len(self._masking) >= _MOST_PARSED:
                self._masking.clear()
            self._masking[place] = known
        return known

    def given(self, document: Mapping[str, Any], *, trusted: bool) -> Snapshot:
        """A workflow that is not the registry's; raises ValueError where it is none at all.

        Args:
            trusted: Whether it may name secrets.
        """
        found = assembled(document, Current(self._replica))
        return self.parsed(text_of(found if trusted else {**found, "secrets": False}))

    def task(self, name: str) -> Mapping[str, Any] | None:
        """The task definition of that name, as it is now."""
        current = Current(self._replica)
        definition = current.task(name)
        return None if definition is None else with_own_schemas(definition, current)

"""What the tasks of an execution may start: as it was pinned when that began, else as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from services.errors import NotFound
from services.executor.core.commands import Lookup, StartExecution, Wanted
from services.executor.core.model import Json
from services.executor.orders import workflow_key
from services.executor.snapshots import Snapshot, Snapshots


class Definitions:
    """Of one execution.

    Args:
        pinned: What it runs; None: it is not known yet.
        choose: Of queues, the one that has workers.
        held: By idempotency key, the execution that was found to have it.
    """

    __slots__ = ("_choose", "_found", "_held", "_pinned", "_snapshots")

    def __init__(
        self,
        snapshots: Snapshots,
        pinned: Snapshot | None,
        choose: Callable[[Sequence[str]], str] = itemgetter(-1),
        held: Mapping[bytes, str] | None = None,
    ) -> None:
        self._choose = choose
        self._snapshots = snapshots
        self._pinned = pinned
        # What was looked up is what is started, whatever is put meanwhile.
        self._found: dict[tuple[str, int], Snapshot] = {}
        # What would have one by what is decided now comes to it.
        self._held = held or {}

    def looked_up(self, lookup: Lookup) -> Json:
        """The value that :class:`Lookup` describes. Raises :class:`NotFound` with the reason."""
        tasks: dict[str, Json] = {}
        wanted = lookup.wanted
        if wanted.queues:
            return {"queue": self._choose(wanted.queues)}
        for name in wanted.tasks:
            definition = self._snapshots.task(name)
            tasks[name] = None if definition is None else dict(definition)
        if not wanted.workflow and wanted.definition is None:
            return {"tasks": tasks}
        found = self._workflow(wanted)
        workflow = found.workflow
        self._found[workflow.name, workflow.version] = found
        named: Json = {"name": workflow.name, "version": workflow.version}
        holder = self._holder(workflow.name, wanted) if wanted.key else ""
        return {"tasks": tasks, "workflow": named, **({"held": holder} if holder else {})}

    def _holder(self, workflow: str, wanted: Wanted) -> str:
        """Another execution that has the key; empty: there is none, as far as is known."""
        key = workflow_key(workflow, wanted.key)
        holder = self._held.get(key, wanted.child)
        if holder in wanted.earlier:
            holder = wanted.child
        self._held = {**self._held, key: holder}
        return holder if holder != wanted.child else ""

    def child(self, command: StartExecution, masked: frozenset[str]) -> Snapshot:
        """What ``command`` starts, with ``masked`` masked there. Raises :class:`NotFound`."""
        known = self._found.get((command.workflow, command.version))
        return self._snapshots.masking(known or self._workflow(command), masked)

    def _workflow(self, asked: Wanted | StartExecution) -> Snapshot:
        name, version = asked.workflow, asked.version
        try:
            if asked.definition is not None:
                return self._snapshots.given(asked.definition, trusted=asked.trusted)
            found = self._taken(name, version) or self._snapshots.of(name, version)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise NotFound(f"The workflow {name!r} cannot be run: {error}.") from error
        if found is None:
            what = f"version {version} of the workflow" if version else "workflow"
            raise NotFound(f"There is no {what} {name!r}.", workflow=name)
        return found

    def _taken(self, name: str, version: int) -> Snapshot | None:
        if self._pinned is None:
            return None
        return self._snapshots.pinned(self._pinned, name, version)

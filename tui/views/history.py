"""What a definition was, state by state, with what changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from podium.registry.v1 import registry_pb2 as pb
from tui.views.changes import changes, summary
from tui.views.durations import iso

_HIDDEN = {"secret": "its value changed", "auth": "its keys changed"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One state.

    Attributes:
        said: What changed with it, in a line.
    """

    state: pb.DefinitionState
    said: str

    def text(self) -> str:
        """As a list has it."""
        definition = self.state.definition
        version = f"  v{definition.version}" if definition.version else ""
        when = iso(definition.updated_at.ToDatetime(UTC))
        head = f"{definition.revision}{version}  {when}  {definition.updated_by}"
        return f"{head}  {self.said}".rstrip()

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        definition = self.state.definition
        return {
            "revision": definition.revision,
            "version": definition.version,
            "updatedAt": iso(definition.updated_at.ToDatetime(UTC)),
            "updatedBy": definition.updated_by,
            "deleted": self.state.deleted,
            "change": self.said,
        }


def entries(states: Sequence[pb.DefinitionState], *, whole: bool) -> list[Entry]:
    """``states``, the newest first, each with what changed since the one before it.

    Args:
        states: Of one definition, of all its versions or of one, without a gap.
        whole: Whether nothing is older than the last of them.
    """
    before: dict[int, pb.DefinitionState] = {}
    found: list[Entry] = []
    for state in reversed(states):
        said = _said(before.get(state.definition.version), state, whole=whole)
        found.append(Entry(state, said))
        before[state.definition.version] = state
    return found[::-1]


def _said(before: pb.DefinitionState | None, state: pb.DefinitionState, *, whole: bool) -> str:
    now = state.definition
    if state.deleted:
        return "deleted"
    if before is None:
        # Older states may have been let go of, or not been asked for.
        first = now.created_at == now.updated_at
        return "created" if first else "the oldest that is kept" if whole else "changed"
    if before.deleted:
        return "created again"
    found = changes(json.loads(before.definition.document), json.loads(now.document))
    return summary(found) or _HIDDEN.get(now.kind, "the order of its fields changed")

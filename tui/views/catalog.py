"""Definitions as they change: lines of a list, and what of a stream is news."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from podium.registry.v1 import registry_pb2 as pb
from tui.views.differences import title
from tui.views.visible import visible

Key = tuple[str, str, int]


def list_line(definition: pb.Definition) -> str:
    """``workflow checkout v2  2026-01-31 12:00:00Z  application:admin``."""
    return "  ".join(list_cells(definition))


def list_cells(definition: pb.Definition) -> tuple[str, ...]:
    """The same in columns."""
    when = definition.updated_at.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
    return visible(title(definition)), f"{when}Z", visible(definition.updated_by)


def change_line(state: pb.DefinitionState) -> str:
    """As :func:`list_line`; of a removal it says so, and of what may not be seen any more."""
    if not state.deleted:
        return list_line(state.definition)
    if state.out_of_sight:
        return f"{visible(title(state.definition))}  may not be seen any more"
    if not state.definition.updated_by:
        return f"{visible(title(state.definition))}  deleted, or may not be seen any more"
    return f"{visible(title(state.definition))}  deleted  {visible(state.definition.updated_by)}"


def change_data(state: pb.DefinitionState) -> dict[str, Any]:
    """As JSON; without a document where it is deleted."""
    definition = state.definition
    document = {} if state.deleted else {"document": json.loads(definition.document)}
    return {
        "kind": definition.kind,
        "name": definition.name,
        "version": definition.version,
        "revision": definition.revision,
        "updatedBy": definition.updated_by,
        "deleted": state.deleted,
        **({"outOfSight": True} if state.out_of_sight else {}),
        **document,
    }


class News:
    """What of a stream is new to who has read all of it, snapshots that come again included."""

    def __init__(self) -> None:
        self._held: dict[Key, int] = {}
        self._found: set[Key] | None = None

    def of(self, message: pb.WatchCatalogResponse) -> Iterator[pb.DefinitionState]:
        """What ``message`` tells that no message before has told."""
        match message.WhichOneof("event"):
            case "snapshot_started":
                self._found = set()
            case "changes":
                for state in message.changes.states:
                    if self._is_news(state):
                        yield state
            case "caught_up":
                yield from self._missing()

    def _is_news(self, state: pb.DefinitionState) -> bool:
        definition = state.definition
        key = definition.kind, definition.name, definition.version
        if state.deleted:
            return self._held.pop(key, None) is not None
        if self._found is not None:
            self._found.add(key)
        known = self._held.get(key) == definition.revision
        self._held[key] = definition.revision
        return not known

    def _missing(self) -> Iterator[pb.DefinitionState]:
        """What was held and is in no snapshot any more."""
        if self._found is None:
            return
        for kind, name, version in sorted(self._held.keys() - self._found):
            del self._held[kind, name, version]
            gone = pb.Definition(kind=kind, name=name, version=version)
            yield pb.DefinitionState(definition=gone, deleted=True)
        self._found = None

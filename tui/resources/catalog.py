"""Definitions as rows: one for each name of a kind, the latest version of it, as it changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection, Record
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Opening, Tab
from tui.views.command_lines import command_line
from tui.views.durations import age

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0


class Definition(NamedTuple):
    """The latest version of a definition. Times are epoch seconds.

    Attributes:
        id: Its name.
        versions: All that there are, the latest last; of a kind without versions it is (0,).
        text: The document as JSON text, ``document`` as a value: without keys and secret values.
        stored: Every version as it is stored, in the order of ``versions``.
        beside: What is known of it that is not in its document; None: nothing.
    """

    id: str
    kind: str
    version: int
    versions: tuple[int, ...]
    revision: int
    etag: str
    text: str
    document: Mapping[str, Any]
    updated_at: float
    updated_by: str
    created_at: float
    stored: tuple[pb.Definition, ...] = ()
    beside: Any = None

    @property
    def definition(self) -> Definition:
        """Itself: rows made of a part of one have the whole of it there."""
        return self

    def get(self, name: str, default: Any = "") -> Any:
        """A field of the document."""
        return self.document.get(name, default)


R = TypeVar("R", bound=Record)
Rows = Callable[[Definition], Iterable[Any]]


def definition_of(all_of_it: Mapping[int, pb.Definition]) -> Definition:
    """The row of a definition, whose versions are given by their numbers."""
    versions = tuple(sorted(all_of_it))
    stored = all_of_it[versions[-1]]
    document = json.loads(stored.document) if stored.document else {}
    return Definition(
        stored.name,
        stored.kind,
        stored.version,
        versions,
        stored.revision,
        stored.etag,
        stored.document,
        document if isinstance(document, dict) else {},
        stored.updated_at.seconds + stored.updated_at.nanos / 1e9,
        stored.updated_by,
        stored.created_at.seconds + stored.created_at.nanos / 1e9,
        tuple(all_of_it[version] for version in versions),
    )


def version_row(definition: Definition, version: int) -> Definition | None:
    """The row of one version of a definition, as if there were no others; None: it is gone."""
    found = next((each for each in definition.stored if each.version == version), None)
    return definition_of({version: found}) if found is not None else None


def _itself(definition: Definition) -> Iterable[Any]:
    return (definition,)


class _Kind:
    """One kind's definitions, by name and version, put into a collection as rows."""

    def __init__(self, collection: Collection[Any], rows: Rows) -> None:
        self._collection = collection
        self._rows = rows
        self._stored: dict[str, dict[int, pb.Definition]] = {}
        self._ids: dict[str, set[str]] = {}

    def take(self, states: Iterable[pb.DefinitionState]) -> None:
        """What was stored and deleted, in order."""
        names: dict[str, None] = {}
        for state in states:
            definition = state.definition
            versions = self._stored.setdefault(definition.name, {})
            if state.deleted:
                versions.pop(definition.version, None)
            else:
                versions[definition.version] = definition
            names[definition.name] = None
        for name in names:
            self._tell(name)

    def _tell(self, name: str) -> None:
        versions = self._stored[name]
        if not versions:
            del self._stored[name]
            self._collection.drop(self._ids.pop(name, ()))
            return
        row = definition_of(versions)
        rows = list(self._rows(row))
        ids = {each.id for each in rows}
        self._collection.drop(self._ids.get(name, set()) - ids)
        self._ids[name] = ids
        self._collection.put(rows)


def source(kind: str, name: str = "", rows: Rows = _itself) -> Source[Any]:
    """The definitions of ``kind``; or what ``rows`` makes of each, under another ``name``."""

    async def watch(clients: Clients, query: str, collection: Collection[Any], line: Line) -> None:
        # Without a place to go on from: the versions of a name are only known by a whole snapshot.
        known = _Kind(collection, rows)
        caught_up, told = False, 0
        async for message in clients.registry.WatchCatalog(pb.WatchCatalogRequest(kinds=[kind])):
            match message.WhichOneof("event"):
                case "snapshot_started":
                    known = _Kind(collection, rows)
                    collection.begin_snapshot()
                    caught_up = False
                case "changes":
                    known.take(message.changes.states)
                    told += len(message.changes.states)
                case "caught_up":
                    collection.end_snapshot()
                    caught_up = True
            if caught_up:
                line.live()
            else:
                line.syncing(told)

    return Source(name or kind, "registry", watch)


# Columns that every kind has


NAME: Column[Definition] = Column(
    "name", "NAME", 16, lambda row, _: Cell(row.id), lambda row: row.id, flex=3, priority=9
)
UPDATED: Column[Definition] = Column(
    "updated", "AGE", 5, lambda row, now: Cell(age(now - row.updated_at), "muted"),
    lambda row: -row.updated_at, priority=6, right=True, ticks=True,
)  # fmt: skip
BY: Column[Definition] = Column(
    "by", "BY", 18, lambda row, _: Cell(row.updated_by, "muted"), lambda row: row.updated_by,
    flex=1, priority=2,
)  # fmt: skip
REVISION: Column[Definition] = Column(
    "revision", "REV", 6, lambda row, _: Cell(str(row.revision), "muted"),
    lambda row: row.revision, priority=1, right=True,
)  # fmt: skip


def text_column(
    name: str, title: str, width: int, value: Callable[[Definition], Any], **more: Any
) -> Column[Definition]:
    """A column of a text or number of the document."""
    return Column(
        name, title, width, lambda row, _: Cell(str(value(row))), lambda row: value(row) or None,
        **more,
    )  # fmt: skip


FIELDS: Mapping[str, Callable[[Definition], Any]] = {
    "name": lambda row: row.id,
    "version": lambda row: row.version,
    "by": lambda row: row.updated_by,
    "updated": lambda row: row.updated_at,
    "revision": lambda row: row.revision,
    "description": lambda row: str(row.get("description")),
}


def text_of(row: Definition) -> str:
    """What a free word of the filter is looked for in."""
    return f"{row.id} {row.get('description')} {row.updated_by}"


# What is done to definitions


async def _delete(
    clients: Clients, rows: Sequence[Definition], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.DeleteDefinitionRequest(kind=row.kind, name=row.id)
        if len(row.versions) == 1:
            # What was seen is what is deleted; of several versions it can only be the latest.
            request.etag = row.etag
        try:
            with raising_ours():
                await clients.registry.DeleteDefinition(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield ItemResult(row.id, True, "deleted")


def _effect(rows: Sequence[Definition]) -> str:
    versions = sum(len(row.versions) for row in rows)
    kept = "Its history stays: podium rollback brings it back."
    return f"{len(rows)} will be deleted, {versions} version{'s' * (versions != 1)} in all. {kept}"


TABS = (
    Tab("json", "JSON", "definition-json"),
    Tab("yaml", "YAML", "definition-yaml"),
    Tab("history", "History", "definition-history"),
    Tab("references", "Used by", "definition-references"),
)
# Behind all others.
ACCESS = Tab("access", "Access", "definition-access")


def delete(kind: str) -> Action[Definition]:
    """Deletes definitions of ``kind``, all versions."""
    return Action(
        f"{kind}.delete", "d", "Delete", "Delete it, all versions; what uses it keeps it.",
        _delete,
        lambda rows, _: " && ".join(
            command_line(["delete", row.kind], row.id) for row in rows
        ),
        effect=_effect, danger=Danger.ASKS,
    )  # fmt: skip


def as_text(kind: str) -> Opening:
    """The editor of the whole document. Secrets have none: their values would be on the screen."""
    return Opening(
        f"{kind}.write", "E", "Edit text", f"Write the whole {kind} as JSON or YAML.",
        "definition-editor", writes=True,
    )  # fmt: skip


def written(kind: str) -> tuple[Opening, ...]:
    """The forms by which definitions of ``kind`` are created and edited."""
    return (
        Opening(
            f"{kind}.create", "n", "New", f"Write a new {kind} in a form.", "definition-form",
            needs_record=False, writes=True, creates=True,
        ),
        Opening(
            f"{kind}.edit", "e", "Edit", f"Write this {kind} in a form.", "definition-form",
            writes=True,
        ),
        *(() if kind == "secret" else (as_text(kind),)),
    )  # fmt: skip

"""What a definition is used by, and what it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2 as pb
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Cell, Column

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 500
MOST = 5_000

_DIRECTIONS = {
    "used by": pb.REFERENCE_DIRECTION_USED_BY,
    "uses": pb.REFERENCE_DIRECTION_USES,
}


class Reference(NamedTuple):
    """One place that names a definition.

    Attributes:
        way: ``used by`` or ``uses``.
        kind: Of the definition at the other end; so are ``name`` and ``version``.
        path: Where in the user's document.
    """

    id: str
    way: str
    kind: str
    name: str
    version: int
    path: str
    missing: bool


def source(kind: str) -> Source[Reference]:
    """The references of the definition of ``kind`` whose name the query is."""

    async def watch(
        clients: Clients, query: str, collection: Collection[Reference], line: Line
    ) -> None:
        """Read once, and again when the line is asked to."""
        rows: dict[str, Reference] = {}
        for way, direction in _DIRECTIONS.items():
            request = pb.ListReferencesRequest(
                kind=kind, name=query, direction=direction,
                page=page_pb2.PageRequest(page_size=PAGE),
            )  # fmt: skip
            while len(rows) < MOST:
                answer = await clients.registry.ListReferences(request, timeout=CALL_SECONDS)
                for each in answer.references:
                    row = _row(way, each)
                    rows[row.id] = row
                request.page.page_token = answer.next_page_token
                if not answer.next_page_token:
                    break
        collection.replace(rows)
        await line.rest()

    return Source(f"references of {kind}", "registry", watch)


def _row(way: str, each: pb.DefinitionReference) -> Reference:
    id_ = f"{way} {each.kind} {each.name} {each.version} {each.path}"
    return Reference(id_, way, each.kind, each.name, each.version, each.path, each.missing)


def _name(row: Reference) -> Cell:
    if not row.missing:
        return Cell(row.name)
    if row.kind == "task":
        # A task needs no definition of its own: what holds then are defaults.
        return Cell(f"{row.name} (not defined)", "muted")
    return Cell(f"{row.name} (missing)", "error")


COLUMNS: tuple[Column[Reference], ...] = (
    Column("way", "", 7, lambda row, _: Cell(row.way, "muted"), lambda row: row.way != "used by",
           priority=9),
    Column("kind", "KIND", 11, lambda row, _: Cell(row.kind), lambda row: row.kind, priority=8),
    Column("name", "NAME", 14,
           lambda row, _: _name(row),
           lambda row: row.name, flex=2, priority=9),
    Column("version", "V", 3, lambda row, _: Cell(str(row.version or "")),
           lambda row: row.version, priority=5, right=True),
    Column("path", "WHERE", 16, lambda row, _: Cell(row.path, "muted"), lambda row: row.path,
           flex=2, priority=6),
)  # fmt: skip

"""The versions of one definition: all that are stored, and how many executions run each."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.resources.catalog import CALL_SECONDS, Definition, version_row
from tui.resources.model import Action, Cell, Column, Danger, ItemResult
from tui.views.command_lines import command_line
from tui.views.durations import date_and_clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.clients import Clients
    from tui.resources.execution_row import Execution


class Version(NamedTuple):
    """One version.

    Attributes:
        id: Its number, as text.
        definition: The row of it alone.
        running: How many executions run it now, of those that the console follows.
        is_latest: Whether it is what runs where no version is named.
    """

    id: str
    definition: Definition
    running: int
    is_latest: bool

    @property
    def number(self) -> int:
        """The version."""
        return self.definition.version


def versions_of(
    definition: Definition, running: Mapping[int, int], known: Mapping[str, Version]
) -> list[Version]:
    """Every version of ``definition``.

    Args:
        running: How many executions there are, by version.
        known: What was made before, by id: documents that have not changed are not read again.
    """
    found: list[Version] = []
    for stored in definition.stored:
        id_, number = str(stored.version), stored.version
        before = known.get(id_)
        if before is not None and before.definition.revision == stored.revision:
            row: Definition | None = before.definition
        else:
            row = version_row(definition, number)
        if row is not None:
            latest = number == definition.version
            found.append(Version(id_, row, running.get(number, 0), latest))
    return found


def running(executions: Iterable[Execution], workflow: str) -> Counter[int]:
    """How many executions of ``workflow`` have not ended, by version."""
    return Counter(
        each.version for each in executions if each.ended_at is None and each.workflow == workflow
    )


COLUMNS: tuple[Column[Version], ...] = (
    Column("version", "V", 4, lambda row, _: Cell(row.id, "primary" if row.is_latest else "text"),
           lambda row: row.number, priority=9, right=True),
    Column("latest", "", 6, lambda row, _: Cell("latest" if row.is_latest else "", "primary"),
           lambda row: not row.is_latest, priority=7),
    Column("running", "RUNNING", 7, lambda row, _: Cell(str(row.running or "")),
           lambda row: row.running, priority=8, right=True),
    Column("at", "STORED", 19,
           lambda row, _: Cell(date_and_clock(row.definition.updated_at), "muted"),
           lambda row: row.definition.updated_at, priority=6),
    Column("by", "BY", 12, lambda row, _: Cell(row.definition.updated_by, "muted"),
           lambda row: row.definition.updated_by, flex=1, priority=5),
    Column("etag", "ETAG", 10, lambda row, _: Cell(row.definition.etag, "muted"),
           lambda row: row.definition.etag, flex=1, priority=2),
)  # fmt: skip


async def _delete(
    clients: Clients, rows: Sequence[Version], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        definition = row.definition
        request = pb.DeleteDefinitionRequest(
            kind=definition.kind, name=definition.id, version=row.number, etag=definition.etag
        )
        try:
            with raising_ours():
                await clients.registry.DeleteDefinition(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield ItemResult(row.id, True, "deleted")


def _effect(rows: Sequence[Version]) -> str:
    row = rows[0]
    lines = [f"Version {row.id} of {row.definition.kind} {row.definition.id} will be deleted."]
    if row.running:
        lines.append(f"{row.running} executions run it: they keep what they began with.")
    if row.is_latest:
        lines.append("It is the latest: what names no version runs the one before from then on.")
    return "\n".join([*lines, "Its history stays: podium rollback brings it back."])


DELETE: Action[Version] = Action(
    "versions.delete", "d", "Delete version", "Delete this version; the others stay.",
    _delete,
    lambda rows, _: command_line(
        ["delete", "--version", rows[0].id, rows[0].definition.kind], rows[0].definition.id
    ),
    effect=_effect, danger=Danger.ASKS, many=False,
)  # fmt: skip

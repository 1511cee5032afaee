"""The registry's signing keys, as an operator reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from tui.views.durations import iso
from tui.views.statuses import Look
from tui.views.tables import table

LOOKS: Mapping[str, Look] = {
    "ANNOUNCED": Look("◌", "ANNOUNCED", "warning", "~"),
    "SIGNS": Look("●", "SIGNS", "success", "*"),
    "VERIFIES": Look("◐", "VERIFIES", "muted", "o"),
}
_HEAD = ("KEY ID", "STATE", "CREATED", "SIGNS FROM", "SIGNS UNTIL", "VERIFIES UNTIL")


class SigningKey(NamedTuple):
    """One key. Times are epoch seconds; None: there is no such moment yet.

    Attributes:
        id: What the header of a token says under ``kid``.
    """

    id: str
    state: str
    created_at: float
    signs_from: float
    signs_until: float | None
    verifies_until: float | None
    document: Mapping[str, Any]


def keys(told: Iterable[pb.SigningKey]) -> list[SigningKey]:
    """A row for each, as they were told."""
    return [_row(each) for each in told]


def lines(rows: Iterable[SigningKey]) -> Iterator[str]:
    """A head, and a line for each key."""
    yield from table([_HEAD, *map(_cells, rows)])


def rotation(told: pb.ListSigningKeysResponse) -> str:
    """When another will be made, as a sentence."""
    if not told.HasField("rotates_at"):
        return "No other is made by itself: PODIUM_SIGNING_KEY_DAYS is 0."
    return f"Another is made at {iso(told.rotates_at.ToDatetime(UTC))}."


def _row(key: pb.SigningKey) -> SigningKey:
    state = pb.SigningKeyState.Name(key.state).removeprefix("SIGNING_KEY_STATE_")
    until = key.signs_until if key.HasField("signs_until") else None
    verifies = key.verifies_until if key.HasField("verifies_until") else None
    times = {
        "createdAt": key.created_at,
        "signsFrom": key.signs_from,
        "signsUntil": until,
        "verifiesUntil": verifies,
    }
    document = {"keyId": key.key_id, "state": state} | {
        name: iso(at.ToDatetime(UTC)) if at is not None else None for name, at in times.items()
    }
    return SigningKey(
        key.key_id,
        state,
        _seconds(key.created_at),
        _seconds(key.signs_from),
        _seconds(until) if until is not None else None,
        _seconds(verifies) if verifies is not None else None,
        document,
    )


def _seconds(at: Timestamp) -> float:
    return at.ToNanoseconds() / 1e9


def _cells(row: SigningKey) -> tuple[str, ...]:
    look = LOOKS[row.state]
    return (
        row.id,
        f"{look.glyph} {look.word}",
        *(
            iso(datetime.fromtimestamp(at, UTC)) if at is not None else "-"
            for at in (row.created_at, row.signs_from, row.signs_until, row.verifies_until)
        ),
    )

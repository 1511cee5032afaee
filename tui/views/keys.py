"""The gateway keys of an auth definition as lines and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.views.durations import iso

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from podium.registry.v1 import registry_pb2

_HEAD = ("NAME", "CREATED", "EXPIRES", "CALLS AS")


def lines(keys: Iterable[registry_pb2.ApiKey], now: datetime) -> Iterator[str]:
    """A head, and a line for each key."""
    rows = [_HEAD, *(_row(key, now) for key in keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def fields(key: registry_pb2.ApiKey) -> dict[str, str | None]:
    """One key as JSON has it."""
    return {
        "name": key.name,
        "principal": key.principal,
        "createdAt": _moment(key.created_at) if key.HasField("created_at") else None,
        "expiresAt": _moment(key.expires_at) if key.HasField("expires_at") else None,
    }


def ending(key: registry_pb2.ApiKey) -> str:
    """When it ends, after its name: ``ends 2027-01-31T00:00:00Z``."""
    return f"ends {_moment(key.expires_at)}" if key.HasField("expires_at") else "does not end"


def _row(key: registry_pb2.ApiKey, now: datetime) -> tuple[str, ...]:
    created = _moment(key.created_at) if key.HasField("created_at") else "-"
    expires = "never"
    if key.HasField("expires_at"):
        over = key.expires_at.ToDatetime(UTC) <= now
        expires = _moment(key.expires_at) + (" (expired)" if over else "")
    return key.name, created, expires, key.principal


def _moment(stamp: Timestamp) -> str:
    return iso(stamp.ToDatetime(UTC))

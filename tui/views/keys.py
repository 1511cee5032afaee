"""The gateway keys of an auth definition as lines and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.views.durations import iso
from tui.views.tables import table

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from podium.registry.v1 import registry_pb2

_HEAD = ("NAME", "CREATED", "EXPIRES", "LAST USED", "CALLS AS")

Uses = Mapping[str, "Timestamp"]
"""When keys were last used, by name; one that is not there was never."""


def lines(
    keys: Iterable[registry_pb2.ApiKey], now: datetime, used: Uses | None = None
) -> Iterator[str]:
    """A head, and a line for each key; without ``used`` nobody knows when they were."""
    yield from table([_HEAD, *(_row(key, now, used) for key in keys)])


def fields(key: registry_pb2.ApiKey, used: Uses | None = None) -> dict[str, str | None]:
    """One key as JSON has it; with ``used``, when it was last."""
    told = {
        "name": key.name,
        "principal": key.principal,
        "createdAt": _moment(key.created_at) if key.HasField("created_at") else None,
        "expiresAt": _moment(key.expires_at) if key.HasField("expires_at") else None,
    }
    if used is not None:
        last = _last(key, used)
        told["lastUsedAt"] = None if last is None else _moment(last)
    return told


def ending(key: registry_pb2.ApiKey) -> str:
    """When it ends, after its name: ``ends 2027-01-31T00:00:00Z``."""
    return f"ends {_moment(key.expires_at)}" if key.HasField("expires_at") else "does not end"


def _row(key: registry_pb2.ApiKey, now: datetime, used: Uses | None) -> tuple[str, ...]:
    created = _moment(key.created_at) if key.HasField("created_at") else "-"
    expires = "never"
    if key.HasField("expires_at"):
        over = key.expires_at.ToDatetime(UTC) <= now
        expires = _moment(key.expires_at) + (" (expired)" if over else "")
    last = "unknown" if used is None else "never"
    if used and (stamp := _last(key, used)) is not None:
        last = _moment(stamp)
    return key.name, created, expires, last, key.principal


def _last(key: registry_pb2.ApiKey, used: Uses) -> Timestamp | None:
    """When the key was last used; one of its name that was there before it does not count."""
    stamp = used.get(key.name)
    made = key.created_at if key.HasField("created_at") else None
    if stamp is None or (made is not None and stamp.ToDatetime(UTC) < made.ToDatetime(UTC)):
        return None
    return stamp


def _moment(stamp: Timestamp) -> str:
    return iso(stamp.ToDatetime(UTC))

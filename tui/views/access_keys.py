"""The access keys of an application as lines and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.views.durations import iso
from tui.views.tables import table

if TYPE_CHECKING:
    from podium.registry.v1 import registry_pb2

_HEAD = ("KEY ID", "APPLICATION", "CREATED", "BY", "EXPIRES", "LAST USED", "STATE")
_TIMES = {
    "createdAt": "created_at",
    "expiresAt": "expires_at",
    "revokedAt": "revoked_at",
    "lastUsedAt": "last_used_at",
}


def lines(keys: Iterable[registry_pb2.AccessKey], now: datetime) -> Iterator[str]:
    """A head, and a line for each key."""
    yield from table([_HEAD, *(_row(key, now) for key in keys)])


def fields(key: registry_pb2.AccessKey) -> dict[str, str | None]:
    """One key as JSON has it."""
    times = {name: _moment(key, field) for name, field in _TIMES.items()}
    return {
        "keyId": key.key_id,
        "applicationId": key.application_id,
        **times,
        "createdBy": key.created_by or None,
        "replaces": key.replaces or None,
    }


def _row(key: registry_pb2.AccessKey, now: datetime) -> tuple[str, ...]:
    told = fields(key)
    state = "live"
    if told["revokedAt"]:
        state = f"revoked {told['revokedAt']}"
    elif key.HasField("expires_at") and key.expires_at.ToDatetime(UTC) <= now:
        state = "expired"
    created, expires, used = told["createdAt"], told["expiresAt"], told["lastUsedAt"]
    return (
        key.key_id, key.application_id, created or "-", key.created_by or "-", expires or "never",
        used or "never", state,
    )  # fmt: skip


def until(key: registry_pb2.AccessKey) -> str:
    """Until when it opens, of one that was replaced, as in "it …"."""
    if key.HasField("revoked_at"):
        return "opens nothing any more"
    return f"opens until {_moment(key, 'expires_at')}"


def _moment(key: registry_pb2.AccessKey, field: str) -> str | None:
    if not key.HasField(field):  # type: ignore[arg-type]
        return None
    return iso(getattr(key, field).ToDatetime(UTC))

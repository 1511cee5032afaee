"""Entries as messages, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from services.auditing.entries import ALLOWED, DENIED, FAILED, Entry

_TEXTS = (
    "principal", "key_id", "via", "action", "kind", "name", "method", "detail", "before", "after",
    "source", "agent", "trace", "uid",
)  # fmt: skip
_NUMBERS = ("version", "revision_before", "revision", "count")
_OUTCOMES = {
    ALLOWED: pb.AUDIT_OUTCOME_ALLOWED,
    DENIED: pb.AUDIT_OUTCOME_DENIED,
    FAILED: pb.AUDIT_OUTCOME_FAILED,
}
_WORDS = {value: word for word, value in _OUTCOMES.items()}


def to_message(entry: Entry, *, with_uid: bool = False) -> pb.AuditEntry:
    """``entry`` as it is told; its uid only among services."""
    message = pb.AuditEntry(id=entry.id, outcome=_OUTCOMES[entry.outcome])
    for name in _TEXTS:
        if name != "uid" or with_uid:
            setattr(message, name, entry.text(name))
    for name in _NUMBERS:
        setattr(message, name, getattr(entry, name))
    if entry.at is not None:
        stamp = Timestamp()
        stamp.FromDatetime(entry.at)
        message.at.CopyFrom(stamp)
    return message


def from_message(message: pb.AuditEntry) -> Entry:
    """The entry that :func:`to_message` told, with an outcome and a time that can be."""
    at = None
    if message.HasField("at"):
        try:
            at = message.at.ToDatetime(tzinfo=UTC)
        except (ValueError, OverflowError):
            at = datetime.now(UTC)
    values = {name: getattr(message, name) for name in (*_TEXTS, *_NUMBERS)}
    return Entry(**values, id=message.id, at=at, outcome=outcome_of(message))


def outcome_of(message: pb.AuditEntry) -> str:
    """Its outcome as a word."""
    return _WORDS.get(message.outcome, ALLOWED)

"""Keys: those of callers at the gateway, by auth, and those of programs and people, by application.

Keys themselves are never in a row: whoever makes one is shown it once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.edge.v1 import edge_pb2
from podium.registry.v1 import registry_pb2 as pb
from services.errors import NotFound, PermissionDenied, ServiceError, Unavailable
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Question
from tui.views.command_lines import command_line
from tui.views.durations import date_and_minute

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from tui.clients import Clients

CALL_SECONDS = 15.0
NEVER, UNKNOWN = 0.0, -1.0
NO, YES = "no", "yes"


class Key(NamedTuple):
    """A key, without the key itself. Times are epoch seconds.

    Attributes:
        id: Its name.
        owner: The auth or the application that it belongs to.
        calls_as: How calls with it are known.
        expires_at: 0: never.
        revoked_at: 0: it was not.
        last_used_at: 0: never, as far as is known; -1: nobody knows now.
        created_by: Who made it; empty: nobody knows.
    """

    id: str
    owner: str
    calls_as: str
    created_at: float
    expires_at: float
    revoked_at: float
    last_used_at: float
    created_by: str = ""

    def is_live(self, now: float) -> bool:
        """Whether it opens anything."""
        return not self.revoked_at and (not self.expires_at or self.expires_at > now)


def _seconds(message: Any, field: str) -> float:
    if not message.HasField(field):
        return 0.0
    stamp: Timestamp = getattr(message, field)
    return float(stamp.seconds) + float(stamp.nanos) / 1e9


# Of an auth


async def _watch_api_keys(
    clients: Clients, query: str, collection: Collection[Key], line: Line
) -> None:
    """Read once, and again when the line is asked to."""
    request = pb.ListApiKeysRequest(auth_id=query)
    answer = await clients.registry.ListApiKeys(request, timeout=CALL_SECONDS)
    used = await _last_used(clients, query)
    rows = [_api_key(query, each, used) for each in answer.api_keys]
    collection.replace({row.id: row for row in rows})
    await line.rest()


async def _last_used(clients: Clients, auth: str) -> Mapping[str, float] | None:
    """By name; None: the gateway is away, does not know the auth yet, or may not tell."""
    try:
        with raising_ours():
            answer = await clients.edge.ListKeyUse(
                edge_pb2.ListKeyUseRequest(auth_id=auth), timeout=CALL_SECONDS
            )
    except (NotFound, PermissionDenied, Unavailable):
        return None
    return {each.name: _seconds(each, "last_used_at") for each in answer.keys}


def _api_key(auth: str, key: pb.ApiKey, used: Mapping[str, float] | None) -> Key:
    created = _seconds(key, "created_at")
    last = UNKNOWN if used is None else used.get(key.name, NEVER)
    # One of its name that was there before it does not count.
    last = NEVER if NEVER < last < created else last
    return Key(key.name, auth, key.principal, created, _seconds(key, "expires_at"), 0.0, last)


API_KEYS: Source[Key] = Source("keys of an auth", "registry", _watch_api_keys)


# Of an application


async def _watch_access_keys(
    clients: Clients, query: str, collection: Collection[Key], line: Line
) -> None:
    """Read once, and again when the line is asked to."""
    request = pb.ListAccessKeysRequest(application_id=query)
    answer = await clients.registry.ListAccessKeys(request, timeout=CALL_SECONDS)
    rows = [_access_key(each) for each in answer.access_keys]
    collection.replace({row.id: row for row in rows})
    await line.rest()


def _access_key(key: pb.AccessKey) -> Key:
    return Key(
        key.key_id,
        key.application_id,
        f"application:{key.application_id}",
        _seconds(key, "created_at"),
        _seconds(key, "expires_at"),
        _seconds(key, "revoked_at"),
        _seconds(key, "last_used_at"),
        key.created_by,
    )


ACCESS_KEYS: Source[Key] = Source("keys of an application", "registry", _watch_access_keys)


# What is shown


def moment(at: float, otherwise: str = "never") -> str:
    """A moment in UTC, to the minute."""
    return date_and_minute(at) if at > 0 else otherwise


def state(row: Key, now: float) -> Cell:
    """Whether it opens anything, and until when."""
    if row.revoked_at:
        return Cell("⊘ revoked", "muted")
    if not row.is_live(now):
        return Cell("○ expired", "muted")
    if row.expires_at:
        return Cell("◐ ends", "warning")
    return Cell("● live", "success")


COLUMNS: tuple[Column[Key], ...] = (
    Column("name", "NAME", 14, lambda row, _: Cell(row.id), lambda row: row.id, flex=2,
           priority=9),
    Column("state", "STATE", 9, state, lambda row: (bool(row.revoked_at), row.expires_at),
           priority=8, ticks=True),
    Column("created", "CREATED", 16,
           lambda row, _: Cell(moment(row.created_at, "unknown"), "muted"),
           lambda row: row.created_at, priority=5),
    Column("expires", "EXPIRES", 16, lambda row, _: Cell(moment(row.expires_at)),
           lambda row: row.expires_at or None, priority=7),
    Column("used", "LAST USED", 16,
           lambda row, _: Cell(moment(row.last_used_at,
                                      "unknown" if row.last_used_at < 0 else "never"), "muted"),
           lambda row: row.last_used_at, priority=6),
    Column("as", "CALLS AS", 14, lambda row, _: Cell(row.calls_as, "muted"),
           lambda row: row.calls_as, flex=1, priority=2),
    Column("by", "MADE BY", 14, lambda row, _: Cell(row.created_by, "muted"),
           lambda row: row.created_by, flex=1, priority=1, optional=True),
)  # fmt: skip


# What is done


async def _revoke_api_key(
    clients: Clients, rows: Sequence[Key], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.RevokeApiKeyRequest(
            auth_id=row.owner, name=row.id, even_last=answers.get("last") == YES
        )
        yield await _result(row, clients.registry.RevokeApiKey(request, timeout=CALL_SECONDS))


async def _revoke_access_key(
    clients: Clients, rows: Sequence[Key], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.RevokeAccessKeyRequest(key_id=row.id)
        yield await _result(row, clients.registry.RevokeAccessKey(request, timeout=CALL_SECONDS))


async def _result(row: Key, call: Any) -> ItemResult:
    try:
        with raising_ours():
            await call
    except ServiceError as error:
        return ItemResult(row.id, False, error.detail)
    return ItemResult(row.id, True, "revoked")


def _revoked_at_gateway(rows: Sequence[Key]) -> str:
    return (
        f"Calls with key {rows[0].id} of auth {rows[0].owner} are refused within a second.\n"
        "A revoked key never opens anything again."
    )


def _revoked_access(rows: Sequence[Key]) -> str:
    return (
        f"Key {rows[0].id} of application {rows[0].owner} gets no more tokens; the tokens that\n"
        "it has are refused, and the streams that they opened end, within a second.\n"
        "A revoked key never opens anything again."
    )


def _even_last(answers: Mapping[str, str]) -> tuple[str, ...]:
    return ("--even-last",) if answers.get("last") == YES else ()


REVOKE_API_KEY: Action[Key] = Action(
    "keys.revoke", "x", "Revoke", "End this key: calls with it are refused.", _revoke_api_key,
    lambda rows, answers: command_line(
        ["keys", "revoke", *_even_last(answers)], rows[0].owner, rows[0].id
    ),
    effect=_revoked_at_gateway, danger=Danger.ASKS, many=False, doing="revoking",
    questions=(Question("last", "Even if it is the last one", NO, (NO, YES)),),
)  # fmt: skip

REVOKE_ACCESS_KEY: Action[Key] = Action(
    "access_keys.revoke", "x", "Revoke", "End this key and the tokens that it has.",
    _revoke_access_key,
    lambda rows, _: command_line(["access-keys", "revoke"], rows[0].id),
    applies=lambda row: not row.revoked_at, effect=_revoked_access, danger=Danger.ASKS,
    many=False, doing="revoking",
)  # fmt: skip

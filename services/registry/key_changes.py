"""What a put does to the keys of an auth definition, as sentences for who puts it. No IO.

Keys that are listed are the keys. A file that lists them and people who make, roll and revoke them
one by one undo each other's work: it must not happen unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from services.registry.definitions import Document, Json
from services.registry.definitions.reading import shortened
from services.registry.writeonly import moment, stored_keys

_NAMED = 10

_Keys = dict[str, Document]
"""Keys of one state by their hash."""


def warnings(
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    earlier: Iterable[Mapping[str, Json]],
    now: datetime,
    *,
    named: bool = True,
) -> Iterator[str]:
    """Which keys end, open again or go on by ``after``, and which of it open nothing.

    Args:
        before: The stored document; empty if it is new.
        after: What would be stored.
        earlier: Documents that were stored before, as far as they are kept; read only if need be.
        named: Whether who puts may know how the keys are called.
    """
    keys = _keys if named else _nameless
    old, new = _by_hash(before), _by_hash(after)
    live = {digest: key for digest, key in old.items() if _live(key, now)}
    if ended := [_title(key) for digest, key in live.items() if digest not in new]:
        field = "apiKeys" if after.get("authenticationType") == "API_KEY" else "authenticationType"
        yield f"{field}: ends the live {keys(ended)}"
    if prolonged := [
        _title(live[d]) for d, key in new.items() if d in live and _later(key, live[d])
    ]:
        yield f"apiKeys: lets the {keys(prolonged)} go on, which would end otherwise"
    opened = {digest for digest, key in new.items() if digest not in live and _live(key, now)}
    if again := _known(opened, old, earlier) if opened else []:
        yield f"apiKeys: opens again the {keys(again)}, which had ended"
    if old != new and (over := [_title(key) for key in new.values() if not _live(key, now)]):
        yield f"apiKeys: opens nothing by the expired {keys(over)}"


def _known(opened: set[str], old: _Keys, earlier: Iterable[Mapping[str, Json]]) -> list[str]:
    """What those of ``opened`` were called that were keys before."""
    found: dict[str, str] = {d: _title(key) for d, key in old.items() if d in opened}
    for document in earlier:
        if len(found) == len(opened):
            break
        for digest, key in _by_hash(document).items():
            if digest in opened:
                found.setdefault(digest, _title(key))
    return [*found.values()]


def _by_hash(auth: Mapping[str, Json]) -> _Keys:
    return {str(key.get("hash")): key for key in stored_keys(auth)}


def _live(key: Mapping[str, Json], now: datetime) -> bool:
    expires = key.get("expiresAt")
    return expires is None or now < moment(expires)


def _later(key: Mapping[str, Json], than: Mapping[str, Json]) -> bool:
    """Whether ``key`` ends later than it would have, or not any more."""
    end, was = key.get("expiresAt"), than.get("expiresAt")
    return was is not None and (end is None or moment(end) > moment(was))


def _title(key: Mapping[str, Json]) -> str:
    return f"'{shortened(str(key.get('name')))}'"


def _keys(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{_nameless(names)} {', '.join(names[:_NAMED])}{more}"


def _nameless(names: list[str]) -> str:
    return "keys" if len(names) > 1 else "key"

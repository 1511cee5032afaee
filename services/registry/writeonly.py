"""What goes into a definition and never comes out again: keys of the gateway, values of secrets.

A key is stored as its hash, a value sealed. Left out of a later document, both stay as they are;
given again, they are compared with what is stored, so that the same document is no change. A key
that is listed by its name alone stays too, among others that come or go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from secrets import token_urlsafe
from typing import Protocol, cast

from services.errors import Fault
from services.registry import documents
from services.registry.definitions import KINDS, Definition, Document, Json
from services.registry.keys import hashed
from services.registry.store import Stored
from services.sealing import Unsealable
from services.secret_documents import (
    FORMER,
    SHORTEST_MASKED,
    SHORTEST_WELL_MASKED,
    replaced,
)

# Names and times of an auth configuration's keys, where it is read; what is written there is
# dropped.
KNOWN_KEYS = "knownKeys"
# Of a key that took another's place: the name that its calls are known by.
ACTS_AS = "actsAs"
# The highest n of the names ``key-n`` that ever were, kept where the names no longer tell: what was
# done with a key that is gone must not look like another one's doing.
LAST_NUMBER = "lastKeyNumber"
_NO_VALUE = "value: is not there, so what uses the secret fails until it is put"
_NUMBERED = re.compile(r"key-([1-9][0-9]{0,17})")
_SECONDS_OF_MILLISECONDS = 1000


class Seals(Protocol):
    """Encrypts text at rest."""

    def seal(self, text: str) -> str: ...

    def open(self, sealed: str) -> str: ...


@dataclass(frozen=True)
class Kept:
    """A document as it is stored.

    Attributes:
        document: In full, with hashes and sealed values.
        generated: Keys that were made because none was given: ``(name, key)``.
        faults: What only the stored state shows to be missing.
        warnings: Sentences.
    """

    document: Document
    generated: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


def new_gateway_key() -> str:
    """256 random bits, recognisable in a log or a leak."""
    return gateway_key(token_urlsafe(32))


def gateway_key(secret: str) -> str:
    """A gateway key of a secret."""
    return f"pk_{secret}"


def kept(
    definition: Definition,
    before: Document | None,
    seals: Seals,
    now: datetime,
    *,
    values_may_lack: bool = False,
) -> Kept:
    """What to store for ``definition`` over ``before``, the stored document (None: it is new).

    ``values_may_lack`` lets a secret be without a value.
    """
    match definition.kind:
        case "auth":
            return _with_keys(definition.document, before, now)
        case "secret":
            return _with_value(definition.document, before or {}, seals, now, values_may_lack)
    return Kept(definition.document)


def readable(kind: str, document: Document) -> Document:
    """A stored document as it may be read back; put again, it changes nothing."""
    hidden = (*KINDS[kind].hidden, LAST_NUMBER, FORMER)
    shown = {name: value for name, value in document.items() if name not in hidden}
    keys = stored_keys(document) if kind == "auth" else []
    if keys:
        shown[KNOWN_KEYS] = [
            {name: value for name, value in key.items() if name != "hash"} for key in keys
        ]
    elif kind == "auth" and document.get("apiKeys") == []:
        # Left out, a key would be generated.
        shown["apiKeys"] = []
    return shown


def compared(before: Document, after: Document) -> tuple[Document, Document]:
    """Two states of an auth definition as :func:`readable`, to be shown side by side.

    Each ``knownKeys`` item whose value changes under its name has a ``key`` that says so.
    """
    was = {key.get("name"): key.get("hash") for key in stored_keys(before)}
    now = {key.get("name"): key.get("hash") for key in stored_keys(after)}
    changed = {name for name, digest in was.items() if now.get(name, digest) != digest}
    return _marked(before, changed, "as it is"), _marked(after, changed, "another one")


def _marked(auth: Document, names: set[Json], mark: str) -> Document:
    shown = readable("auth", auth)
    keys = shown.get(KNOWN_KEYS)
    if isinstance(keys, list):
        told = [key for key in keys if isinstance(key, dict)]
        marked = [key | {"key": mark} if key.get("name") in names else key for key in told]
        shown[KNOWN_KEYS] = cast("Json", marked)
    return shown


def readable_text(state: Stored) -> str:
    """The document of ``state`` as it may be read back; empty when deleted."""
    if state.deleted or not KINDS[state.kind].hidden:
        return state.document
    return documents.written(readable(state.kind, documents.stored(state.document)))


def _with_value(
    document: Document, before: Document, seals: Seals, now: datetime, may_lack: bool
) -> Kept:
    value, sealed = document.get("value"), before.get("value")
    if isinstance(sealed, str) and (value is None or value == _opened(seals, sealed)):
        stays = {FORMER: before[FORMER]} if FORMER in before else {}
        return Kept({**document, "value": sealed, **stays})
    if value is None and may_lack:
        return Kept(document, warnings=(_NO_VALUE,))
    if not isinstance(value, str):
        return Kept(document, faults=(Fault("value", "is required"),))
    kept = {**document, "value": seals.seal(value)}
    if isinstance(sealed, str):
        kept[FORMER] = cast("Json", replaced(before, now))
    return Kept(kept, warnings=_too_short(value))


def _too_short(value: str) -> tuple[str, ...]:
    if len(value) < SHORTEST_MASKED:
        return (
            f"value: is shorter than {SHORTEST_MASKED} characters, so it is not masked in what "
            "comes back from those who are given it",
        )
    if len(value) < SHORTEST_WELL_MASKED:
        return (
            f"value: is shorter than {SHORTEST_WELL_MASKED} characters, so within longer base64 "
            "it is not masked in what comes back",
        )
    return ()


def _opened(seals: Seals, sealed: str) -> str | None:
    try:
        return seals.open(sealed)
    except Unsealable:
        # A damaged value can be put anew.
        return None


def _with_keys(document: Document, before: Document | None, now: datetime) -> Kept:
    others = {name: value for name, value in document.items() if name != "apiKeys"}
    stored, last = stored_keys(before or {}), last_number(before or {})
    if document.get("authenticationType") != "API_KEY":
        return Kept(others | numbered_to(last, ()))
    given = document.get("apiKeys")
    if isinstance(given, list):
        return _listed(others, given, stored, last, now)
    if stored:
        return Kept(others | {"apiKeys": cast("Json", stored)} | numbered_to(last, stored))
    key, name = new_gateway_key(), "default" if before is None else f"key-{last + 1}"
    entry: Document = {"name": name, "hash": hashed(key), "createdAt": written(now)}
    return Kept({**others, "apiKeys": [entry]}, generated=((name, key),))


def _listed(
    others: Document, given: list[Json], stored: list[Document], last: int, now: datetime
) -> Kept:
    """With the keys that are given; one that was there keeps its name and its age."""
    items: list[Document] = [i if isinstance(i, dict) else {"key": i} for i in given]
    known = {str(key.get("hash")): key for key in stored}
    named = {key.get("name"): str(key.get("hash")) for key in stored}
    given_names = {str(item["name"]) for item in items if item.get("name")}
    numbers = count(max(last, _highest(given_names)) + 1)
    keys: dict[str, Document] = {}
    faults: list[Fault] = []
    for index, item in enumerate(items):
        stays = item.get("key") is None
        digest = named.get(item.get("name"), "") if stays else hashed(str(item["key"]))
        if detail := _fault_of(digest, keys):
            faults.append(Fault(f"apiKeys[{index}].key", detail))
            continue
        before = known.get(digest, {})
        its_own = before.get("name") if before.get("name") not in given_names else None
        keys[digest] = {
            "name": item.get("name") or its_own or f"key-{next(numbers)}",
            "hash": digest,
            "createdAt": before.get("createdAt") or written(now),
        }
        if keys[digest]["name"] == before.get("name") and ACTS_AS in before:
            keys[digest][ACTS_AS] = before[ACTS_AS]
        try:
            keys[digest] |= _end_of(item, before if stays else {})
        except (ValueError, OverflowError, OSError):
            detail = "is no moment between the years 1 and 9999"
            faults.append(Fault(f"apiKeys[{index}].expiresAt", detail))
    return _with_listed(others, list(keys.values()), stored, last, tuple(faults))


def _fault_of(digest: str, before: Mapping[str, Document]) -> str:
    """Why a listed key cannot be kept; ``digest`` is empty where no key has the name."""
    if not digest:
        return "is required, since no key of that name is there"
    return f"is that of '{before[digest]['name']}', which is listed too" if digest in before else ""


def unknown_names(draft: Definition, before: Document) -> Iterator[Fault]:
    """Keys that are listed by a name that no key has; of a faulty draft, too."""
    has_keys = draft.document.get("authenticationType") == "API_KEY"
    given = draft.document.get("apiKeys") if draft.kind == "auth" and has_keys else None
    known = {key.get("name") for key in stored_keys(before)}
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, dict) and item.get("name") and item.get("key") is None:
            name = item["name"]
            if isinstance(name, str) and name not in known:
                yield Fault(f"apiKeys[{index}].key", _fault_of("", {}))


def _end_of(item: Document, stored: Document) -> Document:
    """When a key ends, if it does: as it is given, else as it was.

    Raises:
        ValueError, OverflowError, OSError: At no moment that can be written.
    """
    if item.get("expiresAt") is not None:
        return {"expiresAt": written(moment(item["expiresAt"]))}
    return {"expiresAt": stored["expiresAt"]} if "expiresAt" in stored else {}


def _with_listed(
    others: Document,
    keys: list[Document],
    stored: list[Document],
    last: int,
    faults: tuple[Fault, ...],
) -> Kept:
    if set(map(_identity, keys)) == set(map(_identity, stored)):
        keys = stored
    warnings = () if keys else ("apiKeys: is empty, so every call will be refused",)
    document = others | {"apiKeys": cast("Json", keys)} | numbered_to(last, keys)
    return Kept(document, (), faults, warnings)


def _identity(key: Mapping[str, Json]) -> tuple[Json, ...]:
    return key.get("hash"), key.get("name"), key.get("expiresAt")


def last_number(document: Mapping[str, Json]) -> int:
    """The highest number that a name of a key of this auth document ever had."""
    known = document.get(LAST_NUMBER)
    highest = _highest(str(key.get("name")) for key in stored_keys(document))
    return max(highest, known if isinstance(known, int) else 0)


def _highest(names: Iterable[str]) -> int:
    numbered = filter(None, map(_NUMBERED.fullmatch, names))
    return max((int(match[1]) for match in numbered), default=0)


def numbered_to(last: int, keys: Iterable[Document]) -> Document:
    """What to keep beside ``keys``: nothing where their own names tell the last number."""
    return {LAST_NUMBER: last} if last > _highest(str(key.get("name")) for key in keys) else {}


def stored_keys(document: Mapping[str, Json]) -> list[Document]:
    """The keys of a stored auth document: names, hashes, times."""
    keys = document.get("apiKeys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def moment(value: Json) -> datetime:
    """ISO 8601 with a zone, or milliseconds since 1970; parsing has let nothing else through."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime.fromtimestamp(float(cast("float", value)) / _SECONDS_OF_MILLISECONDS, UTC)


def written(at: datetime) -> str:
    """As moments are stored: in UTC, whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

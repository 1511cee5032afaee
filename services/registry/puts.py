"""Putting definitions: everything that is wrong with all of them, or what is to be written.

First each document is read by itself, outside of any transaction; then all are held against what
is stored and against each other, inside the one that stores them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlite_utils import Database

from services.errors import Fault, InvalidDefinition, Stale
from services.registry import documents, references, store, writeonly
from services.registry.definitions import KINDS, Definition, Document, Json, parse
from services.registry.store import Stored, Write

# ``(kind, name)``
Subject = tuple[str, str]
Permit = Callable[[Definition, Stored | None], None]
"""Raises what is said to one who may not put the definition over the stored one."""


@dataclass(frozen=True, slots=True)
class Put:
    """One document of a request, read by itself.

    Attributes:
        at: What stands before the paths of its faults.
        etag: What the stored definition must have; ``*``: there must be none; empty: whatever.
        raw: The document as it was sent, as far as it could be read.
        definition: None if it has faults.
    """

    at: str
    etag: str
    raw: Json = None
    definition: Definition | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def subject(self) -> Subject | None:
        """Of which definition it is; known of most that are faulty too."""
        if self.definition is not None:
            return self.definition.kind, self.definition.name
        raw = self.raw if isinstance(self.raw, dict) else {}
        kind = raw.get("kind") or ("workflow" if "tasks" in raw else None)
        if not isinstance(kind, str) or kind not in KINDS:
            return None
        name = raw.get(KINDS[kind].identity)
        return (kind, name) if isinstance(name, str) else None

    def located(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """``faults`` with :attr:`at` before their paths."""
        for fault in faults:
            path = f"{self.at}: {fault.path}" if self.at and fault.path else self.at or fault.path
            yield Fault(path, fault.detail)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to become of one document.

    Attributes:
        before: What is stored; None if it is new.
        write: None if it changes nothing.
        warnings: Sentences.
        generated: Gateway keys that were made: ``(name, key)``.
    """

    definition: Definition
    before: Stored | None
    write: Write | None
    warnings: tuple[str, ...]
    generated: tuple[tuple[str, str], ...]


def read(text: str, *, at: str, etag: str) -> Put:
    """One document, read."""
    put = Put(at, etag)
    try:
        put = replace(put, raw=documents.read(text))
        return replace(put, definition=parse(put.raw))
    except InvalidDefinition as error:
        return replace(put, faults=error.faults)


async def with_scripts(put: Put, check: Callable[[str], Awaitable[str | None]]) -> Put:
    """``put`` with what is wrong with its scripts; ``check`` says why one is no JavaScript."""
    if put.definition is None:
        return put
    checked = [(script.path, await check(script.source)) for script in put.definition.scripts]
    faults = tuple(Fault(path, f"is no JavaScript: {why}") for path, why in checked if why)
    return replace(put, faults=put.faults + faults)


def plan(
    db: Database, puts: Sequence[Put], permit: Permit, seals: writeonly.Seals, now: datetime
) -> list[Planned]:
    """What to write for ``puts``, in their order.

    Raises:
        InvalidDefinition: With every fault of every document.
        Stale: An etag does not hold.
    """
    batch = Batch(db, puts)
    for definition in batch.definitions:
        permit(definition, store.find(db, definition.kind, definition.name))
    planned = [batch.planned(put.definition, seals, now) for put in puts if put.definition]
    batch.check_together()
    told = [f for i, put in enumerate(puts) for f in put.located(batch.faults[i])]
    if told:
        found = f"are {len(told)} faults; the first:" if len(told) > 1 else "is a fault:"
        raise InvalidDefinition(f"There {found} {told[0]}.", told)
    for put, each in zip(puts, planned, strict=True):
        _check_etag(put.etag, each)
    return planned


def _check_etag(etag: str, planned: Planned) -> None:
    before = planned.before
    if not etag or (before is not None and etag == before.etag) or (before is None and etag == "*"):
        return
    definition = planned.definition
    said = store.title(definition.kind, definition.name)
    if before is None:
        detail = f"There is no {said} any more."
    elif etag == "*":
        detail = f"There is a {said} already."
    else:
        detail = f"Somebody else has changed {said} since you read it: read it again."
    raise Stale(detail, kind=definition.kind, name=definition.name)


class Batch:
    """The documents of one request, against what is stored and each other.

    Attributes:
        faults: Those found so far, by the number of their document.
    """

    def __init__(self, db: Database, puts: Sequence[Put]) -> None:
        self._db = db
        self._found: dict[tuple[str, str, int | None], Document | None] = {}
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._faulty = {
            put.subject: put.raw if isinstance(put.raw, dict) else {}
            for put in puts
            if put.definition is None and put.subject
        }
        self.definitions: list[Definition] = []
        self.faults: defaultdict[int, list[Fault]] = defaultdict(list)
        for number, put in enumerate(puts):
            self._add(number, put, puts)

    def _add(self, number: int, put: Put, puts: Sequence[Put]) -> None:
        self.faults[number].extend(put.faults)
        if put.definition is None:
            return
        first = self._numbers.setdefault(_key(put.definition), number)
        if first != number:
            other = puts[first].at
            detail = "is put twice" + (f", first at {other}" if other else "")
            self.faults[number].append(Fault("", detail))
        self.definitions.append(put.definition)

    def lookup(self, kind: str, name: str, version: int | None) -> Mapping[str, Json] | None:
        """A stored document; of one that was sent and has faults, what was sent."""
        if (kind, name) in self._faulty:
            return self._faulty[kind, name]
        key = kind, name, version
        if key not in self._found:
            versioned = kind in KINDS and KINDS[kind].versioned
            state = store.find(self._db, kind, name, (version or 0) if versioned else 0)
            self._found[key] = documents.stored(state.document) if state else None
        return self._found[key]

    def planned(self, definition: Definition, seals: writeonly.Seals, now: datetime) -> Planned:
        """What is to become of ``definition``; its faults over what is stored are told."""
        kind, name, version = _key(definition)
        before = store.find(self._db, kind, name, version)
        stored = documents.stored(before.document) if before else None
        kept = writeonly.kept(definition, stored, seals, now)
        faults = (*kept.faults, *_immutable(definition, stored or {}))
        self.faults[self._numbers[kind, name, version]].extend(faults)
        same = stored is not None and documents.same(kept.document, stored)
        text = documents.written(kept.document)
        return Planned(
            definition,
            before,
            None if same else Write(kind, name, version, text, definition.references),
            definition.warnings + kept.warnings,
            kept.generated,
        )

    def check_together(self) -> None:
        """Tell what the documents name that does not exist, and routes that clash."""
        lookup = references.over(self.lookup, self.definitions)
        for definition in self.definitions:
            unknown = references.unknown(definition, lookup)
            self.faults[self._numbers[_key(definition)]].extend(unknown)
        put = {d.name: d for d in self.definitions if d.kind == "service"}
        if not put:
            return
        stored = [_definition(s) for s in store.listed(self._db, "service") if s.name not in put]
        for conflict in references.route_conflicts([*stored, *put.values()]):
            if conflict.service in put:
                self.faults[self._numbers[_key(put[conflict.service])]].append(conflict.fault)


def _immutable(definition: Definition, stored: Mapping[str, Json]) -> Iterator[Fault]:
    for name in KINDS[definition.kind].immutable:
        before, after = stored.get(name), definition.document.get(name)
        if stored and before != after:
            yield Fault(name, f"cannot be changed: it is {before!r}, not {after!r}")


def _key(definition: Definition) -> tuple[str, str, int]:
    """As it is stored: version 0 for kinds that have none."""
    version = definition.version if KINDS[definition.kind].versioned else 0
    return definition.kind, definition.name, version


def _definition(stored: Stored) -> Definition:
    return Definition(stored.kind, stored.name, stored.version, documents.stored(stored.document))

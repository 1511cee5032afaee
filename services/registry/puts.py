"""Putting definitions: everything that is wrong with all of them, or what is to be written.

First each document is read by itself, outside of any transaction; then all are held against what
is stored and against each other, inside the one that stores them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlite_utils import Database

from services.errors import Fault, InvalidDefinition, PermissionDenied, Stale
from services.registry import (
    advice,
    documents,
    key_changes,
    reaching,
    references,
    secret_uses,
    store,
    writeonly,
)
from services.registry.cycles import cycles
from services.registry.definitions import KINDS, Definition, Document, Json, examine
from services.registry.hiding import Sight, Subject
from services.registry.store import Stored, Write

# ``(kind, name, version)``
Key = tuple[str, str, int]
# Of an auth definition, in which keys are looked for that were there once.
_MOST_EARLIER = 200
Permit = Callable[[Definition, Stored | None], None]
"""Raises what is said to one who may not put the definition over the stored one."""
PermitTogether = Callable[[Definition, Stored | None, references.Lookup], None]
"""The same, of one without fault, by what is there once all are put."""


@dataclass(frozen=True, slots=True)
class Put:
    """One document of a request, read by itself.

    Attributes:
        at: What stands before the paths of its faults.
        etag: What the stored definition must have; ``*``: there must be none; empty: whatever.
        raw: The document as it was sent, as far as it could be read.
        draft: What it defines, or would without its faults; None if not even its kind is known.
        faults: All that are wrong with it by itself.
    """

    at: str
    etag: str
    raw: Json = None
    draft: Definition | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def definition(self) -> Definition | None:
        """The draft, if it is without fault."""
        return None if self.faults else self.draft

    @property
    def key(self) -> Key | None:
        """Of what is to be stored; None where a fault hides its name or version."""
        draft = self.draft
        return _key(draft) if draft is not None and draft.name and draft.version else None

    @property
    def subject(self) -> Subject | None:
        """Of which definition it is; known of most that are faulty too."""
        if self.draft is not None and self.draft.name:
            return self.draft.kind, self.draft.name
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
        raw = documents.read(text)
    except InvalidDefinition as error:
        return replace(put, faults=error.faults)
    examined = examine(raw)
    return replace(put, raw=raw, draft=examined.draft, faults=examined.faults)


# As they are written: a script's language is a word of the documents.
_LANGUAGES = {"javascript": "JavaScript", "jq": "jq program"}


async def with_scripts(put: Put, check: Callable[[str, str], Awaitable[str | None]]) -> Put:
    """``put`` with what is wrong with its scripts.

    Args:
        check: Says why a source is not of its language.
    """
    if put.draft is None:
        return put
    checked = [(each, await check(each.source, each.language)) for each in put.draft.scripts]
    faults = tuple(
        Fault(script.path, f"is no {_LANGUAGES[script.language]}: {why}")
        for script, why in checked
        if why
    )
    return replace(put, faults=put.faults + faults)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all documents of one request.

    Attributes:
        permit: Who may put what.
        permit_together: Who may, by all that is there once everything is put.
        may_read: What may be told of.
        may_name: What may be used by what is put.
        seals: Of values of secrets.
        leaving: Services that are deleted in the same step: their routes are in nobody's way.
        values_may_lack: Whether a new secret may be without a value.
    """

    permit: Permit
    permit_together: PermitTogether
    may_read: advice.MayRead
    may_name: advice.MayRead
    seals: writeonly.Seals
    leaving: frozenset[str] = frozenset()
    values_may_lack: bool = False


def plan(db: Database, puts: Sequence[Put], terms: Terms, now: datetime) -> list[Planned]:
    """What to write for ``puts``, in their order.

    Raises:
        InvalidDefinition: With every fault of every document.
        Stale: An etag does not hold.
    """
    batch = Batch(db, puts, terms)
    planned = [
        batch.planned(number, put.definition, now)
        for number, put in enumerate(puts)
        if put.definition
    ]
    batch.check_together()
    told = [f for i, put in enumerate(puts) for f in put.located(batch.faults[i])]
    if told:
        found = f"are {len(told)} faults; the first:" if len(told) > 1 else "is a fault:"
        raise InvalidDefinition(f"There {found} {told[0]}.", told)
    together = batch.together()
    for put, each in zip(puts, planned, strict=True):
        terms.permit_together(each.definition, each.before, together)
        _check_etag(put.etag, each)
    adviser = advice.Adviser(together, terms.may_read)
    return [
        _warned(each, (*batch.of_keys(each, now), *adviser.warnings(each.definition)))
        for each in planned
    ]


def _warned(planned: Planned, told: tuple[str, ...]) -> Planned:
    return replace(planned, warnings=planned.warnings + told) if told else planned


def _check_etag(etag: str, planned: Planned) -> None:
    before = planned.before
    if not etag or (before is not None and etag == before.etag) or (before is None and etag == "*"):
        return
    definition = planned.definition
    said = store.title(definition.kind, definition.name)
    if before is None:
        detail = f"There is no {said} any more."
    elif etag == "*":
        # Not capitalize(): it would write the name in lower case, too.
        detail = f"{said[:1].upper()}{said[1:]} is there already."
    else:
        detail = f"Somebody else has changed {said} since you read it: read it again."
    version = str(_key(definition)[2])
    raise Stale(detail, kind=definition.kind, name=definition.name, version=version)


class Batch:
    """The documents of one request, against what is stored and each other.

    Attributes:
        faults: Those found so far, by the number of their document.
        drafts: What is held against what is stored, by the number of its document.
    """

    def __init__(self, db: Database, puts: Sequence[Put], terms: Terms) -> None:
        self._db = db
        self._puts = puts
        self._terms = terms
        self._found: dict[tuple[str, str, int | None], Document | None] = {}
        self._hidden = {
            put.subject: put.raw if isinstance(put.raw, dict) else {}
            for put in puts
            if put.key is None and put.subject
        }
        drafts = [put.draft for put in puts if put.draft is not None]
        self._own_tasks = {each.name for each in drafts if each.kind == "task"}
        # Those whose value is given, and so is known; not the value that one has already.
        brought = (each for each in drafts if each.document.get("value"))
        self._own_secrets = {each.name for each in brought if each.kind == "secret"}
        self.faults = {number: [*put.faults] for number, put in enumerate(puts)}
        self._check_once()
        self.drafts = {
            number: put.draft
            for number, put in enumerate(puts)
            if put.draft is not None and self._permitted(put, put.draft)
        }

    def _check_once(self) -> None:
        first: dict[Key, Put] = {}
        for number, put in enumerate(self._puts):
            other = first.setdefault(put.key, put) if put.key else put
            if other is not put:
                detail = "is put twice" + (f", first at {other.at}" if other.at else "")
                self.faults[number].append(Fault("", detail))

    def _permitted(self, put: Put, draft: Definition) -> bool:
        """Whether it may be held against what is stored; raises if it has no fault and may not."""
        try:
            self._terms.permit(draft, store.find(self._db, draft.kind, draft.name))
            # An older version may have other tags than the latest.
            if (own := store.find(self._db, *_key(draft))) is not None:
                self._terms.permit(draft, own)
            self._check_secrets(draft)
        except PermissionDenied:
            if put.definition is not None:
                raise
            # Its own faults are told to anybody; what is stored is not.
            return False
        return True

    def _check_secrets(self, draft: Definition) -> None:
        """Whoever says where a secret goes could have it sent to themselves."""
        used = {*secret_uses.named(draft)}
        if draft.kind == "workflow":
            used |= secret_uses.lent(draft, self._stored_task)
        for name in sorted(used - self._own_secrets):
            stored = self._stored("secret", name, None)
            if not self._terms.may_read("secret", name, stored or {}):
                raise PermissionDenied(
                    f"The {draft.kind} {draft.name!r} uses the secret {name!r}, "
                    "on which you have no READ.",
                    kind="secret",
                    name=name,
                )

    def _stored_task(self, name: str) -> Document | None:
        # What is put itself is judged by itself.
        return None if name in self._own_tasks else self._stored("task", name, None)

    def lookup(self, kind: str, name: str, version: int | None) -> Mapping[str, Json] | None:
        """A stored document; what was sent, where faults hide which version that would be."""
        if (kind, name) in self._hidden:
            return self._hidden[kind, name]
        return self._stored(kind, name, version)

    def _stored(self, kind: str, name: str, version: int | None) -> Document | None:
        key = kind, name, version
        if key not in self._found:
            versioned = kind in KINDS and KINDS[kind].versioned
            state = store.find(self._db, kind, name, (version or 0) if versioned else 0)
            self._found[key] = documents.stored(state.document) if state else None
        return self._found[key]

    def planned(self, number: int, definition: Definition, now: datetime) -> Planned:
        """What is to become of ``definition``; its faults over what is stored are told."""
        kind, name, version = _key(definition)
        before = store.find(self._db, kind, name, version)
        stored = documents.stored(before.document) if before else None
        kept = writeonly.kept(
            definition,
            stored,
            self._terms.seals,
            now,
            values_may_lack=self._terms.values_may_lack,
        )
        self.faults[number].extend(kept.faults)
        same = stored is not None and documents.same(kept.document, stored)
        text = documents.written(kept.document)
        return Planned(
            definition,
            before,
            None if same else Write(kind, name, version, text, definition.references),
            definition.warnings + kept.warnings,
            kept.generated,
        )

    def of_keys(self, planned: Planned, now: datetime) -> Iterator[str]:
        """What ``planned``, in a batch without fault, does to the keys of an auth definition.

        With faults, any number of documents could each have its history read.
        """
        definition, before, write = planned.definition, planned.before, planned.write
        if definition.kind != "auth" or write is None:
            return iter(())
        stored = documents.stored(before.document) if before else {}
        named = self._terms.may_read("auth", definition.name, stored)
        after, earlier = documents.stored(write.document), self._earlier(definition.name)
        return key_changes.warnings(stored, after, earlier, now, named=named)

    def _earlier(self, auth_id: str) -> Iterator[Document]:
        states = islice(store.history(self._db, "auth", auth_id), _MOST_EARLIER)
        return (documents.stored(each.document) for each in states if not each.deleted)

    def together(self) -> references.Lookup:
        """What is stored, as it will be once all are put."""
        return references.over(self.lookup, [p.draft for p in self._puts if p.draft and p.key])

    def check_together(self) -> None:
        """Tell what was immutable, what is named and does not exist, and routes that clash."""
        lookup = self.together()
        own = {(draft.kind, draft.name) for draft in self.drafts.values()}
        sight = Sight(self._terms.may_read, self._terms.may_name, own)
        for number, draft in self.drafts.items():
            told = {fault.path for fault in self.faults[number]}
            stored = self._stored(draft.kind, draft.name, draft.version)
            lacking = () if self._terms.values_may_lack else _missing_at_first(draft, stored)
            nameless = writeonly.unknown_names(draft, stored or {})
            over = (*lacking, *nameless, *_immutable(draft, stored or {}))
            self.faults[number].extend(fault for fault in over if fault.path not in told)
            seen = sight.over(lookup, self._named_before(draft, sight))
            unknown = references.unknown(draft, seen, reaching.must_be_there(sight))
            self.faults[number].extend(map(sight.missing, unknown))
            before = stored or self._stored(draft.kind, draft.name, None)
            self.faults[number].extend(reaching.faults(draft, before, seen, sight))
            self.faults[number].extend(map(sight.circle, cycles(draft, lookup)))
        self._check_routes(sight)

    def _named_before(self, draft: Definition, sight: Sight) -> Collection[Subject]:
        before = None if sight.whole else store.find(self._db, draft.kind, draft.name)
        used = store.uses_of(self._db, before) if before is not None else ()
        return {(each.kind, each.name) for each in used}

    def _check_routes(self, sight: Sight) -> None:
        put = {number: d for number, d in self.drafts.items() if d.kind == "service"}
        if not put:
            return
        names = {service.name for service in put.values()} | self._terms.leaving
        stored = [_definition(s) for s in store.listed(self._db, "service") if s.name not in names]
        numbers = list(put)
        for conflict in references.route_conflicts(stored, put.values()):
            other = self._stored("service", conflict.other, None) or {}
            self.faults[numbers[conflict.service]].append(sight.conflict(conflict, other))


def _missing_at_first(definition: Definition, stored: Document | None) -> Iterator[Fault]:
    for name in KINDS[definition.kind].needed_at_creation:
        if stored is None and name not in definition.document:
            yield Fault(name, "is required")


def _immutable(definition: Definition, stored: Mapping[str, Json]) -> Iterator[Fault]:
    for name in KINDS[definition.kind].immutable:
        before, after = stored.get(name), definition.document.get(name)
        if stored and before != after:
            yield Fault(name, f"cannot be changed: it is {before!r}, not {after!r}")


def _key(definition: Definition) -> Key:
    """As it is stored: version 0 for kinds that have none."""
    version = definition.version if KINDS[definition.kind].versioned else 0
    return definition.kind, definition.name, version


def _definition(stored: Stored) -> Definition:
    return Definition(stored.kind, stored.name, stored.version, documents.stored(stored.document))

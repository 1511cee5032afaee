"""Definitions: what each kind of document may say, and how one is read.

One file a kind, one name in the table. Everything here is pure: a document in, a definition or
all of its faults out.
"""

from __future__ import annotations

from dataclasses import replace

from services.errors import InvalidDefinition
from services.registry.definitions import (
    application,
    auth,
    event,
    schedule,
    schema,
    secret,
    service,
    task,
    webhook,
    workflow,
)
from services.registry.definitions.model import (
    Definition,
    Document,
    Examined,
    Json,
    Kind,
    Reference,
    Script,
    pinned,
)
from services.registry.definitions.plain import check_plain, kind_of
from services.registry.definitions.reading import Place, Reading, shortened, shown
from services.registry.definitions.records import SERVER_WRITTEN, Field, kept
from services.registry.definitions.tasks import TASK_KINDS
from services.registry.definitions.values import Anything, Choice, ListOf

__all__ = [
    "KINDS", "Definition", "Document", "Examined", "Json", "Kind", "Reference", "Script", "examine",
    "parse", "pinned",
]  # fmt: skip


# What every task definition has that a Conductor exports, and no other document.
_TASK_DEFINITION = frozenset({"retryCount", "retryLogic", "responseTimeoutSeconds"})


def _complete(kind: Kind) -> Kind:
    """``kind`` with the fields that every document has."""
    common = (
        Field("kind", Choice((kind.name,)), "What the document is."),
        *kind.record.fields,
        kept("tags", ListOf(Anything()), "Tags."),
        *SERVER_WRITTEN,
    )
    fields = {field.name: field for field in reversed(common)}
    return replace(kind, record=replace(kind.record, fields=tuple(reversed(fields.values()))))


KINDS: dict[str, Kind] = {
    module.KIND.name: _complete(module.KIND)
    for module in (
        workflow,
        task,
        schema,
        application,
        auth,
        service,
        secret,
        schedule,
        event,
        webhook,
    )
}


def parse(document: Json, kind: str | None = None) -> Definition:
    """The definition that ``document`` holds.

    Args:
        document: Parsed JSON; it is not changed.
        kind: What it is where the caller knows and the document need not say, as in Conductor's
            REST API.

    Raises:
        InvalidDefinition: With every fault and its path.
    """
    examined = examine(document, kind)
    if examined.faults or examined.draft is None:
        raise _invalid(examined)
    return examined.draft


def examine(document: Json, kind: str | None = None) -> Examined:
    """As :func:`parse`, of a faulty document too."""
    reading = Reading(task_kinds=TASK_KINDS)
    at = Place(reading)
    found = _kind(document, kind, at) if check_plain(document, at) else None
    if found is None or not isinstance(document, dict):
        return Examined(None, tuple(reading.faults))
    read = found.record.read(document, at)
    found.check(read, at)
    return Examined(_definition(found, read, reading), tuple(reading.faults))


def _kind(document: Json, expected: str | None, at: Place) -> Kind | None:
    if not isinstance(document, dict):
        at.fault(f"must be an object, not {shown(document)}")
        return None
    said = kind_of(document)
    name = expected if document.get("kind") is None and expected is not None else said
    if name is None:
        (at / "kind").fault(f"is required: one of {', '.join(KINDS)}{_meant(document)}")
    elif not isinstance(name, str) or name not in KINDS:
        hint = at.guess(name, KINDS) if isinstance(name, str) else ""
        (at / "kind").fault(f"must be one of {', '.join(KINDS)}, not {shown(name)}{hint}")
    elif expected is not None and name != expected:
        (at / "kind").fault(f"must be {expected}, not {name}")
    else:
        return KINDS[name]
    return None


def _meant(document: Document) -> str:
    """What Conductor exports by itself, without saying what it is."""
    if not _TASK_DEFINITION & document.keys():
        return ""
    return (
        "; a task definition as Conductor exports it gets kind: task, or is sent as it is to POST "
        "/api/metadata/taskdefs"
    )


def _invalid(examined: Examined) -> InvalidDefinition:
    first, count = examined.faults[0], len(examined.faults)
    many = f"{count} faults; the first: " if count > 1 else "a fault: "
    return InvalidDefinition(f"{_subject(examined.draft)} has {many}{first}.", examined.faults)


def _subject(draft: Definition | None) -> str:
    if draft is None:
        return "The document"
    return f"The {draft.kind}" + (f" '{shortened(draft.name)}'" if draft.name else "")


def _definition(kind: Kind, read: Document, reading: Reading) -> Definition:
    name, version = read.get(kind.identity), read.get("version", 1) if kind.versioned else 1
    document: Document = {"kind": kind.name}
    for key, value in read.items():
        if key != "kind":
            document[key] = value
        if key == kind.identity and kind.versioned and "version" not in read:
            document["version"] = 1
    return Definition(
        kind.name,
        name if isinstance(name, str) else "",
        pinned(version) or 0,
        document,
        tuple(reading.warnings),
        tuple(reading.references),
        tuple(reading.scripts),
    )

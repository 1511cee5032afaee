"""What a parsed definition is, and what one kind of definition says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from services.errors import Fault
    from services.registry.definitions.reading import Place
    from services.registry.definitions.records import Record

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Document: TypeAlias = dict[str, Json]

LARGEST = 2**31 - 1


def pinned(version: Json) -> int | None:
    """The version that is asked for; None for the latest, and for what is no version."""
    if isinstance(version, bool) or not isinstance(version, int):
        return None
    return version if 0 < version <= LARGEST else None


@dataclass(frozen=True, slots=True)
class Reference:
    """One definition's use of another.

    Attributes:
        kind: Of what is used: ``workflow``, ``secret`` ….
        name: Of what is used: its name or id.
        version: The one that is pinned; None means the latest.
        path: Where the use stands, as a fault would say it.
        required: False when the user works without it too (a task's definition): its absence is
            no fault, yet deleting it while it is used is refused.
        missing: The fault where it is not there, if that is not simply said.
    """

    kind: str
    name: str
    version: int | None
    path: str
    required: bool = True
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """JavaScript that a definition carries, or jq, for the script pool to check."""

    path: str
    source: str
    language: str = "javascript"


@dataclass(frozen=True)
class Definition:
    """What a document defines.

    Attributes:
        kind: One of the table's.
        name: Its name or id, by which it is found.
        version: 1 for kinds that have no versions.
        document: What is stored and served: the author's fields, values and order, with ``kind``
            first and ``version`` filled in; nulls and what a server writes are left out, numbers
            and booleans that were written as text are such.
        warnings: Sentences that begin with a path.
        references: Every use of another definition.
        scripts: JavaScript whose syntax is still to be checked.
    """

    kind: str
    name: str
    version: int
    document: Document
    warnings: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    scripts: tuple[Script, ...] = ()


@dataclass(frozen=True)
class Examined:
    """A document, read as far as it can be.

    Attributes:
        draft: What it defines, or would without its faults: then any value may be of any type, an
            unknown name is empty and an unknown version 0. None: not even its kind is known.
        faults: All that are wrong with it.
    """

    draft: Definition | None
    faults: tuple[Fault, ...]


def _nothing_more(document: Document, at: Place) -> None:
    """The rule of a kind whose fields say it all."""


@dataclass(frozen=True)
class Kind:
    """One kind of definition.

    Attributes:
        name: As in ``kind:``.
        doc: A sentence or two for the manual.
        record: Its fields.
        identity: The field that names it.
        versioned: Whether several versions live side by side.
        immutable: Fields that may not change after creation.
        hidden: Fields that are written and never read again.
        needed_at_creation: Fields that a first document must have and a later one may leave out:
            the stored value stays.
        check: What no single field can say; it adds to the reading of its place.
    """

    name: str
    doc: str
    record: Record
    identity: str = "name"
    versioned: bool = False
    immutable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    needed_at_creation: tuple[str, ...] = ()
    check: Callable[[Document, Place], None] = _nothing_more

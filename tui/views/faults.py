"""What is wrong with documents, by the place where their author finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from services.errors import Fault, ServiceError
from services.json_paths import step

if TYPE_CHECKING:
    from services.json_text import Json
    from services.yaml_documents import Lines


# ``.name`` or ``[2]``; other names are looked for by how they are written.
_PLAIN = re.compile(r"\.([A-Za-z_$][\w$-]*)|\[([0-9]{1,9})\]", re.ASCII)
# A whole path, as it stands before what is said of it.
_PATH = re.compile(
    r"((?:[A-Za-z_$][\w$-]*|\[[0-9]+\]|\['(?:[^'\\]|\\.)*'\])"
    r"(?:\.[A-Za-z_$][\w$-]*|\[[0-9]+\]|\['(?:[^'\\]|\\.)*'\])*): ",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """One fault of a document from a file.

    Attributes:
        origin: ``FILE:LINE`` of it, or where its document begins, or ``FILE``; empty where nobody
            knows.
        path: Where in the document; empty for the whole of it.
        detail: What, and the way out.
    """

    origin: str
    path: str
    detail: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.origin, self.path, self.detail) if part)

    @property
    def meant(self) -> str:
        """The word that the detail offers for one that nobody knows; empty: it offers none."""
        return Fault(self.path, self.detail).meant

    @property
    def line_within(self) -> int:
        """The line within the text at the path, such as a script, from 1; 0: nobody knows."""
        return Fault(self.path, self.detail).line


def faults_of(error: ServiceError, origins: Iterable[str] = ()) -> tuple[PlacedFault, ...]:
    """Every fault that ``error`` tells of what was put; where it tells none, the error itself.

    Args:
        error: Of a put, a dry run or a rollback.
        origins: What the documents were put with; none where it was one document without.
    """
    origins = tuple(origins)
    return tuple(placed(each, origins) for each in error.faults or (Fault("", error.detail),))


def of_warning(sentence: str) -> PlacedFault:
    """A warning of the registry, which begins with its path where it is about one."""
    path = _PATH.match(sentence)
    if path is None:
        return PlacedFault("", "", sentence)
    return PlacedFault("", path[1], sentence[path.end() :])


def placed(fault: Fault, origins: Iterable[str]) -> PlacedFault:
    """``fault`` of the registry, whose path begins with one of ``origins``."""
    for origin in origins:
        if fault.path == origin:
            return PlacedFault(origin, "", fault.detail)
        if fault.path.startswith(f"{origin}: "):
            return PlacedFault(origin, fault.path.removeprefix(f"{origin}: "), fault.detail)
    return PlacedFault("", fault.path, fault.detail)


def nearer(fault: PlacedFault, document: Json, lines: Lines) -> PlacedFault:
    """``fault`` of ``document`` with the line of the innermost part of its path that is there."""
    file, colon, _ = fault.origin.rpartition(":")
    line = 0
    # The outermost object has no step before it.
    rest = fault.path if fault.path.startswith("[") else f".{fault.path}"
    inner: Json = document
    while rest and (found := _into(inner, rest)) is not None:
        written, name, inner_of = found
        known = lines.get(id(inner))
        if isinstance(known, list) and isinstance(name, int):
            line = known[name]
        elif isinstance(known, dict) and isinstance(name, str):
            line = known.get(name, line)
        rest, inner = rest.removeprefix(written), inner_of
    return replace(fault, origin=f"{file}:{line}") if colon and line else fault


def _into(value: Json, path: str) -> tuple[str, str | int, Json] | None:
    """The first step of ``path`` into ``value``, what it names and what is there."""
    found = _PLAIN.match(path)
    if found is not None and isinstance(value, dict) and found[1] in value:
        return found[0], found[1], value[found[1]]
    if found is not None and isinstance(value, list) and found[2] and int(found[2]) < len(value):
        return found[0], int(found[2]), value[int(found[2])]
    if isinstance(value, dict) and path.startswith("['"):
        for name, inner in value.items():
            if path.startswith(written := step(name)):
                return written, name, inner
    return None

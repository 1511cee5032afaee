"""What an application may do where, as a matrix: targets by kinds of access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.json_text import Json

ACCESS = ("READ", "CREATE", "UPDATE", "DELETE", "EXECUTE")
TARGETS = (
    "workflow", "task", "schema", "application", "auth", "service", "secret", "schedule",
    "event", "webhook", "tag",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grant:
    """One target's row.

    Attributes:
        kind: Of the target.
        name: Its name or id; ``*`` for all of the kind; of a tag ``key:value``.
    """

    kind: str
    name: str
    access: frozenset[str]


Grants = tuple[Grant, ...]


def grants_of(document: Mapping[str, Json]) -> Grants:
    """The rows of an application, in its order; one target is one row."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for kind, name, access in _entries(document.get("permissions")):
        found[kind, name] = found.get((kind, name), frozenset()) | access
    return tuple(Grant(kind, name, access) for (kind, name), access in found.items())


def _entries(permissions: Json) -> Iterator[tuple[str, str, frozenset[str]]]:
    for each in permissions if isinstance(permissions, list) else ():
        target = each.get("target") if isinstance(each, dict) else None
        access = each.get("access") if isinstance(each, dict) else None
        if isinstance(target, dict) and isinstance(access, list):
            words = frozenset(word for word in access if isinstance(word, str))
            yield str(target.get("type", "")), str(target.get("id", "")), words


def with_grants(document: Mapping[str, Json], grants: Grants) -> dict[str, Json]:
    """The application with these grants; a row without access grants nothing and is left out."""
    permissions: list[Json] = [
        {
            "target": {"type": each.kind, "id": each.name},
            "access": [word for word in ACCESS if word in each.access],
        }
        for each in grants
        if each.access
    ]
    others = {name: value for name, value in document.items() if name != "permissions"}
    return {**others, "permissions": permissions} if permissions else others


def toggled(grants: Grants, row: int, access: str) -> Grants:
    """With or without ``access`` in a row."""
    changed = grants[row].access ^ {access}
    return (*grants[:row], replace(grants[row], access=changed), *grants[row + 1 :])


def added(grants: Grants, kind: str, name: str) -> tuple[Grants, int]:
    """With a row for a target, which may do nothing yet, or has it already; and where it is."""
    for index, each in enumerate(grants):
        if (each.kind, each.name) == (kind, name):
            return grants, index
    return (*grants, Grant(kind, name, frozenset())), len(grants)


def removed(grants: Grants, row: int) -> Grants:
    """Without a row."""
    return (*grants[:row], *grants[row + 1 :])


def changed_rows(before: Grants, now: Sequence[Grant]) -> frozenset[int]:
    """Which rows of ``now`` differ from what there was."""
    known = {(each.kind, each.name): each.access for each in before}
    return frozenset(
        index for index, each in enumerate(now) if known.get((each.kind, each.name)) != each.access
    )

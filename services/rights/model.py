"""What a right is: roles, services, grants."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

ADMIN, EDITOR, OPERATOR, VIEWER, WORKER = ROLES = (
    "ADMIN",  # everything
    "EDITOR",  # writes definitions, reads all
    "OPERATOR",  # starts executions and acts on them, reads all
    "VIEWER",  # reads
    "WORKER",  # does tasks
)
REGISTRY, EXECUTOR, EDGE = SERVICES = ("service:registry", "service:executor", "service:edge")

# Enough for the consoles of a team that shares a key.
STREAMS = 32
# Of a grant: whatever kind of definition the call is about.
DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A grant that can be enough: the access, and the kind of what it is on.

    Attributes:
        access: Of READ, CREATE, UPDATE, DELETE, EXECUTE.
        kind: ``workflow``, ``task`` …; ``definition``: the one that the call names or tells of.
    """

    access: str
    kind: str = DEFINITION


@dataclass(frozen=True, slots=True)
class Right:
    """Who may call an RPC.

    Attributes:
        roles: An application with one of them may.
        services: Services that may, by principal: ``service:edge``.
        grants: An application with a grant like one of these comes through to the handler, which
            looks whether that grant covers what the call is about.
        anyone: Every application may; the handler refuses none.
        open: Nobody needs a token.
        streams: Of an RPC whose responses are a stream: how many of them an application may have
            open in a service.
        where: What must hold besides, of all but ADMIN, in words; the handler looks.
    """

    roles: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    grants: tuple[Wanted, ...] = ()
    anyone: bool = False
    open: bool = False
    streams: int = STREAMS
    where: str = ""

    def by_role(self, roles: Collection[str]) -> bool:
        """Whether an application with these roles may whatever its grants are."""
        return self.open or self.anyone or not self.roles.isdisjoint(roles)

    def __str__(self) -> str:
        if self.open:
            return "nobody needs a token"
        if self.anyone:
            return "whoever has a token"
        takers = [*(role for role in ROLES if role in self.roles), self.granted]
        said = _either(list(filter(None, takers))) or "a service"
        return f"{said}, where {self.where}" if self.where else said

    def is_within(self, other: Right) -> bool:
        """Whether whoever has ``other`` has this as well."""
        if self.open or self.anyone:
            return True
        return (
            not (other.open or other.anyone)
            and other.roles <= self.roles
            and set(other.grants) <= set(self.grants)
            and self.where in ("", other.where)
        )

    @property
    def granted(self) -> str:
        """The grants that can be enough, in words; empty: none can."""
        kinds = dict.fromkeys(each.kind for each in self.grants)
        return _either([f"{_either(self._accesses(kind))} on the {kind}" for kind in kinds])

    def _accesses(self, kind: str) -> list[str]:
        return [each.access for each in self.grants if each.kind == kind]


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def enough(rights: Collection[Right]) -> str:
    """What is enough for all of ``rights``, in words."""
    different = list(dict.fromkeys(rights))
    narrow = [
        each
        for number, each in enumerate(different)
        if not any(
            each.is_within(other) and (number > at or not other.is_within(each))
            for at, other in enumerate(different)
            if at != number
        )
    ]
    return "; and ".join(map(str, narrow))


def right(
    *roles: str,
    services: tuple[str, ...] = (),
    grants: tuple[Wanted, ...] = (),
    streams: int = STREAMS,
    where: str = "",
) -> Right:
    """The right of ADMIN, ``roles``, ``services`` and those with one of ``grants``."""
    return Right(
        frozenset((ADMIN, *roles)), frozenset(services), grants, streams=streams, where=where
    )

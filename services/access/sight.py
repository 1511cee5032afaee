"""Which definitions of a kind an application has an access to: by its roles, its grants and tags.

What is here says at once, of all of them, what :meth:`Application.allows` says of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from services.access.principals import Application

Tags: TypeAlias = "Mapping[str, frozenset[str]]"
"""By name, the tags of those definitions of a kind that have any."""

# Of a kind as a whole, in a grant.
_EVERY = "*"


@dataclass(frozen=True, slots=True)
class Sight:
    """Definitions of one kind.

    Attributes:
        names: None: whichever there are, were or will be.
    """

    names: frozenset[str] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self.names is None

    def __contains__(self, name: str) -> bool:
        return self.names is None or name in self.names

    def within(self, other: Sight) -> Sight:
        """What is in both."""
        if self.names is None:
            return other
        return self if other.names is None else Sight(self.names & other.names)

    def beside(self, other: Sight) -> Sight:
        """What is in one of them."""
        if self.names is None or other.names is None:
            return EVERY
        return Sight(self.names | other.names)


EVERY = Sight()


def sight_of(application: Application, access: str, kind: str, tags: Callable[[], Tags]) -> Sight:
    """What of a kind ``application`` has ``access`` to.

    Args:
        tags: Asked only where a grant is on a tag.
    """
    if application.allows(access, kind, _EVERY):
        return EVERY
    grants = [grant for grant in application.grants if access in grant.access]
    names = {grant.name for grant in grants if grant.kind == kind}
    tagged = [grant for grant in grants if grant.kind == "tag"]
    if tagged:
        names.update(
            name
            for name, has in tags().items()
            if any(grant.covers(access, kind, name, has) for grant in tagged)
        )
    return Sight(frozenset(names))


def could_see(application: Application, access: str, kind: str) -> bool:
    """Whether there could be a definition of the kind that it has ``access`` to."""
    return application.allows(access, kind, _EVERY) or any(
        access in grant.access and grant.kind in (kind, "tag") for grant in application.grants
    )

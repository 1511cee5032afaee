"""What a caller who may not read everything is told of faults: what it may not see is not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from services.errors import Fault
from services.registry.advice import MayRead
from services.registry.definitions import Json
from services.registry.references import Lookup, RouteConflict

Subject = tuple[str, str]
_LACKING = "there is no "


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen by one who puts definitions.

    Attributes:
        may_name: What it may use, by any access to it.
        own: What it puts itself.
    """

    may_read: MayRead
    may_name: MayRead
    own: Collection[Subject] = ()

    @property
    def whole(self) -> bool:
        """Whether it may read all there is."""
        return self.may_read("", "", {})

    def over(self, lookup: Lookup, named_before: Collection[Subject]) -> Lookup:
        """``lookup`` without what is hidden; what a definition names already it may go on to."""

        def find(kind: str, name: str, version: int | None) -> Mapping[str, Json] | None:
            found = lookup(kind, name, version)
            if found is None or (kind, name) in self.own or (kind, name) in named_before:
                return found
            return found if self.may_name(kind, name, found) else None

        return lookup if self.whole else find

    def missing(self, fault: Fault) -> Fault:
        """``fault``, of something that is not there, or is hidden: nobody can tell which."""
        if self.whole or not fault.detail.startswith(_LACKING):
            return fault
        return replace(fault, detail=f"{fault.detail} that you may use")

    def circle(self, fault: Fault) -> Fault:
        """``fault``, that names every workflow on a way."""
        return fault if self.whole else replace(fault, detail="leads back to this workflow")

    def conflict(self, conflict: RouteConflict, other: Mapping[str, Json]) -> Fault:
        """What is told of a clash with the service ``other``."""
        if ("service", conflict.other) in self.own:
            return conflict.fault
        if self.may_read("service", conflict.other, other):
            return conflict.fault
        return replace(conflict.fault, detail="clashes with what another service answers")

"""What is wrong with documents, by the place where their author finds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.errors import Fault


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """One fault of a document from a file.

    Attributes:
        origin: ``FILE:LINE`` where its document begins, or ``FILE``; empty where nobody knows.
        path: Where in the document; empty for the whole of it.
        detail: What, and the way out.
    """

    origin: str
    path: str
    detail: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.origin, self.path, self.detail) if part)


def placed(fault: Fault, origins: Iterable[str]) -> PlacedFault:
    """``fault`` of the registry, whose path begins with one of ``origins``."""
    for origin in origins:
        if fault.path == origin:
            return PlacedFault(origin, "", fault.detail)
        if fault.path.startswith(f"{origin}: "):
            return PlacedFault(origin, fault.path.removeprefix(f"{origin}: "), fault.detail)
    return PlacedFault("", fault.path, fault.detail)

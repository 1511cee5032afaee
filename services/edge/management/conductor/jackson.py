"""Bodies as Conductor's own reader takes them: unknown fields and nulls say nothing. No IO."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from services.edge.management.conductor.reading import natural
from services.edge.management.configuration.documents import Document
from services.errors import Fault, InvalidDefinition


def known(sent: Document, names: Collection[str]) -> Document:
    """The fields of ``sent`` that have a name among ``names``, and a value."""
    return {name: sent[name] for name in names if sent.get(name) is not None}


def known_in(sent: Any, names: Collection[str]) -> Any:
    """As :func:`known`; what is no object stays, for the registry to refuse."""
    return known(sent, names) if isinstance(sent, dict) else sent


def name_in(document: Document, what: str) -> str:
    """Its ``name``. Raises :class:`InvalidDefinition` where there is none."""
    name = document.get("name")
    if not isinstance(name, str) or not name.strip():
        fault = Fault("name", "is required, and a text")
        raise InvalidDefinition(f"The {what} has no name.", [fault])
    return name


def moment_in(text: str, name: str) -> int:
    """Milliseconds since 1970 of a field of a query or a condition; 0: it is left out.

    Raises:
        InvalidDefinition: It is no such number, or beyond the year 9999.
    """
    if not text:
        return 0
    moment = natural(text)
    if moment is None or moment > LAST_MOMENT:
        fault = Fault(name, "must be milliseconds since 1970, not beyond the year 9999")
        raise InvalidDefinition(f"{name} is no moment.", [fault])
    return moment


LAST_MOMENT = 253_402_300_799_999
"""Milliseconds since 1970 of the end of the year 9999."""

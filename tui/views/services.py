"""The state of a service as a line of text."""

from __future__ import annotations

from collections.abc import Mapping

_COLUMNS = ("service", "address", "status")


def service_line(row: Mapping[str, object]) -> str:
    """Name, address, status, then every other fact of ``row`` with its name before it."""
    facts = "  ".join(f"{key} {_shown(row[key])}" for key in row if key not in _COLUMNS)
    return f"{row['service']:<11} {row['address']:<22} {row['status']:<8} {facts}".rstrip()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)

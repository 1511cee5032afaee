"""Keys that routes write, like ``${principal}-${query.page}``: what tells requests apart. No IO."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.edge.query import parse_pairs

if TYPE_CHECKING:
    from services.edge.call import Call

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")


@dataclass(frozen=True, slots=True)
class Key:
    """What a key is made of; a request's are :meth:`values`."""

    references: tuple[str, ...]

    def values(self, call: Call) -> tuple[str, ...]:
        """The value of each reference; empty text for what the request does not have."""
        return tuple(_value(reference, call) for reference in self.references)


def read_key(text: str | None) -> Key:
    """The key that a route's document writes; without one, all requests are alike.

    What stands between the references is the same for all requests, and tells none apart.
    """
    return Key(tuple(each.strip() for each in _REFERENCE.findall(text or "")))


def _value(reference: str, call: Call) -> str:
    root, _, name = reference.partition(".")
    match root:
        case "principal":
            return call.caller.principal if call.caller else ""
        case "path":
            return call.parameters.get(name, "")
        case "query":
            return ",".join(value for field, value in parse_pairs(call.query) if field == name)
        case "headers":
            return call.header.get(name.lower().encode(), b"").decode("latin-1")
    return ""

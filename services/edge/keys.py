"""Keys that routes write, like ``${principal}-${query.page}``: what tells requests apart. No IO."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from services.edge.query import parse_pairs
from services.json_text import Json

if TYPE_CHECKING:
    from services.edge.call import Call

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
# One text for all documents that are equal.
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True
).encode


@dataclass(frozen=True, slots=True)
class Key:
    """What a key is made of; a request's are :meth:`values`.

    Attributes:
        pieces: The text around the references, one more than those; it is the same for all
            requests, and tells none apart.
    """

    references: tuple[str, ...]
    pieces: tuple[str, ...] = ()

    @property
    def of_body(self) -> bool:
        """Whether a part of the body is in it, which is known once :attr:`Call.document` is."""
        return any(reference.partition(".")[0] == "body" for reference in self.references)

    @property
    def template(self) -> str:
        """The key as a route writes it."""
        written = (f"${{{reference}}}" for reference in self.references)
        return "".join(a + b for a, b in zip_longest(self.pieces, written, fillvalue=""))

    def values(self, call: Call) -> tuple[str, ...]:
        """The value of each reference; empty text for what the request does not have.

        Of the body: text as it is, anything else as JSON text.
        """
        return tuple(_value(reference, call) for reference in self.references)

    def exact(self, call: Call) -> tuple[str, ...]:
        """As :meth:`values`, but calls of which a workflow sees different things are told apart.

        The body's ``7`` and ``"7"`` are two values, and so are a field of the query, or a header,
        that is missing, empty, or there several times.
        """
        return tuple(_exact(reference, call) for reference in self.references)

    def written(self, call: Call) -> str:
        """The key as its author wrote it, with the request's values in it."""
        pairs = zip_longest(self.pieces, self.values(call), fillvalue="")
        return "".join(piece + value for piece, value in pairs)


def read_key(text: str | None) -> Key:
    """The key that a route's document writes; without one, all requests are alike."""
    parts = _REFERENCE.split(text or "")
    return Key(tuple(each.strip() for each in parts[1::2]), tuple(parts[::2]))


def _value(reference: str, call: Call) -> str:
    root, dot, name = reference.partition(".")
    match root:
        case "principal":
            return call.caller.principal if call.caller else ""
        case "path":
            return call.parameters.get(name, "")
        case "query":
            return ",".join(value for field, value in parse_pairs(call.query) if field == name)
        case "headers":
            return call.header.get(name.lower().encode(), b"").decode("latin-1")
        case "body":
            found, value = _of_body(call.document, name.split(".") if dot else [])
            return "" if not found else value if isinstance(value, str) else _encode(value)
    return ""


def _exact(reference: str, call: Call) -> str:
    root, dot, name = reference.partition(".")
    match root:
        case "query":
            return _encode([value for field, value in parse_pairs(call.query) if field == name])
        case "headers":
            wanted = name.lower().encode()
            sent = (value.decode("latin-1") for each, value in call.headers if each == wanted)
            return _encode(list(sent))
        case "body":
            found, value = _of_body(call.document, name.split(".") if dot else [])
            return _encode(value) if found else ""
    return _value(reference, call)


def _of_body(document: Json, names: list[str]) -> tuple[bool, Json]:
    """Whether the body has such a field, and its value."""
    for name in names:
        if not isinstance(document, dict) or name not in document:
            return False, None
        document = document[name]
    return True, document

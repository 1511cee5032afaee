"""Paths to values: a trie by segment, in which 1,000 routes are found as fast as one.

Built by :meth:`Trie.add` before it is used and never changed after; who needs another builds
another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

V = TypeVar("V")

# What a client removes before it sends; no parameter takes one for a value.
_DOT_SEGMENTS = (".", "..")


class BadPath(ValueError):
    """The path of a request cannot be read; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Found(Generic[V]):
    """What a request's method and path lead to.

    Attributes:
        parameters: The decoded segments that stand for ``{name}``, in the order of the path.
    """

    value: V
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere(Generic[V]):
    """The path is known, by other methods than the request's: the value of each."""

    values: Mapping[str, V]

    @property
    def methods(self) -> frozenset[str]:
        return frozenset(self.values)


@dataclass(slots=True)
class _Node(Generic[V]):
    literals: dict[str, _Node[V]] = field(default_factory=dict)
    parameter: _Node[V] | None = None
    values: dict[str, V] = field(default_factory=dict)


class Trie(Generic[V]):
    """Values by method and path template."""

    def __init__(self) -> None:
        self._root: _Node[V] = _Node()

    def add(self, method: str, template: str, value: V) -> None:
        """``value`` for ``method`` on ``template`` (``/orders/{id}``); it takes another's place."""
        node = self._root
        for segment in template_segments(template):
            if is_parameter(segment):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.values[method] = value

    def find(self, method: str, segments: tuple[str, ...]) -> Found[V] | Elsewhere[V] | None:
        """What ``method`` on the path of ``segments`` leads to; None: nothing is there.

        At each segment a literal is tried before a parameter; one that leads nowhere, or to other
        methods only, is given up for the next.
        """
        elsewhere: dict[str, V] = {}
        # Depth first with the literal on top; each node of the trie is visited at most once.
        ways: list[tuple[_Node[V], int, tuple[str, ...]]] = [(self._root, 0, ())]
        count = len(segments)
        while ways:
            node, at, parameters = ways.pop()
            if at == count:
                if (value := node.values.get(method)) is not None:
                    return Found(value, parameters)
                elsewhere = node.values | elsewhere
                continue
            segment = segments[at]
            if node.parameter is not None and segment and segment not in _DOT_SEGMENTS:
                ways.append((node.parameter, at + 1, (*parameters, segment)))
            if (literal := node.literals.get(segment)) is not None:
                ways.append((literal, at + 1, parameters))
        return Elsewhere(elsewhere) if elsewhere else None

    def begins(self, segments: tuple[str, ...]) -> bool:
        """Whether a path begins with ``segments``."""
        nodes = [self._root]
        for segment in segments:
            nodes = [
                below
                for node in nodes
                for below in (node.literals.get(segment), node.parameter)
                if below is not None
            ]
        return bool(nodes)


def is_parameter(segment: str) -> bool:
    """Whether a template's segment is ``{name}``."""
    return segment.startswith("{") and segment.endswith("}")


def template_segments(template: str) -> tuple[str, ...]:
    """``/orders/{id}/`` → ``("orders", "{id}")``."""
    trimmed = template.removeprefix("/").removesuffix("/")
    return tuple(trimmed.split("/")) if trimmed else ()


def path_segments(raw_path: bytes) -> tuple[str, ...]:
    """The segments of a request's path as sent, split first and decoded then (RFC 3986 §2.4).

    A trailing slash does not count, and ``%2F`` is no slash.

    Raises:
        BadPath: No path, a broken percent-encoding, no UTF-8, or U+0000.
    """
    if raw_path[:1] != b"/":
        raise BadPath("The request's target is no path.")
    trimmed = raw_path[1:-1] if raw_path[-1:] == b"/" else raw_path[1:]
    if not trimmed:
        return ()
    try:
        if b"%" not in trimmed:
            return tuple(trimmed.decode("ascii").split("/"))
        return tuple(percent_decoded(segment) for segment in trimmed.split(b"/"))
    except UnicodeDecodeError:
        raise BadPath("The path is not ASCII with percent-encoded UTF-8.") from None


def percent_decoded(encoded: bytes) -> str:
    """``caf%C3%A9`` → ``café``; raises :class:`BadPath` or UnicodeDecodeError."""
    if b"%" not in encoded:
        return encoded.decode("ascii")
    # unquote lets a "%" stand that two hexadecimal digits do not follow.
    for piece in encoded.split(b"%")[1:]:
        if len(piece) < 2 or not (_is_hexadecimal(piece[0]) and _is_hexadecimal(piece[1])):
            raise BadPath("A '%' is not followed by two hexadecimal digits.")
    text = unquote_to_bytes(encoded).decode("utf-8")
    if "\0" in text:
        raise BadPath("The path or the query holds U+0000.")
    return text


def _is_hexadecimal(byte: int) -> bool:
    return byte in b"0123456789abcdefABCDEF"

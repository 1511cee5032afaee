"""From what a trie has found to a value, or to the answer that there is none."""

from __future__ import annotations

from collections.abc import Iterable

from services.edge.call import Answer
from services.edge.problems import Problem
from services.edge.trie import Elsewhere, Found, V


def found_or_answer(method: str, found: Found[V] | Elsewhere[V] | None) -> Found[V] | Answer:
    """What was found; 204 with ``Allow`` to OPTIONS.

    Raises:
        Problem: 404, or 405 with ``Allow``.
    """
    match found:
        case Found():
            return found
        case Elsewhere(methods=methods):
            known = allowed(methods)
            allow = (b"allow", known.encode())
            if method == "OPTIONS":
                return Answer(204, headers=(allow,))
            detail = f"The path is known by other methods: {known}."
            raise Problem("method-not-allowed", detail, headers=(allow,))
    raise Problem("no-route")


def allowed(methods: Iterable[str]) -> str:
    """``Allow`` (RFC 9110 §10.2.1) for the methods by which a path is known."""
    known = set(methods)
    if "GET" in known:
        known.add("HEAD")
    return ", ".join(sorted(known | {"OPTIONS"}))


def looked_up(method: str) -> str:
    """The method whose value answers ``method``: HEAD is GET without the body."""
    return "GET" if method == "HEAD" else method

"""What is told of a path that has no page: where what was meant may be. No IO."""

from __future__ import annotations

from collections.abc import Callable

from services.edge.problems import Problem

_API = "api"


def nothing_at(segments: tuple[str, ...], is_page: Callable[[tuple[str, ...]], bool]) -> Problem:
    """404 of a path. Nothing of it is repeated: it may be a key that somebody mistook for an id.

    Args:
        is_page: Whether something is at a path, by any method.
    """
    return Problem("no-route", _where(segments, is_page))


def _where(segments: tuple[str, ...], is_page: Callable[[tuple[str, ...]], bool]) -> str:
    if "" in segments:
        return (
            "There is nothing at a path with two slashes in a row: does the URL that your client "
            "was given end with one?"
        )
    if segments[:1] == ("webhook",):
        return (
            "There is nothing at this path: webhooks are called at the gateway's own address, as "
            "POST /-/webhooks/NAME (docs/webhooks.md)."
        )
    if segments[:2] == (_API, _API):
        return "There is nothing at this path: it has /api twice, which your client adds itself."
    if segments[:1] != (_API,) and is_page((_API, *segments)):
        return "There is nothing at this path, but there is with /api before it."
    if segments[:1] == (_API,):
        return (
            "There is nothing at this path: docs/conductor.md and docs/gateway/management.md list "
            "what there is."
        )
    return (
        "There is nothing at this path: here are /api and what manages the gateway; routes are "
        "called at the gateway's own address."
    )

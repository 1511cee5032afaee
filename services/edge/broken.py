"""Routes that break by themselves: a script, an envelope, an output that breaks its schema.

Callers are not told why. The log is, with the ids that they have: once a route and second, and how
many more there were, so that a route that breaks at every call does not fill a disk.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.edge.problems import Faults, Problem

if TYPE_CHECKING:
    from services.edge.call import Call

logger = logging.getLogger(__name__)

SECONDS = 1.0
_MOST_FAULTS = 20
_LONGEST_FAULT = 320


@dataclass(frozen=True, slots=True)
class _Told:
    """What a line tells; no call or exception, which would hold bodies."""

    problem: str
    faults: Faults
    request_id: str
    execution_id: str


@dataclass(slots=True)
class _Window:
    """What was not told of a route since its last line.

    Attributes:
        last: The last of those.
    """

    left_out: int = 0
    last: _Told | None = None


class BrokenRoutes:
    """Tells of them.

    Args:
        seconds: Between two lines about one route.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._windows: dict[tuple[str, str], _Window] = {}

    @property
    def waiting(self) -> int:
        """Routes that have broken within so long."""
        return len(self._windows)

    def tell(self, call: Call, problem: Problem) -> None:
        """Tell of ``problem`` if it is the route's own."""
        if not problem.inside:
            return
        route = _route_of(call)
        told = _Told(problem.kind, problem.inside, call.request_id, call.execution_id)
        window = self._windows.get(route)
        if window is None:
            _say(route, told, 0)
            self._open(route)
        else:
            window.left_out, window.last = window.left_out + 1, told

    def _open(self, route: tuple[str, str]) -> None:
        self._windows[route] = _Window()
        asyncio.get_running_loop().call_later(self._seconds, self._over, route)

    def _over(self, route: tuple[str, str]) -> None:
        window = self._windows.pop(route)
        if window.last is not None:
            _say(route, window.last, window.left_out - 1)
            self._open(route)


def _route_of(call: Call) -> tuple[str, str]:
    """The service, and the method and path template, whose answer it is."""
    if call.answers_for is not None:
        return call.answers_for
    return (
        (call.route.service_id, f"{call.route.method} {call.route.path}") if call.route else _NONE
    )


_NONE = ("", "")


def _say(route: tuple[str, str], told: _Told, left_out: int) -> None:
    ids = {"request_id": told.request_id, "execution_id": told.execution_id}
    extra = {name: value for name, value in ids.items() if value}
    more = f" {left_out} more of this route are left out." if left_out else ""
    logger.warning(
        "%s of service %s: %s. %s%s", route[1], route[0], told.problem, _text(told.faults), more,
        extra=extra,
    )  # fmt: skip


def _text(faults: Faults) -> str:
    lines = [f"{at}: {detail}" if at else detail for at, detail in faults[:_MOST_FAULTS]]
    text = "; ".join(_cut(line.rstrip(".")) for line in lines)
    more = len(faults) - _MOST_FAULTS
    return f"{text}; and {more} more." if more > 0 else f"{text}."


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_FAULT else f"{text[: _LONGEST_FAULT - 1]}…"

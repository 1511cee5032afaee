"""What the gateway tells of a path that no route has. No IO."""

from __future__ import annotations

from collections.abc import Callable

from services.rights.pages import PAGES

_API = "api"
# What stands behind /api in the paths of the management listener: "workflow", "tasks".
_BELOW_API = frozenset(
    path.split("/")[2] for each in PAGES if (path := each.partition(" ")[2]).startswith(f"/{_API}/")
)
# Whoever comes from Conductor asks at its port, which is the gateway's.
_ELSEWHERE = (
    "No route has this path. Conductor's API is not served at the gateway but at the management "
    "listener, whose address podium status shows."
)


def said_of(segments: tuple[str, ...], begins: Callable[[tuple[str, ...]], bool]) -> str:
    """A sentence for whoever seems to take the gateway for Conductor; empty: there is no more.

    Args:
        begins: Whether the path of a route begins so: then that is what was meant.
    """
    two = segments[:2]
    is_conductors = len(two) > 1 and two[0] == _API and two[1] in _BELOW_API and not begins(two)
    return _ELSEWHERE if is_conductors else ""

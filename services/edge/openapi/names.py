"""What a route is called where it needs a name of its own. No IO."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.edge.routes import Route

_LONGEST_NAME = 64


def operation_names(routes: Iterable[Route]) -> dict[tuple[str, str], str]:
    """By method and path, a name of each route that no other has: ``POST_orderId_checkout``.

    Every run of characters that no name has becomes ``_``, at most 64 in all; a number follows
    where two routes would have one name.
    """
    names: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for route in routes:
        below = re.sub(r"[^A-Za-z0-9]+", "_", route.below).strip("_")
        base = f"{route.method}_{below}".rstrip("_")[:_LONGEST_NAME]
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base[: _LONGEST_NAME - len(str(number)) - 1]}_{number}"
        taken.add(name)
        names[route.method, route.path] = name
    return names

"""What the scripts of a definition name: only that is sent to the script's process."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.executor.core.model import Json
from services.executor.core.remembered import remembered

JAVASCRIPT = ("javascript", "graaljs")

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# ``$`` as a value of its own: neither a part of a longer name nor before one.
_DOLLAR = re.compile(rf"(?<![\w$])\$(?![\w$])(?:\s*(?:\?\s*)?\.\s*({_NAME})(?![\w$]))?")


@remembered(most=1024, longest=4096)
def names(source: str) -> frozenset[str] | None:
    """The members of ``$`` that ``source`` uses; None: it uses ``$`` as a whole, too."""
    found: set[str] = set()
    for use in _DOLLAR.finditer(source):
        if use[1] is None:
            return None
        found.add(use[1])
    return frozenset(found)


def needed(source: str, values: Mapping[str, Json]) -> dict[str, Json]:
    """Those of ``values`` that ``source`` uses."""
    wanted = names(source)
    if wanted is None:
        return dict(values)
    return {name: value for name, value in values.items() if name in wanted}

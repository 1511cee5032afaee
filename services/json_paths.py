"""How a step into a JSON document is written: ``.name``, ``['a b']``, ``[2]``. No IO."""

from __future__ import annotations

import json
import re

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*\Z", re.ASCII)
_SHOWN = 60


def step(name: str | int) -> str:
    """One step of a path, after those before it: ``tasks`` and ``2`` make ``.tasks[2]``."""
    if isinstance(name, int):
        return f"[{name}]"
    if _PLAIN_KEY.match(name):
        return f".{name}"
    return "['" + shortened(name).replace("'", "\\'") + "']"


def shortened(text: str) -> str:
    """``text``, cut where a sentence would be lost in it, and on one line."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return json.dumps(cut, ensure_ascii=False)[1:-1].replace('\\"', '"')

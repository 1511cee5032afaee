"""``${workflow.env.NAME}``: what of a process's environment workflows may read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from services.executor.core.model import Json

_ENTRY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")
# They are the suite's own: among them stand keys.
_OURS = "PODIUM_"


def checked(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Names, or beginnings of names with a ``*``; raises ValueError where one is neither."""
    for each in entries:
        if not _ENTRY.fullmatch(each):
            raise ValueError(f"{each!r} is neither a name nor the beginning of names, like APP_*")
        start = each.removesuffix("*")
        if start.startswith(_OURS) or (each.endswith("*") and _OURS.startswith(start)):
            raise ValueError(f"{each!r} would name settings of Podium's own, which stay its own")
    return entries


def chosen(environ: Mapping[str, str], entries: Iterable[str]) -> dict[str, Json]:
    """By name what ``entries`` allow; what is JSON text of an object or a list is read as that."""
    exact, starts = set[str](), list[str]()
    for each in entries:
        if each.endswith("*"):
            starts.append(each[:-1])
        else:
            exact.add(each)
    return {
        name: _value(text)
        for name, text in environ.items()
        if name in exact or name.startswith(tuple(starts))
    }


def _value(text: str) -> Json:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value

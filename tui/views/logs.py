"""Entries of a log as an operator reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from podium.common.v1 import log_pb2 as pb
from tui.views.visible import in_one_line, visible

LEVELS: Mapping[pb.LogLevel.ValueType, str] = {
    pb.LOG_LEVEL_DEBUG: "debug",
    pb.LOG_LEVEL_INFO: "info",
    pb.LOG_LEVEL_WARNING: "warning",
    pb.LOG_LEVEL_ERROR: "error",
    pb.LOG_LEVEL_CRITICAL: "critical",
}
_WIDEST_LEVEL = max(map(len, LEVELS.values()))
_WIDEST_SERVICE = len("executor")
_INDENT = "    "


def merged(entries: Iterable[pb.LogEntry]) -> list[pb.LogEntry]:
    """Entries of several services in the order of their times; of one service, in their own."""
    return sorted(entries, key=lambda entry: entry.time.ToNanoseconds())


def lines(entry: pb.LogEntry) -> Iterator[str]:
    """An entry in one line, and its exception indented below."""
    words = (
        _time(entry),
        LEVELS.get(entry.level, "").upper().ljust(_WIDEST_LEVEL),
        entry.service.ljust(_WIDEST_SERVICE),
        in_one_line(entry.logger),
        in_one_line(entry.message),
        *(f"{in_one_line(name)}={_value(value)}" for name, value in _fields(entry).items()),
    )
    yield "  ".join(words).rstrip()
    for line in visible(entry.exception).splitlines():
        yield f"{_INDENT}{line}".rstrip()


def document(entry: pb.LogEntry) -> dict[str, Any]:
    """An entry as its service writes it on stderr."""
    told = {
        "time": _time(entry),
        "level": LEVELS.get(entry.level, ""),
        "service": entry.service,
        "logger": entry.logger,
        "message": entry.message,
        **_fields(entry),
    }
    return told | {"exception": entry.exception} if entry.exception else told


def _time(entry: pb.LogEntry) -> str:
    return entry.time.ToDatetime().isoformat(timespec="milliseconds") + "Z"


def _fields(entry: pb.LogEntry) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(entry.fields or "{}")
    return fields


def _value(value: object) -> str:
    # A lone surrogate cannot be written on a terminal.
    text = value if isinstance(value, str) else json.dumps(value)
    return in_one_line(text.encode("utf-8", "replace").decode())

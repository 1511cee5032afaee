"""Kept answers as an operator reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podium.edge.v1 import edge_pb2 as pb
from tui.views import tables
from tui.views.visible import in_one_line, visible

_COLUMNS = ("entries", "bytes", "hits", "misses", "collapsed", "bypassed")


def summary(status: Mapping[str, Any]) -> str:
    """One line for all routes together."""
    if not status["limitBytes"]:
        return "Nothing is kept: PODIUM_CACHE_BYTES is 0."
    return (
        f"{status['entries']} answers kept, {size(status['bytes'])} of "
        f"{size(status['limitBytes'])}; {status['letOff']} let off to make room, "
        f"{status['underWay']} being made"
    )


def table(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a route below a line of titles; none where there is no route."""
    if not routes:
        return []
    rows = [["service", "route", *_COLUMNS], *map(_row, routes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [_line(row, widths) for row in rows]


def _row(route: Mapping[str, Any]) -> list[str]:
    numbers = (size(route[each]) if each == "bytes" else str(route[each]) for each in _COLUMNS)
    return [route["service"], f"{route['method']} {route['path']}", *numbers]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    words = (
        word.ljust(width) if column < 2 else word.rjust(width)
        for column, (word, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(words).rstrip()


def size(count: int) -> str:
    """``1.5 MiB`` for a number of bytes."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


_ENTRY_HEAD = ("route", "key", "for", "status", "age", "ttl", "bytes", "hits", "id")


def entry_lines(entries: Sequence[pb.CacheEntry]) -> list[str]:
    """A line an entry below a line of titles; none where there is no entry."""
    return list(tables.table([_ENTRY_HEAD, *map(_entry_row, entries)])) if entries else []


def _entry_row(entry: pb.CacheEntry) -> list[str]:
    return [
        f"{entry.method} {entry.path}",
        in_one_line(entry.key) or "-",
        entry.principal or "all",
        str(entry.status),
        f"{entry.age.seconds} s",
        f"{entry.ttl.seconds} s",
        size(entry.bytes),
        str(entry.hits),
        entry.id,
    ]


def entry_document(entry: pb.CacheEntry) -> dict[str, Any]:
    """An entry as data."""
    return {
        "id": entry.id,
        "service": entry.service_id,
        "method": entry.method,
        "path": entry.path,
        "key": entry.key,
        "principal": entry.principal,
        "ageSeconds": entry.age.ToTimedelta().total_seconds(),
        "ttlSeconds": entry.ttl.ToTimedelta().total_seconds(),
        "bytes": entry.bytes,
        "hits": entry.hits,
        "status": entry.status,
        "executionId": entry.execution_id,
    }


def whole_lines(told: pb.GetCacheEntryResponse) -> list[str]:
    """An answer that is kept: what is known of it, its headers and its body."""
    facts = (
        f"{name:<12} {in_one_line(str(value))}"
        for name, value in entry_document(told.entry).items()
    )
    headers = (f"{each.name}: {in_one_line(each.value)}" for each in told.headers)
    body = visible(told.body.decode("utf-8", "replace"))
    left = told.body_bytes - len(told.body)
    return [*facts, "", *headers, "", body, *([f"… and {size(left)} more"] if left else [])]


def whole_document(told: pb.GetCacheEntryResponse) -> dict[str, Any]:
    """The same as data; the body as text."""
    return {
        **entry_document(told.entry),
        "headers": [{"name": each.name, "value": each.value} for each in told.headers],
        "body": told.body.decode("utf-8", "replace"),
        "bodyBytes": told.body_bytes,
    }

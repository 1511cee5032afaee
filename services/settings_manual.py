"""docs/settings.md: every variable of every service."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import timedelta
from pathlib import Path

import services
from services.settings import REQUIRED, Setting, described_fields


def write() -> None:
    """Write it anew."""
    target = Path(__file__).parents[1] / "docs" / "settings.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(manual())


def manual() -> str:
    """docs/settings.md: every variable of every service."""
    found: dict[str, tuple[Setting, list[str]]] = {}
    for service, cls in _classes():
        for _, described in described_fields(cls):
            found.setdefault(described.variable, (described, []))[1].append(service)
    lines = [
        "# Settings",
        "",
        "Every service is set by environment variables; an empty one counts as not set. Written by",
        "`python -m services.settings`.",
        "",
        "| variable | of | default | what it sets |",
        "|---|---|---|---|",
    ]
    for variable, (described, users) in sorted(found.items()):
        of = ", ".join(sorted(set(users)))
        lines.append(f"| `{variable}` | {of} | {_shown(described.default)} | {described.doc} |")
    return "\n".join(lines) + "\n"


def _classes() -> Iterator[tuple[str, type[object]]]:
    # Found by name: this floor knows no service.
    for found in pkgutil.iter_modules(services.__path__):
        name = f"services.{found.name}.settings"
        if not found.ispkg or importlib.util.find_spec(name) is None:
            continue
        for _, cls in inspect.getmembers(importlib.import_module(name), is_dataclass):
            if isinstance(cls, type) and cls.__module__ == name:
                yield found.name, cls


def _shown(default: object) -> str:
    match default:
        case None | "" | ():
            return ""
        case _ if default is REQUIRED:
            return "must be set"
        case bool():
            return f"`{int(default)}`"
        case timedelta():
            return f"`{default.total_seconds():g}` s"
        case tuple():
            return f"`{','.join(map(_word, default))}`"
    return f"`{default}`"


def _word(part: object) -> str:
    return f"{part.total_seconds():g}" if isinstance(part, timedelta) else str(part)

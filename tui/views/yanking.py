"""What is copied of rows: their ids, their JSON, their place, a command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from tui.views.command_lines import command_line

# Characters. A terminal takes none of what is longer, and says nothing.
MOST_COPIED = 5_000_000
CHOICES = (
    ("y", "id", "the id"),
    ("j", "json", "JSON"),
    ("u", "address", "the address: what is typed after ':'"),
    ("c", "command", "a command that shows it"),
)


def json_of(record: Any) -> str:
    """A record as JSON: its document, where it has one, else its fields."""
    document = getattr(record, "document", None)
    if isinstance(document, Mapping):
        value: Any = document
    elif is_dataclass(record) and not isinstance(record, type):
        value = asdict(record)
    else:
        value = record._asdict()
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def command_of(resource: str, record: Any, address: str) -> str:
    """The command that shows a record outside of the console; of what was done, that does it."""
    if resource == "actions":
        return str(record.command)
    if resource == "audit":
        return shlex.join(["podium", "audit", "show", record.id])
    if resource == "executions":
        return shlex.join(["podium", "watch", record.id])
    if resource == "routes":
        return shlex.join(
            ["podium", "routes", "curl", record.service_id, record.method, record.path]
        )
    if kind := getattr(record, "kind", None):
        return command_line(["get", str(kind)], record.id)
    return shlex.join(["podium", "tui", "--open", address])


def yanked(what: str, resource: str, records: Sequence[Any], addresses: Sequence[str]) -> str:
    """What is copied: one line a record, and of several as JSON a list."""
    if what == "json" and len(records) == 1:
        return json_of(records[0])
    if what == "json":
        return "[\n" + ",\n".join(map(json_of, records)) + "\n]"
    if what == "address":
        return "\n".join(addresses)
    if what == "command":
        pairs = zip(records, addresses, strict=True)
        return "\n".join(command_of(resource, record, address) for record, address in pairs)
    return "\n".join(record.id for record in records)

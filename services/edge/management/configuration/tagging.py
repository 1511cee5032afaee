"""Tags of services and routes, as Orkes' clients send them. No IO."""

from __future__ import annotations

from typing import Any

from services.edge.management.configuration.documents import Document
from services.errors import Fault, InvalidDefinition


def read_tags(sent: Any) -> list[Document]:
    """The tags in a body: a list of ``{"key", "value"}``, or one of them.

    Raises:
        InvalidDefinition: With every one that is none.
    """
    tags = sent if isinstance(sent, list) else [sent]
    faults = [
        Fault(f"[{place}]" if isinstance(sent, list) else "", "must be a tag: {key, value}, texts")
        for place, tag in enumerate(tags)
        if not _is_tag(tag)
    ]
    if faults:
        raise InvalidDefinition("The tags have faults.", faults)
    # Orkes' clients send a type with them, which is always the same.
    return [{"key": tag["key"], "value": tag["value"]} for tag in tags]


def _is_tag(tag: Any) -> bool:
    return isinstance(tag, dict) and all(isinstance(tag.get(n), str) for n in ("key", "value"))


def with_tags(holder: Document, tags: list[Document]) -> Document:
    """A service or route with these tags and no others."""
    rest = {name: value for name, value in holder.items() if name != "tags"}
    return {**rest, "tags": tags} if tags else rest


def without_tags(holder: Document, tags: list[Document]) -> Document:
    """A service or route without those of its tags whose key and value are among ``tags``."""
    named = {(tag["key"], tag["value"]) for tag in tags}
    return with_tags(holder, [tag for tag in holder.get("tags") or () if _named(tag) not in named])


def _named(tag: Any) -> tuple[Any, Any] | None:
    return (tag.get("key"), tag.get("value")) if _is_tag(tag) else None

"""What putting documents does, or would do, as lines and as data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from podium.registry.v1 import registry_pb2 as pb
from tui.views.changes import changes, diff

OUTCOMES = {
    pb.OUTCOME_CREATED: "created",
    pb.OUTCOME_CHANGED: "changed",
    pb.OUTCOME_UNCHANGED: "unchanged",
}
# A value that goes in and never comes out is all that can differ beside what is shown.
HIDDEN = {"secret": "its value", "auth": "its keys"}


def title(definition: pb.Definition) -> str:
    """As a list has it: ``workflow checkout v2``."""
    version = f" v{definition.version}" if definition.version else ""
    return f"{definition.kind} {definition.name}{version}"


def data(definition: pb.Definition, outcome: str) -> dict[str, Any]:
    """What became of a definition, as JSON."""
    return {
        "kind": definition.kind,
        "name": definition.name,
        "version": definition.version,
        "outcome": outcome,
        "etag": definition.etag,
        "revision": definition.revision,
    }


def lines(result: pb.PutResult, origin: str) -> Iterator[str]:
    """What a put does to a definition, as a diff; nothing if it does nothing."""
    if result.outcome == pb.OUTCOME_UNCHANGED:
        return
    definition = result.definition
    yield f"{title(definition)}  {OUTCOMES[result.outcome]}"
    before, after = documents(result)
    if after is None:
        yield "  (how, is not shown: there is too much of it, or you may not read it)"
        return
    names = (
        f"{title(definition)} (now)" if before else "nothing",
        f"{title(definition)} ({origin})",
    )
    shown = diff(before, after, names)
    yield from shown or [f"  ({HIDDEN.get(definition.kind, 'the order of its fields')})"]


def change_data(result: pb.PutResult, origin: str) -> dict[str, Any]:
    """What a put does to a definition, as JSON: every field that differs by its path."""
    definition = result.definition
    told: dict[str, Any] = {
        "kind": definition.kind,
        "name": definition.name,
        "version": definition.version,
        "outcome": OUTCOMES[result.outcome],
        "origin": origin,
        "warnings": list(result.warnings),
    }
    before, after = documents(result)
    if before is not None and after is not None:
        told["changes"] = [each.fields() for each in changes(before, after)]
    elif after is not None:
        told["document"] = after
    return told


def documents(result: pb.PutResult) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The documents before and after, as far as they are told."""
    before, after = result.before, result.definition.document
    return _read(before) if before else None, _read(after) if after else None


def _read(text: str) -> dict[str, Any]:
    """A document, the times of its keys left out: they are the registry's."""
    document: dict[str, Any] = json.loads(text)
    known = document.get("knownKeys")
    if document.get("kind") == "auth" and isinstance(known, list):
        named = [{k: v for k, v in key.items() if k != "createdAt"} for key in known]
        document["knownKeys"] = named
    return document


def count(answer: pb.PutDefinitionsResponse) -> str:
    """How much differs: ``1 created, 2 changed, 5 unchanged``."""
    many = Counter(OUTCOMES[each.outcome] for each in answer.results)
    many["deleted"] = len(answer.deleted)
    order = (*OUTCOMES.values(), "deleted")
    return ", ".join(f"{many[each]} {each}" for each in order if many[each]) or "nothing"

"""How workflows and task definitions name the schemas that they are held against."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Document, Json, parse

NOOP: Document = {"name": "t", "taskReferenceName": "t", "type": "NOOP"}


def document(kind: str, **more: Json) -> Document:
    if kind == "task":
        return {"kind": "task", "name": "t", **more}
    if kind == "embedded":
        return {"kind": "workflow", "name": "w", "tasks": [{**NOOP, "taskDefinition": more}]}
    return {"kind": "workflow", "name": "w", "tasks": [NOOP], **more}


def faults(wanted: Document) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(wanted)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(("kind", "path"), [
    ("workflow", "inputSchema"), ("task", "inputSchema"),
    ("embedded", "tasks[0].taskDefinition.inputSchema"),
])  # fmt: skip
def test_a_schema_is_named_or_stands_there(kind: str, path: str) -> None:
    enforced: dict[str, Json] = {"enforceSchema": True}
    named = parse(document(kind, inputSchema={"name": "s", "version": 2}, **enforced))
    latest = parse(document(kind, inputSchema={"name": "s", "version": 0}, **enforced))
    own = parse(document(kind, inputSchema={"name": "s", "data": {"type": "object"}}, **enforced))

    (reference,) = [each for each in named.references if each.kind == "schema"]
    assert (reference.name, reference.version, reference.path) == ("s", 2, f"{path}.name")
    assert [each.version for each in latest.references if each.kind == "schema"] == [None]
    assert not [each for each in own.references if each.kind == "schema"]
    assert parse(document(kind, inputSchema={}, **enforced))
    assert faults(document(kind, inputSchema={"type": "JSON"}, **enforced)) == [
        f"{path}.name: is required, or data"
    ]
    assert faults(document(kind, inputSchema={"data": {"type": "txt"}}, **enforced))[0].startswith(
        f"{path}.data.type: must be one of array"
    )
    assert faults(document(kind, inputSchema={"name": "s", "type": "AVRO"}, **enforced)) == [
        f"{path}.type: AVRO is not supported yet"
    ]


def test_only_what_is_enforced_has_to_be_there() -> None:
    use: Json = {"name": "s"}

    def required(wanted: Document) -> list[bool]:
        return [each.required for each in parse(wanted).references if each.kind == "schema"]

    assert required(document("workflow", outputSchema=use)) == [True]
    assert required(document("workflow", outputSchema=use, enforceSchema=False)) == [False]
    # Conductor's workers register task definitions whose schemas are nowhere.
    assert required(document("task", outputSchema=use)) == [False]
    assert required(document("task", outputSchema=use, enforceSchema=True)) == [True]

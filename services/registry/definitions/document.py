"""The manual and the JSON Schemas of all kinds, written from the tables that parsing uses.

    python -m services.registry.definitions.document [FOLDER]

writes ``definitions.md`` and ``schema/<kind>.json`` into the folder, ``docs`` if none is named.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.registry.definitions import KINDS
from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.records import Field, Record, Status, Unknown
from services.registry.definitions.tasks import TASK_KINDS
from services.registry.definitions.tasks.kind import BY_WORKERS, COMMON, TaskKind
from services.registry.definitions.values import ByShape, ListOf, MapOf, OrExpression, Type

_INTRODUCTION = """\
# Definitions

Every field of every kind of document. Written by `python -m services.registry.definitions.document`
from the tables that the registry parses with; the same as JSON Schemas lies in `schema/`.

- A document names its `kind`; a bare Conductor workflow, which has `tasks`, needs none.
- A field without a default that is not required may be left out; null is the same as leaving it
  out. Numbers and booleans may be written as text.
- What a server writes is accepted and dropped: `createTime`, `updateTime`, `createdBy`,
  `updatedBy`, `ownerApp`, `orgId`; in services and routes `basePath` and `serviceId`, in auth
  configurations `knownKeys` as well.
- A field that is known and not supported yet is refused by name unless its value is neutral: null,
  false, 0, "", [] or {}.
- An unknown field is a fault; in workflows and task definitions it is kept, ignored and told as a
  warning.
- In `inputParameters` and `outputParameters` any value may be text with `${…}`. It names a task of
  the workflow (`${ref.output.response.body}`), or `${workflow.input…}`, `${workflow.variables…}`,
  `${workflow.workflowId}` and the like; in the input of HTTP, HTTP_POLL and what workers do also
  `${workflow.secrets.NAME}`, and but for HTTP_POLL `${task.callbackUrl}`. `$${` is a literal `${`.
- In a `uri` a secret is percent-encoded, so that the server reads its value as it is; where it
  begins the URI (`${workflow.secrets.HOOK}`) or stands in its host it is put in as it is.
"""


def manual() -> str:
    """docs/definitions.md."""
    parts = [_INTRODUCTION]
    for kind in KINDS.values():
        parts.extend(_kind_part(kind))
    return "\n".join(parts)


def schema(kind: Kind) -> str:
    """docs/schema/<kind>.json: draft 2020-12."""
    document: Document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name,
        "description": kind.doc,
        **kind.record.schema(),
    }
    _mark(document["properties"], kind.immutable, "x-immutable")
    _mark(document["properties"], kind.hidden, "writeOnly")
    if kind.name == "workflow":
        document["$defs"] = {"task": _task_schema()}
    elif isinstance(required := document.get("required"), list):
        document["required"] = ["kind", *required]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _mark(properties: Json, names: Sequence[str], word: str) -> None:
    for name in names:
        field = properties.get(name) if isinstance(properties, dict) else None
        if isinstance(field, dict):
            field[word] = True


def files() -> dict[str, str]:
    """The text of every file by its path within the folder."""
    schemas = {f"schema/{name}.json": schema(kind) for name, kind in KINDS.items()}
    return {"definitions.md": manual(), **schemas}


def _kind_part(kind: Kind) -> Iterator[str]:
    yield f"\n## {kind.name}\n\n{kind.doc}\n"
    if kind.immutable:
        yield f"Immutable: {_names(kind.immutable)}.\n"
    if kind.hidden:
        yield f"Never readable again: {_names(kind.hidden)}.\n"
    yield from _record_part(kind.record)
    if kind.name == "workflow":
        yield "\n### workflow: task\n\nWhat every task has.\n"
        yield from _record_part(Record("a task", COMMON, Unknown.WARN))
        for task_kind in TASK_KINDS.values():
            yield from _task_part(task_kind)
    for record in dict.fromkeys(_inner_records(kind.record)):
        yield f"\n### {kind.name}: {record.says()}\n"
        yield from _record_part(record)


def _task_part(kind: TaskKind) -> Iterator[str]:
    yield f"\n### workflow: {kind.name} task\n\n{kind.doc}\n"
    if kind.fields:
        yield "On the task:\n"
        yield from _record_part(Record("a task", kind.fields, Unknown.WARN))
    if kind.inputs.fields:
        yield "\nIn its input:\n"
        yield from _record_part(kind.inputs)


def _record_part(record: Record) -> Iterator[str]:
    hidden = (Status.LATER, Status.SERVER)
    yield "| field | value | default | |\n|-|-|-|-|"
    for field in record.fields:
        if field.status not in hidden:
            yield _row(field)
    if later := [field.name for field in record.fields if field.status is Status.LATER]:
        yield f"\nNot supported yet: {_names(later)}."


def _row(field: Field) -> str:
    default = "required" if field.required else ""
    if field.default is not None:
        default = f"`{json.dumps(field.default, ensure_ascii=False)}`"
    said = field.doc
    if field.status is Status.NO_EFFECT:
        said += " No effect yet."
    cells = (f"`{field.name}`", field.type.says(), default, said)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _inner_records(record: Record) -> Iterator[Record]:
    for field in record.fields:
        for inner in _records_of(field.type):
            yield inner
            yield from _inner_records(inner)


def _records_of(type_: Type) -> Iterator[Record]:
    match type_:
        case Record():
            yield type_
        case ListOf(inner=inner) | MapOf(inner=inner) | OrExpression(inner=inner):
            yield from _records_of(inner)
        case ByShape():
            for inner in type_.shapes.values():
                yield from _records_of(inner)


def _task_schema() -> Document:
    """A task: what all have, and what each type has besides."""
    common = Record("a task", COMMON, Unknown.WARN).schema()
    properties = common["properties"]
    names: list[Json] = list(TASK_KINDS)
    if isinstance(properties, dict):
        properties["type"] = {"description": "The task type.", "enum": names}
    conditions: list[Json] = [_task_condition(kind) for kind in TASK_KINDS.values()]
    return common | {"required": ["name", "taskReferenceName"], "allOf": conditions}


def _task_condition(kind: TaskKind) -> Document:
    own = Record("a task", kind.fields, Unknown.WARN).schema()
    inputs = kind.inputs.only([field.name for field in kind.inputs.fields]).schema()
    beside, properties = inputs.get("properties"), own["properties"]
    if kind.nested and isinstance(beside, dict):
        whole: Document = {
            "anyOf": [inputs, {"type": "string", "pattern": r"\$\{"}, {"type": "null"}]
        }
        inputs = inputs | {"properties": {**beside, kind.nested: whole}}
    if isinstance(properties, dict):
        properties["inputParameters"] = inputs
    required = {"required": own["required"]} if "required" in own else {}
    then: Document = {"properties": properties, **required}
    of_type: Document = {"properties": {"type": {"const": kind.name}}}
    if kind.name != BY_WORKERS:
        # Without one it is a worker's.
        of_type["required"] = ["type"]
    return {"if": of_type, "then": then}


def write(folder: Path) -> None:
    """Writes every file into ``folder``."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(*sys.argv[1:2] or ["docs"]))

"""Which secrets a definition has given out, to whomever it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.registry.definitions import Definition, Document, Json
from services.registry.definitions.expressions import expressions

_METADATA = "runtimeMetadata"
_TEMPLATE = "inputTemplate"
# Where these call, the workflow says; what workers are given goes to workers, whoever has it done.
_CALLS = ("HTTP", "HTTP_POLL")


def named(definition: Definition) -> list[str]:
    """The names of secrets in ``definition``, in order; of ``runtimeMetadata`` some may be none."""
    used = {each.name for each in definition.references if each.kind == "secret"}
    return sorted(used.union(_given_to_workers(definition.document)))


def lent(definition: Definition, task: Callable[[str], Document | None]) -> set[str]:
    """The names of secrets that its calls are given by the task definitions that they name.

    Args:
        task: The definition of that name, if there is one.
    """
    used = {name for name in _called_as(definition.document) if isinstance(name, str)}
    found = map(task, used)
    return {name for each in found if each for name in _secrets(each.get(_TEMPLATE))}


def _called_as(document: Json) -> Iterator[Json]:
    return (
        task.get("name")
        for task in _objects(document)
        if task.get("type") in _CALLS and not isinstance(task.get("taskDefinition"), dict)
    )


def _secrets(template: Json) -> Iterator[str]:
    pending = [template]
    while pending:
        match pending.pop():
            case str() as text if "${" in text:
                for each in expressions(text):
                    if each is not None and each.names[:2] == ("workflow", "secrets"):
                        yield from each.names[2:3]
            case dict() as fields:
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def _given_to_workers(document: Json) -> Iterator[str]:
    """What definitions of tasks give their workers, also those that stand within tasks."""
    for fields in _objects(document):
        yield from (each for each in _items(fields.get(_METADATA)) if isinstance(each, str))


def _objects(document: Json) -> Iterator[Document]:
    """Every object in ``document``, however deep."""
    pending = [document]
    while pending:
        match pending.pop():
            case dict() as fields:
                yield fields
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

"""Which secrets a definition has given out, to whomever it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from services.executor.core.expressions import handed_over
from services.executor.core.isolation import METADATA
from services.executor.core.model import Json

_SECRETS = "workflow.secrets."
_BEHIND_NAME = (".", "[", " ")
_TEMPLATE = "inputTemplate"
# Where these call, the workflow says; what workers are given goes to workers, whoever has it done.
_CALLS = ("HTTP", "HTTP_POLL")


def secrets_named(document: Json) -> list[str]:
    """The names of secrets in ``document``, in order; of ``runtimeMetadata`` some may be none."""
    filled = (each for each in handed_over(document) if each.startswith(_SECRETS))
    return sorted({*map(_name, filled), *_given_to_workers(document)})


def _name(reference: str) -> str:
    name = reference.removeprefix(_SECRETS)
    ends = [at for mark in _BEHIND_NAME if (at := name.find(mark)) >= 0]
    return name[: min(ends)] if ends else name


def secrets_lent(document: Json, task: Callable[[str], Mapping[str, Json] | None]) -> list[str]:
    """The names of secrets that calls are given by the task definitions that they name, in order.

    Args:
        task: The definition of that name, if there is one.
    """
    used = {name for name in _called_as(document) if isinstance(name, str)}
    templates: list[Json] = [each.get(_TEMPLATE) for name in used if (each := task(name))]
    return secrets_named(templates)


def _called_as(document: Json) -> Iterator[Json]:
    return (
        task.get("name")
        for task in _objects(document)
        if task.get("type") in _CALLS and not isinstance(task.get("taskDefinition"), dict)
    )


def _given_to_workers(document: Json) -> Iterator[str]:
    for fields in _objects(document):
        yield from (each for each in _items(fields.get(METADATA)) if isinstance(each, str))


def _objects(document: Json) -> Iterator[dict[str, Json]]:
    pending: list[Json] = [document]
    while pending:
        match pending.pop():
            case dict() as fields:
                yield fields
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

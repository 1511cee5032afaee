"""Which secrets a definition has given out, to whomever it says."""

from __future__ import annotations

from collections.abc import Iterator

from services.executor.core.expressions import handed_over
from services.executor.core.isolation import METADATA
from services.executor.core.model import Json

_SECRETS = "workflow.secrets."
_BEHIND_NAME = (".", "[", " ")


def secrets_named(document: Json) -> list[str]:
    """The names of secrets in ``document``, in order; of ``runtimeMetadata`` some may be none."""
    filled = (each for each in handed_over(document) if each.startswith(_SECRETS))
    return sorted({*map(_name, filled), *_given_to_workers(document)})


def _name(reference: str) -> str:
    name = reference.removeprefix(_SECRETS)
    ends = [at for mark in _BEHIND_NAME if (at := name.find(mark)) >= 0]
    return name[: min(ends)] if ends else name


def _given_to_workers(document: Json) -> Iterator[str]:
    pending: list[Json] = [document]
    while pending:
        match pending.pop():
            case dict() as fields:
                names = fields.get(METADATA)
                yield from (each for each in _items(names) if isinstance(each, str))
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

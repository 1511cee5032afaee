"""Which secrets a definition has given out, to whomever it says."""

from __future__ import annotations

from collections.abc import Iterator

from services.registry.definitions import Definition, Json

_METADATA = "runtimeMetadata"


def named(definition: Definition) -> list[str]:
    """The names of secrets in ``definition``, in order; of ``runtimeMetadata`` some may be none."""
    used = {each.name for each in definition.references if each.kind == "secret"}
    return sorted(used.union(_given_to_workers(definition.document)))


def _given_to_workers(document: Json) -> Iterator[str]:
    """What definitions of tasks give their workers, also those that stand within tasks."""
    pending: list[Json] = [document]
    while pending:
        match pending.pop():
            case dict() as fields:
                names = fields.get(_METADATA)
                yield from (each for each in _items(names) if isinstance(each, str))
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

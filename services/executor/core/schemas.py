"""Inputs and outputs that are held against schemas: which are, and what follows from a fault."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from services.executor.core.model import Json
from services.executor.core.sizes import shortened

_ADDED = "requestMetadata"
INPUT, OUTPUT = "inputSchema", "outputSchema"

Faults = tuple[tuple[str, str], ...]
"""Pointer (RFC 6901) and detail of each."""


def place(name: str, version: int) -> str:
    """How a snapshot names a schema definition; version 0 is the latest."""
    return f"{name}:{version}"


def named(definition: Mapping[str, Json], *, enforced: bool) -> Iterable[tuple[str, int]]:
    """The schema definitions that a workflow or a task definition is held against.

    Args:
        enforced: Whether it is where it does not say.
    """
    for field in (INPUT, OUTPUT):
        use = _use(definition, field, enforced)
        if use is not None and not isinstance(use.get("data"), dict):
            name, version = use.get("name"), use.get("version")
            if isinstance(name, str):
                yield name, version if isinstance(version, int) else 0


def text(
    definition: Mapping[str, Json],
    field: str,
    known: Mapping[str, Json],
    *,
    enforced: bool,
    trusted: bool = True,
) -> str:
    """JSON text of the schema in ``field``; empty: there is none, or it is not enforced.

    Args:
        known: By :func:`place`, the schemas of definitions.
        trusted: Whether it may have a schema of its own: of one that no registry has read nobody
            knows what it asks for.

    Raises:
        ValueError: The schema that it names is not known, or its own is not taken.
    """
    use = _use(definition, field, enforced)
    if use is None:
        return ""
    data = use.get("data")
    if isinstance(data, dict) and not trusted:
        raise ValueError(f"{field}: what comes of input cannot have a schema; name one")
    if not isinstance(data, dict):
        name, version = use.get("name"), use.get("version")
        data = known.get(place(str(name), version if isinstance(version, int) else 0))
    if not isinstance(data, dict):
        raise ValueError(f"{field}: there is no schema {use.get('name')!r}")
    return json.dumps(data, ensure_ascii=False)


def _use(definition: Mapping[str, Json], field: str, enforced: bool) -> Mapping[str, Json] | None:
    use, said = definition.get(field), definition.get("enforceSchema")
    holds = enforced if said is None else said is True
    return use if holds and isinstance(use, dict) and use else None


def judged_input(given: Mapping[str, Json], schema: str) -> Json:
    """The input of an execution as it is judged.

    What the gateway adds is not in it, unless the schema speaks of it: no caller has given it, and
    a schema that allows for nothing else would refuse all that comes from there.
    """
    if _ADDED not in given or f'"{_ADDED}"' in schema:
        return dict(given)
    return {name: value for name, value in given.items() if name != _ADDED}


def broken(what: str, field: str, faults: Faults) -> str:
    """Why something failed: ``what`` (``The input``) does not keep to the schema in ``field``."""
    told = "; ".join(f"{pointer}: {detail}" if pointer else detail for pointer, detail in faults)
    return shortened(f"{what} breaks the {field}: {told}.")

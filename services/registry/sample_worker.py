"""Judges one sample by one schema: the program of the child that :mod:`.samples` starts.

It says ``ready`` once it has loaded, reads ``{"schema", "sample"}``, both JSON text, and answers
``{"schema": [[path, detail]…]}`` or ``{"sample": [[pointer, detail]…]}``.
"""

from __future__ import annotations

import json
import resource
import sys

from services import json_schema
from services.json_text import DocumentError, Json, parse_json
from services.process import die_with_parent
from services.registry.definitions.reading import Place, Reading
from services.registry.definitions.schema import check_json_schema

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 5

Told = list[tuple[str, str]]


def judged(schema_text: str, sample_text: str) -> dict[str, Told]:
    """What is wrong with the schema or, if nothing is, with the sample."""
    try:
        schema = parse_json(schema_text)
    except DocumentError as error:
        return {"schema": [("", str(error))]}
    if not isinstance(schema, dict):
        return {"schema": [("", "must be a JSON Schema, an object")]}
    reading = Reading()
    check_json_schema(schema, Place(reading))
    if reading.faults:
        return {"schema": [(fault.path, fault.detail) for fault in reading.faults]}
    return {"sample": _faults(schema, sample_text)}


def _faults(schema: dict[str, Json], text: str) -> Told:
    try:
        sample = parse_json(text)
    except DocumentError as error:
        return [("", str(error))]
    return list(json_schema.faults(json_schema.compiled(schema), sample))


def main() -> None:
    """One judgement, within limits of its own."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    asked = json.loads(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(judged(asked["schema"], asked["sample"])))


if __name__ == "__main__":
    main()

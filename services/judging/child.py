"""Judges values by schemas, one after the other: the program of a child of :mod:`.judges`.

It is asked over its standard input: the lengths of what follows, the schema and the value, both
JSON text. It answers as soon as it knows: ``VALID``, or ``INVALID`` and then, as that can take
far longer, the length of JSON text, and that: the faults. When its parent is gone, it ends.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from services import json_schema
from services.process import die_with_parent

if TYPE_CHECKING:
    from jsonschema_rs import Validator

LENGTHS, LENGTH = struct.Struct("<II"), struct.Struct("<I")
READY, VALID, INVALID = b"r", b"v", b"i"

_MEMORY_BYTES = 1 << 30
_MOST_KEPT = 64


@lru_cache(_MOST_KEPT)
def _validator(schema: str) -> Validator:
    return json_schema.compiled(json.loads(schema))


def _serve(asked: BinaryIO, answers: BinaryIO) -> None:
    while len(head := asked.read(LENGTHS.size)) == LENGTHS.size:
        schema, value = map(asked.read, LENGTHS.unpack(head))
        _judge(_validator(schema.decode()), json.loads(value), answers)


def _judge(validator: Validator, value: object, answers: BinaryIO) -> None:
    valid = json_schema.is_valid(validator, value)
    answers.write(VALID if valid else INVALID)
    answers.flush()
    if not valid:
        faults = json.dumps(json_schema.told(validator, value)).encode()
        answers.write(LENGTH.pack(len(faults)) + faults)
        answers.flush()


def main() -> None:
    """Serve until the input ends, within limits of its own."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # All time from now on is somebody's who waits for a verdict.
    json_schema.load()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    _serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()

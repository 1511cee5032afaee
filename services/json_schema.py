"""JSON Schema, drafts 2020-12 and 07: schemas that refer to nothing outside, and what breaks them.

No fault repeats the value that it is about: values are callers', may be large, and may be secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_07 = "http://json-schema.org/draft-07/schema"
MOST_FAULTS = 100

_VALIDATORS: Mapping[str, Callable[..., jsonschema_rs.Validator]] = {
    DRAFT_2020_12: jsonschema_rs.Draft202012Validator,
    DRAFT_07: jsonschema_rs.Draft7Validator,
}
# All faults are made before the first is told, each at some 10 µs.
_MOST_VALUES_TOLD_ALL = 10_000


def draft_of(schema: Mapping[str, Any]) -> str | None:
    """The draft that ``$schema`` names, 2020-12 without one; None: another."""
    declared = schema.get("$schema", DRAFT_2020_12)
    draft = declared.removesuffix("#") if isinstance(declared, str) else ""
    return draft if draft in _VALIDATORS else None


def meta_schema(draft: str) -> jsonschema_rs.Validator:
    """The validator of schemas of ``draft``; its own schema comes with the library."""
    return _VALIDATORS[draft]({"$ref": draft})


def compiled(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """The validator of ``schema``, which asserts formats.

    Raises:
        jsonschema_rs.ValidationError: It is no schema.
        jsonschema_rs.ReferencingError: It refers to something outside of itself.
        ValueError: The same, or a draft that is none of the two.
    """
    draft = draft_of(schema)
    if draft is None:
        raise ValueError(f"must be {DRAFT_2020_12} or {DRAFT_07}#")
    return _VALIDATORS[draft](schema, retriever=_refuse, validate_formats=True, mask="this value")


def _refuse(uri: str) -> NoReturn:
    # Without a retriever of its own the library fetches http: and reads file: references.
    raise ValueError(uri)


def faults(validator: jsonschema_rs.Validator, value: Any) -> tuple[tuple[str, str], ...]:
    """Pointer (RFC 6901) and detail of what is wrong with ``value``; of a large one, the first.

    ``value`` is JSON as :mod:`json` reads it.
    """
    if validator.is_valid(value):
        return ()
    if _has_more_values(value, _MOST_VALUES_TOLD_ALL):
        try:
            validator.validate(value)
        except jsonschema_rs.ValidationError as fault:
            return (_told(fault),)
    return tuple(map(_told, islice(validator.iter_errors(value), MOST_FAULTS)))


def _told(fault: jsonschema_rs.ValidationError) -> tuple[str, str]:
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in fault.instance_path)
    return "".join(f"/{step}" for step in steps), fault.message


def _has_more_values(value: Any, most: int) -> bool:
    count, left = 0, [value]
    while left:
        each = left.pop()
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        count += len(inner)
        if count > most:
            return True
        left.extend(inner)
    return False

"""JSON Schema, drafts 2020-12 and 07: schemas that refer to nothing outside, and what breaks them.

No fault repeats the value that it is about: values are callers', may be large, and may be secret.
The validator, of four megabytes, is imported when a schema is first compiled: few processes do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import jsonschema_rs

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_07 = "http://json-schema.org/draft-07/schema"
MOST_FAULTS = 100

# By the name of its class.
_VALIDATORS: Mapping[str, str] = {
    DRAFT_2020_12: "Draft202012Validator",
    DRAFT_07: "Draft7Validator",
}
LONGEST_TEXT = 512

# All faults are made before the first is told, each with its whole path and a copy of its value.
_MOST_VALUES_TOLD_ALL = 1_000
_LARGEST_TOLD_ALL = 256 * 1024
# What the library says of some values that are nested by more than 255 levels.
_GIVEN_UP = "Recursion limit reached"
_TOO_DEEP = ("", "this value is nested too deep to be judged")


def load() -> None:
    """Import the validator now, not when the first schema is compiled."""
    for draft in _VALIDATORS:
        _validator(draft)


def draft_of(schema: Mapping[str, Any]) -> str | None:
    """The draft that ``$schema`` names, 2020-12 without one; None: another."""
    declared = schema.get("$schema", DRAFT_2020_12)
    draft = declared.removesuffix("#") if isinstance(declared, str) else ""
    return draft if draft in _VALIDATORS else None


def meta_schema(draft: str) -> jsonschema_rs.Validator:
    """The validator of schemas of ``draft``; its own schema comes with the library."""
    return _validator(draft)({"$ref": draft})


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
    return _validator(draft)(schema, retriever=_refuse, validate_formats=True, mask="this value")


def _validator(draft: str) -> Callable[..., jsonschema_rs.Validator]:
    import jsonschema_rs

    validator: Callable[..., jsonschema_rs.Validator] = getattr(jsonschema_rs, _VALIDATORS[draft])
    return validator


def _refuse(uri: str) -> NoReturn:
    # Without a retriever of its own the library fetches http: and reads file: references.
    raise ValueError(uri)


def faults(validator: jsonschema_rs.Validator, value: Any) -> tuple[tuple[str, str], ...]:
    """Pointer (RFC 6901) and detail of what is wrong with ``value``; of a large one, the first.

    Both are cut where they are longer than ``LONGEST_TEXT``.

    Args:
        value: JSON as :mod:`json` reads it.
    """
    return () if is_valid(validator, value) else told(validator, value)


def is_valid(validator: jsonschema_rs.Validator, value: Any) -> bool:
    """Whether nothing is wrong with ``value``; one that is too deep to be judged is at fault."""
    try:
        return validator.is_valid(value)
    except ValueError as error:
        return _is_too_deep(error)


def told(validator: jsonschema_rs.Validator, value: Any) -> tuple[tuple[str, str], ...]:
    """As :func:`faults`, of a value that is not valid; it takes far longer than to know that."""
    try:
        return _found(validator, value)
    except ValueError as error:
        _is_too_deep(error)
        return (_TOO_DEEP,)


def _is_too_deep(error: ValueError) -> bool:
    """False, as a verdict; what else is wrong is raised again."""
    if str(error) != _GIVEN_UP:
        raise error
    return False


def _found(validator: jsonschema_rs.Validator, value: Any) -> tuple[tuple[str, str], ...]:
    from jsonschema_rs import ValidationError

    if _is_large(value):
        try:
            validator.validate(value)
        except ValidationError as fault:
            return (_told(fault),)
    return tuple(map(_told, islice(validator.iter_errors(value), MOST_FAULTS)))


def _told(fault: jsonschema_rs.ValidationError) -> tuple[str, str]:
    # A step is cut before it is escaped, which makes it no shorter.
    steps = (_cut(str(step)).replace("~", "~0").replace("/", "~1") for step in fault.instance_path)
    return _cut("".join(f"/{step}" for step in steps)), _cut(fault.message)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def values_in(value: Any, most: int) -> int:
    """How many values there are in it, itself included; ``most`` where there are more."""
    left, found = [value], 0
    while left and found + len(left) < most:
        each = left.pop()
        found += 1
        if isinstance(each, dict):
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
    return min(found + len(left), most)


def _is_large(value: Any) -> bool:
    """Whether a fault of each value in it, with path and copy, would be too much to hold."""
    values, longest_path, copied = 0, 0, 0
    left: list[tuple[Any, int, int]] = [(value, 0, 1)]
    while left:
        each, path, level = left.pop()
        values, longest_path = values + 1, max(longest_path, path)
        # The copy of everything that it is in holds it, too.
        copied += level * len(each) if isinstance(each, str) else 0
        if len(left) + values > _MOST_VALUES_TOLD_ALL:
            return True
        if max(values * longest_path, copied) > _LARGEST_TOLD_ALL:
            return True
        for name, inner in _inner(each):
            copied += level * len(name)
            left.append((inner, path + 1 + len(name), level + 1))
    return False


def _inner(value: Any) -> Iterable[tuple[str, Any]]:
    """What is in an object or an array, with its step of a pointer."""
    if isinstance(value, dict):
        return value.items()
    return ((str(at), each) for at, each in enumerate(value)) if isinstance(value, list) else ()

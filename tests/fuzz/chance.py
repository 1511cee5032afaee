"""What chance may send: texts, documents and protobuf messages that nobody sends in good faith.

`make fuzz EXAMPLES=20000` tries more of each than CI does.
"""

from __future__ import annotations

import os
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.strategies import SearchStrategy

EXAMPLES = int(os.environ.get("PODIUM_FUZZ_EXAMPLES", "0"))


def tries(ordinarily: int) -> settings:
    """How often CI tries; by hand as often as was asked for."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=EXAMPLES or ordinarily, deadline=None, suppress_health_check=slow)


# Words by which something is found, so that what is behind them is reached as well.
KNOWN = ("known", "workflow", "application", "auth", "task", "service", "schema", "secret",
         "key:known/a", "GET", "/known", "main", "x", "1")  # fmt: skip
HOSTILE = (
    "", " ", "\0", "a\0b", "\n", "..", "../../etc/passwd", "%00", "%2e%2e", "${", "${a", "${a.b}",
    "${workflow.secrets.known}", "{{x}}", "'", "\"", "\\", "; DROP TABLE executions", "' OR 1=1 --",
    "*", "%", "_", "(", "((((((((((", "a AND", "NOT NOT NOT x", "status:", "older:9999999999d",
    "\u202e", "\ufeff", "é", "😀", "İ", "ß", "NaN", "1e999", "-0", "9" * 400, "0x7f000001",
    "127.1", "[::ffff:127.0.0.1]", "http://", "http://a@b:c@d", "javascript:1", "null", "true",
    "[" * 600, '{"a":' * 300, "[]", "{}", '{"a": 1, "a": 2}', '"\\ud800"', "a" * 10_000,
    "00000000-0000-0000-0000-000000000000", "P1Y", "0 0 0 31 2 ?", "* * * * * *", "@hourly",
    "Europe/Berlin", "whsec_", "v1.AAAA", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip

texts: SearchStrategy[str] = st.one_of(
    st.sampled_from(KNOWN),
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.text("${}.[]*'\"\\ab0 _-:,()<>=!", max_size=60),
)

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts,
    st.sampled_from((2**63, -(2**63), 2**64, 10**30, 1.7e308, -0.0)),
)  # fmt: skip
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)

_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_DEEPEST = 3


def messages(descriptor: Descriptor, depth: int = 0) -> SearchStrategy[Message]:
    """Any message of that type; what is nested more deeply than three is empty."""
    kind = GetMessageClass(descriptor)
    if depth == _DEEPEST:
        return st.just(kind())
    chosen = {field.name: _values(field, depth) for field in descriptor.fields}
    return st.fixed_dictionaries({}, optional=chosen).map(lambda values: _made(kind, values))


def _made(kind: type[Message], values: dict[str, Any]) -> Message:
    message = kind()
    for name, value in values.items():
        field = kind.DESCRIPTOR.fields_by_name[name]
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key, item in value.items():
                _put(getattr(message, name), key, item)
        elif field.is_repeated:
            getattr(message, name).extend(value)
        elif field.message_type is not None:
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _put(into: Any, key: Any, item: Any) -> None:
    if isinstance(item, Message):
        into[key].CopyFrom(item)
    else:
        into[key] = item


def _values(field: FieldDescriptor, depth: int) -> SearchStrategy[Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        return st.dictionaries(_one(key, depth), _one(value, depth), max_size=3)
    one = _one(field, depth)
    return st.lists(one, max_size=4) if field.is_repeated else one


def _one(field: FieldDescriptor, depth: int) -> SearchStrategy[Any]:
    match field.type:
        case FieldDescriptor.TYPE_MESSAGE if field.message_type is not None:
            return messages(field.message_type, depth + 1)
        case FieldDescriptor.TYPE_STRING:
            # What is no text, protobuf itself refuses to send.
            return texts.map(lambda text: text.encode("utf-8", "replace").decode())
        case FieldDescriptor.TYPE_BYTES:
            return st.one_of(
                st.binary(max_size=80), texts.map(lambda text: text.encode("utf-8", "replace"))
            )
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.TYPE_ENUM if field.enum_type is not None:
            known = [value.number for value in field.enum_type.values]
            return st.one_of(st.sampled_from(known), st.sampled_from((-1, 99, 2**31 - 1)))
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return st.floats(width=32)
        case number:
            least, most = _INTEGERS[number]
            near = st.integers(max(least, -3), 100)
            return st.one_of(near, st.sampled_from((least, most)), st.integers(least, most))

"""What documents may say, as messages: from the tables that parsing, pages and schemas use."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import cache

from podium.registry.v1 import registry_pb2 as pb
from services.registry.definitions import KINDS, Kind
from services.registry.definitions.document import schema
from services.registry.definitions.model import LARGEST
from services.registry.definitions.records import Field, Record, Status
from services.registry.definitions.requests import JsonSchema, Script
from services.registry.definitions.tasks import TASK_KINDS
from services.registry.definitions.tasks.http_poll import Condition
from services.registry.definitions.tasks.kind import COMMON, TaskKind, TaskType
from services.registry.definitions.values import (
    Anything,
    Boolean,
    ByShape,
    Choice,
    Code,
    ListOf,
    MapOf,
    Name,
    Number,
    Object,
    OrExpression,
    Text,
    Type,
)

_STATUSES = {
    Status.SUPPORTED: pb.FIELD_STATUS_UNSPECIFIED,
    Status.KEPT: pb.FIELD_STATUS_KEPT,
    Status.NO_EFFECT: pb.FIELD_STATUS_NO_EFFECT,
    Status.LATER: pb.FIELD_STATUS_NOT_SUPPORTED,
    Status.SERVER: pb.FIELD_STATUS_SERVER_WRITTEN,
}


def answer(names: Collection[str], *, with_schemas: bool) -> pb.ListKindsResponse:
    """The manual of the kinds of those names, of all where there are none."""
    told = pb.ListKindsResponse()
    for kind in KINDS.values():
        if not names or kind.name in names:
            told.kinds.append(_kind(kind.name))
            if with_schemas:
                told.kinds[-1].schema = _schema(kind.name)
    return told


@cache
def _schema(name: str) -> str:
    return schema(KINDS[name])


@cache
def _kind(name: str) -> pb.KindManual:
    kind = KINDS[name]
    has_tasks = name == "workflow"
    return pb.KindManual(
        name=name,
        description=kind.doc,
        identity=kind.identity,
        versioned=kind.versioned,
        fields=[_marked(field, kind) for field in kind.record.fields],
        task_fields=_fields(COMMON) if has_tasks else (),
        task_types=map(_task_type, TASK_KINDS.values()) if has_tasks else (),
    )


def _marked(field: Field, kind: Kind) -> pb.FieldManual:
    told = _field(field)
    told.immutable = field.name in kind.immutable
    told.write_only = field.name in kind.hidden
    return told


def _task_type(kind: TaskKind) -> pb.TaskTypeManual:
    return pb.TaskTypeManual(
        name=kind.name,
        description=kind.doc,
        fields=_fields(kind.fields),
        inputs=_fields(kind.inputs.by_name.values()),
        inputs_within=kind.nested,
        calls_out=kind.calls_out,
        callback=kind.callback,
    )


def _fields(fields: Iterable[Field]) -> list[pb.FieldManual]:
    return [_field(field) for field in fields if field.status is not Status.ELSEWHERE]


def _field(field: Field) -> pb.FieldManual:
    default = "" if field.default is None else json.dumps(field.default, ensure_ascii=False)
    beside = field.refers.startswith(".")
    return pb.FieldManual(
        name=field.name,
        description=field.doc,
        value=_value(field.type),
        required=field.required,
        default_value=default,
        status=_STATUSES[field.status],
        refers_to="" if beside else field.refers,
        refers_to_kind_in=field.refers[1:] if beside else "",
    )


def _value(type_: Type) -> pb.ValueManual:
    """``type_`` in words and in parts."""
    if isinstance(type_, OrExpression):
        told = _value(type_.inner)
        told.may_be_expression = not isinstance(type_.inner, Anything)
        return told
    told = _parts(type_)
    told.says = type_.says()
    return told


def _parts(type_: Type) -> pb.ValueManual:
    match type_:
        case Record():
            fields = _fields(type_.by_name.values())
            return pb.ValueManual(form=pb.VALUE_FORM_RECORD, fields=fields)
        case ListOf(inner=inner):
            return pb.ValueManual(form=pb.VALUE_FORM_LIST, item=_value(inner))
        case MapOf(inner=inner):
            return pb.ValueManual(form=pb.VALUE_FORM_MAP, item=_value(inner))
        case ByShape(shapes=shapes):
            each = map(_value, shapes.values())
            return pb.ValueManual(form=pb.VALUE_FORM_ONE_OF, alternatives=each)
        case Choice(values=values):
            return pb.ValueManual(form=pb.VALUE_FORM_CHOICE, choices=values)
        case Number():
            return _number(type_)
        case Text():
            form = pb.VALUE_FORM_SCRIPT if isinstance(type_, Code) else pb.VALUE_FORM_TEXT
            return pb.ValueManual(form=form, longest=type_.longest or 0, pattern=type_.pattern)
        case Name(longest=longest):
            return pb.ValueManual(form=pb.VALUE_FORM_TEXT, longest=longest)
    return pb.ValueManual(form=_form(type_))


def _number(number: Number) -> pb.ValueManual:
    form = pb.VALUE_FORM_INTEGER if number.whole else pb.VALUE_FORM_NUMBER
    told = pb.ValueManual(form=form, minimum=number.minimum)
    if number.maximum != LARGEST:
        told.maximum = number.maximum
    return told


def _form(type_: Type) -> pb.ValueForm.ValueType:
    """Of a type without parts; those that are not told apart here are text."""
    match type_:
        case Anything():
            return pb.VALUE_FORM_UNSPECIFIED
        case Boolean():
            return pb.VALUE_FORM_BOOLEAN
        case Object():
            return pb.VALUE_FORM_MAP
        case Script() | Condition():
            return pb.VALUE_FORM_SCRIPT
        case JsonSchema():
            return pb.VALUE_FORM_JSON_SCHEMA
        case TaskType():
            return pb.VALUE_FORM_TASK
    return pb.VALUE_FORM_TEXT

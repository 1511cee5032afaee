"""What may stand at a place of a document, by the registry's manual: for forms and completion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podium.registry.v1 import registry_pb2 as pb
from tui.views.json_paths import Path


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place on the way, and what stands there."""

    value: pb.ValueManual
    here: Any
    field: pb.FieldManual | None = None


@dataclass(frozen=True, slots=True)
class Manual:
    """The manual of all kinds, by name."""

    kinds: Mapping[str, pb.KindManual]

    @classmethod
    def of(cls, response: pb.ListKindsResponse) -> Manual:
        """The one that the registry tells."""
        return cls({kind.name: kind for kind in response.kinds})

    def fields(self, kind: str, path: Path = (), document: Any = None) -> list[pb.FieldManual]:
        """What an object at ``path`` may have; none where its keys are the author's own.

        Args:
            kind: Of the document.
            path: Into it; it need not be there.
            document: As far as it is written; tasks have fields by the type that they say.
        """
        spot = self._spot(kind, path, document)
        return list(self._within(kind, spot)) if spot else []

    def field(self, kind: str, path: Path, document: Any = None) -> pb.FieldManual | None:
        """The field that ``path`` ends with; None where it ends with none that is known."""
        spot = self._spot(kind, path, document)
        return spot.field if spot else None

    def value(self, kind: str, path: Path, document: Any = None) -> pb.ValueManual | None:
        """What may stand at ``path``; None where nobody knows."""
        spot = self._spot(kind, path, document)
        return spot.value if spot else None

    def _spot(self, kind: str, path: Path, document: Any) -> _Spot | None:
        known = self.kinds.get(kind)
        if known is None:
            return None
        whole = pb.ValueManual(form=pb.VALUE_FORM_RECORD, fields=known.fields)
        spot: _Spot | None = _Spot(whole, document)
        for step in path:
            spot = self._step(kind, spot, step) if spot else None
        return spot

    def _step(self, kind: str, spot: _Spot, step: str | int) -> _Spot | None:
        inner = _inner(spot.here, step)
        if isinstance(step, str):
            for field in self._within(kind, spot):
                if field.name == step:
                    return _Spot(field.value, inner, field)
        for value in (spot.value, *spot.value.alternatives):
            wanted = pb.VALUE_FORM_LIST if isinstance(step, int) else pb.VALUE_FORM_MAP
            if value.form == wanted and value.HasField("item"):
                return _Spot(value.item, inner)
        return None

    def _within(self, kind: str, spot: _Spot) -> Iterable[pb.FieldManual]:
        for value in (spot.value, *spot.value.alternatives):
            if value.form == pb.VALUE_FORM_RECORD:
                return value.fields
            if value.form == pb.VALUE_FORM_TASK:
                return self._of_task(self.kinds[kind], spot.here)
        return ()

    def _of_task(self, kind: pb.KindManual, task: Any) -> Iterable[pb.FieldManual]:
        said = task.get("type") if isinstance(task, dict) else None
        own = next((each for each in kind.task_types if each.name == said), pb.TaskTypeManual())
        for field in kind.task_fields:
            if field.name == "inputParameters":
                yield _with_inputs(field, own)
            elif field.name == "type":
                yield _with_choices(field, [each.name for each in kind.task_types])
            else:
                yield field
        yield from own.fields


def _with_inputs(field: pb.FieldManual, type_: pb.TaskTypeManual) -> pb.FieldManual:
    """``inputParameters`` of a task of that type."""
    fields = list(type_.inputs)
    if type_.inputs_within:
        within = pb.ValueManual(form=pb.VALUE_FORM_RECORD, says="object", fields=type_.inputs)
        doc = "The fields of the input, in an object of their own."
        nested = pb.FieldManual(name=type_.inputs_within, description=doc, value=within)
        fields.insert(0, nested)
    told = pb.FieldManual()
    told.CopyFrom(field)
    if fields:
        value = pb.ValueManual(form=pb.VALUE_FORM_RECORD, says=field.value.says, fields=fields)
        told.value.CopyFrom(value)
    return told


def _with_choices(field: pb.FieldManual, choices: Sequence[str]) -> pb.FieldManual:
    told = pb.FieldManual()
    told.CopyFrom(field)
    told.value.form = pb.VALUE_FORM_CHOICE
    told.value.choices[:] = choices
    return told


def _inner(value: Any, step: str | int) -> Any:
    match value:
        case dict() if isinstance(step, str):
            return value.get(step)
        case list() if isinstance(step, int) and 0 <= step < len(value):
            return value[step]
    return None

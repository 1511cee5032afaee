"""The rows of a form: its fields laid out with what stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.json_text import Json
from tui.views.forms.documents import MISSING, Missing, Path, value_at, written
from tui.views.forms.fields import Field
from tui.views.forms.texts import placeholder, shown

Part = Literal["value", "group", "list", "item", "add", "fault", "save", "cancel"]
_SUMMARY_FIELDS = 3


@dataclass(frozen=True, slots=True)
class FormRow:
    """One line of a form.

    Attributes:
        part: ``group``, ``list`` and ``item`` have rows below them; ``fault`` says what is wrong
            with the row before it; ``add``, ``save`` and ``cancel`` are to be pressed.
        path: Where its value stands in the document.
        depth: How far it is indented.
        value: What is shown of its value.
        given: Whether there is a value; else ``value`` is what holds without one.
        open: Whether the rows below it are shown.
        fixed: Whether it may not be changed.
    """

    part: Part
    path: Path
    field: Field
    depth: int
    label: str
    value: str = ""
    given: bool = False
    open: bool = False
    fixed: bool = False

    @property
    def key(self) -> tuple[str, Path]:
        """The same over all changes of the document."""
        return self.part, self.path

    @property
    def has_below(self) -> bool:
        return self.part in ("group", "list", "item")


@dataclass(frozen=True, slots=True)
class FormState:
    """All that the rows are made of.

    Attributes:
        open: The paths of groups, lists and items of which the fields are shown.
        options: For a union, the number of the option that was chosen for it.
        texts: What was typed and is no value, by path: it is shown as it was typed.
        faults: What is wrong, by path.
        existing: Whether the document is there already: its immutable fields are then fixed.
        sends: What the button says that sends it.
    """

    form: Field
    document: Json
    open: Collection[Path] = frozenset()
    options: Mapping[Path, int] = field(default_factory=dict)
    texts: Mapping[Path, str] = field(default_factory=dict)
    faults: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    existing: bool = False
    sends: str = "Save"


def rows_of(state: FormState) -> list[FormRow]:
    """The rows from the first field to the two buttons."""
    rows = [*_faults(state, (), state.form, 0)]
    for each in state.form.fields:
        rows.extend(_of(state, each, (each.name,), 0, each.label))
    if not state.form.fields:
        rows.extend(_of(state, state.form, (), 0, state.form.label or "value"))
    rows.append(FormRow("save", (), state.form, 0, state.sends))
    rows.append(FormRow("cancel", (), state.form, 0, "Cancel"))
    return rows


def option_of(field: Field, value: Json | Missing, chosen: int | None) -> Field:
    """Which option of a union a value is: of several the one that was chosen, and so of none."""
    fitting = [each for each in field.options if _fits(each, value)]
    option = field.options[chosen if chosen is not None and chosen < len(field.options) else 0]
    return option if option in fitting or not fitting else fitting[0]


def _fits(field: Field, value: Json | Missing) -> bool:
    match field.sort, value:
        case "object", dict():
            # Of several kinds of objects it is the one whose fields it has.
            return {each.name for each in field.fields} >= value.keys()
        case "choice", _:
            return value in field.choices
        case ("text", str()) | ("boolean", bool()) | (("list" | "items"), list()):
            return True
        case (("integer" | "number"), int() | float()):
            return not isinstance(value, bool)
    return False


def _of(state: FormState, field: Field, path: Path, depth: int, label: str) -> Iterator[FormRow]:
    if not isinstance(field.constant, Missing):
        return
    value = value_at(state.document, path)
    fixed = field.immutable and state.existing
    match field.sort:
        case "object":
            yield from _group(state, field, path, depth, label)
        case "list":
            yield from _list(state, field, path, depth, label)
        case "union":
            yield from _union(state, field, path, depth, label)
        case _:
            text = state.texts.get(path)
            told = shown(field, value) if text is None else text
            given = text is not None or value is not MISSING
            yield FormRow(
                "value", path, field, depth, label, told or placeholder(field), given, fixed=fixed
            )
            yield from _faults(state, path, field, depth)


def _group(state: FormState, field: Field, path: Path, depth: int, label: str) -> Iterator[FormRow]:
    value = value_at(state.document, path)
    opened = path in state.open
    told = "" if opened else _summary(field, value) or "not set"
    yield FormRow("group", path, field, depth, label, told, value is not MISSING, opened)
    yield from _faults(state, path, field, depth, deep=not opened)
    if opened:
        for each in field.fields:
            yield from _of(state, each, (*path, each.name), depth + 1, each.label)


def _list(state: FormState, field: Field, path: Path, depth: int, label: str) -> Iterator[FormRow]:
    value = value_at(state.document, path)
    items = value if isinstance(value, list) else []
    opened = path in state.open
    told = f"{len(items)}" if items else "none"
    yield FormRow("list", path, field, depth, label, told, bool(items), opened)
    yield from _faults(state, path, field, depth, deep=not opened)
    if not opened or field.item is None:
        return
    for number, item in enumerate(items):
        yield from _item(state, field.item, item, (*path, number), depth + 1)
    yield FormRow("add", path, field, depth + 1, "+ add")


def _item(state: FormState, field: Field, value: Json, path: Path, depth: int) -> Iterator[FormRow]:
    opened = path in state.open
    inner = option_of(field, value, state.options.get(path)) if field.options else field
    told = _summary(inner, value) or "empty"
    label = f"{int(path[-1]) + 1}"
    yield FormRow("item", path, field, depth, label, told, True, opened)
    yield from _faults(state, path, field, depth, deep=not opened)
    if opened:
        yield from _within(state, field, inner, path, depth + 1)


def _within(
    state: FormState, field: Field, inner: Field, path: Path, depth: int
) -> Iterator[FormRow]:
    """What an opened item shows: which option it is, and the fields of that."""
    if field.options:
        yield _choosing(field, inner, path, depth)
    if inner.fields:
        for each in inner.fields:
            yield from _of(state, each, (*path, each.name), depth, each.label)
    else:
        yield from (each for each in _of(state, inner, path, depth, inner.label)
                    if each.part != "fault")  # fmt: skip


def _union(state: FormState, field: Field, path: Path, depth: int, label: str) -> Iterator[FormRow]:
    value = value_at(state.document, path)
    opened = path in state.open
    inner = option_of(field, value, state.options.get(path))
    told = "" if opened else _summary(inner, value) or "not set"
    yield FormRow("group", path, field, depth, label, told, value is not MISSING, opened)
    yield from _faults(state, path, field, depth, deep=not opened)
    if opened:
        yield from _within(state, field, inner, path, depth + 1)


def _choosing(field: Field, inner: Field, path: Path, depth: int) -> FormRow:
    names = _told_apart([each.label for each in field.options])
    choice = Field("as", "choice", choices=names, description="Which of these it is.")
    name = names[next(n for n, each in enumerate(field.options) if each is inner)]
    return FormRow("value", (*path, OPTION), choice, depth, "as", name, given=True)


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with their numbers where several are the same: one is picked by its name."""
    times = Counter(names)
    told: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        own = name if times[name] == 1 else f"{name} {number}"
        while own in told or (own != name and own in times):
            own += "'"
        told[own] = None
    return tuple(told)


# The step under which the choice of an option stands; no document has it.
OPTION = "\x00as"


def _summary(field: Field, value: Json | Missing) -> str:
    """What tells an object from its neighbours: the values of its first fields that say something.

    Of a secret, that there is one.
    """
    if isinstance(value, Missing):
        return ""
    if not isinstance(value, dict) or not field.fields:
        return shown(field, value)
    told = [_told(each, value[each.name]) for each in field.fields if each.name in value]
    return "  ".join([each for each in told if each][:_SUMMARY_FIELDS])


def _told(field: Field, value: Json) -> str:
    if field.script or field.sort in ("json", "list", "any"):
        return ""
    return _summary(field, value) if field.sort == "object" else shown(field, value)


def _faults(
    state: FormState, path: Path, field: Field, depth: int, *, deep: bool = False
) -> Iterator[FormRow]:
    """What is wrong here; with ``deep``, what is wrong below too, since that is not shown."""
    for number, detail in enumerate(state.faults.get(path, ())):
        yield FormRow("fault", (*path, number), field, depth, "", detail)
    if not deep:
        return
    for below, details in state.faults.items():
        if below[: len(path)] == path and below != path:
            where = written(below[len(path) :])
            for detail in details:
                yield FormRow("fault", below, field, depth, "", f"{where}: {detail}")

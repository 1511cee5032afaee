"""What becomes of a form when something is typed, chosen, added, moved or sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from services.json_text import Json
from tui.views.forms.checks import checked, placed
from tui.views.forms.documents import (
    MISSING,
    Missing,
    Path,
    moved,
    value_at,
    with_item,
    with_value,
    without_value,
)
from tui.views.forms.fields import Field, constants
from tui.views.forms.rows import OPTION, FormRow, FormState, option_of
from tui.views.forms.texts import Refused, value_of

Kept = TypeVar("Kept")


def begun(form: Field, document: Json | None = None, *, existing: bool = False) -> FormState:
    """A form as it is opened.

    Args:
        document: What there is already; None: nothing, a new document begins with its constants.
        existing: Whether the document is stored: immutable fields are then fixed.
    """
    filled = constants(form) if document is None else document
    state = FormState(form, filled, existing=existing)
    return replace(state, open=frozenset(_opened_with(form, ())) - {()})


def typed(state: FormState, row: FormRow, text: str) -> FormState:
    """``text`` as the value of a row; what is no value of it stays as it was typed, with why."""
    if row.path and row.path[-1] == OPTION:
        return _as_option(state, row.path[:-1], row.field.choices.index(text))
    try:
        value = value_of(row.field, text)
    except Refused as refused:
        return replace(
            state,
            texts={**state.texts, row.path: text},
            faults={**state.faults, row.path: (str(refused),)},
        )
    return valued(state, row.path, value)


def valued(state: FormState, path: Path, value: Json | Missing) -> FormState:
    """``value`` at ``path``, or nothing there; what was wrong with it is void."""
    document = (
        without_value(state.document, path)
        if isinstance(value, Missing)
        else with_value(state.document, path, value)
    )
    return replace(
        state,
        document=document,
        texts=_elsewhere(state.texts, path),
        faults=_elsewhere(state.faults, path),
    )


def cleared(state: FormState, row: FormRow) -> FormState:
    """Without what stands in a row; an item is taken out of its list."""
    if row.part == "item":
        return removed(state, row.path)
    if row.fixed or not row.path or row.path[-1] == OPTION:
        return state
    if isinstance(row.path[-1], int):
        # An item that is a plain value stays an item.
        return state
    return valued(state, row.path, MISSING)


def toggled(state: FormState, row: FormRow) -> FormState:
    """The other truth than what is there, or holds without it."""
    value = value_at(state.document, row.path)
    now = row.field.default if isinstance(value, Missing) else value
    return valued(state, row.path, now is not True)


def folded(state: FormState, path: Path) -> FormState:
    """What is below ``path`` shown, or no longer."""
    if path in state.open:
        return replace(state, open=frozenset(state.open) - {path})
    field = field_at(state, path)
    return replace(state, open=frozenset(state.open).union(_opened_with(field, path)))


def unfolded_to(state: FormState, path: Path) -> FormState:
    """All that is around ``path`` shown."""
    around = {path[:length] for length in range(1, len(path))}
    return replace(state, open=frozenset(state.open) | around)


def added(state: FormState, path: Path) -> tuple[FormState, Path]:
    """A new item at the end of the list at ``path``, opened; and where it is."""
    items = value_at(state.document, path)
    index = len(items) if isinstance(items, list) else 0
    return _put_in(state, path, index, _empty(field_at(state, (*path, index))))


def duplicated(state: FormState, path: Path) -> tuple[FormState, Path]:
    """The item at ``path`` once more, after itself; and where that is."""
    item = value_at(state.document, path)
    if isinstance(item, Missing) or not isinstance(path[-1], int):
        return state, path
    return _put_in(state, path[:-1], path[-1] + 1, item)


def removed(state: FormState, path: Path) -> FormState:
    """Without the item at ``path``; the last one takes its list with it."""
    index = path[-1]
    document = without_value(state.document, path)
    if value_at(document, path[:-1]) == []:
        document = without_value(document, path[:-1])
    state = replace(state, document=document)
    return _renumbered(
        state, path[:-1], lambda each: None if each == index else each - (each > int(index))
    )


def shifted(state: FormState, path: Path, by: int) -> tuple[FormState, Path]:
    """The item at ``path`` moved within its list; and where it is then."""
    document, there = moved(state.document, path, by)
    if there == path:
        return state, path
    start, end = int(path[-1]), int(there[-1])

    def renumber(each: int) -> int:
        if each == start:
            return end
        if start < each <= end:
            return each - 1
        return each + 1 if end <= each < start else each

    return _renumbered(replace(state, document=document), path[:-1], renumber), there


def sent(state: FormState) -> FormState:
    """The form with all that it finds wrong; without faults, its document may be sent."""
    faults = {path: state.faults.get(path, ()) for path in state.texts}
    return refused(state, {**checked(state.form, state.document), **faults})


def refused(state: FormState, faults: Mapping[Path, tuple[str, ...]]) -> FormState:
    """The form with ``faults``, and shown what they are about."""
    state = replace(state, faults=dict(faults))
    for path in faults:
        state = unfolded_to(state, path)
    return state


def refused_by(state: FormState, faults: Iterable[tuple[str, str]]) -> FormState:
    """As :func:`refused`, with the path and the detail of each as a service tells them."""
    return refused(state, placed(state.form, state.document, faults))


def marked_by(state: FormState, faults: Iterable[tuple[str, str]]) -> FormState:
    """The form with what a service says is wrong, as one goes: what is folded stays so."""
    own = {path: state.faults[path] for path in state.texts if path in state.faults}
    return replace(state, faults={**placed(state.form, state.document, faults), **own})


def field_at(state: FormState, path: Path) -> Field:
    """The field at ``path``; what is unknown is written as JSON."""
    field = state.form
    for length, each in enumerate(path, 1):
        if field.options:
            around = path[: length - 1]
            value = value_at(state.document, around)
            field = option_of(field, value, state.options.get(around))
        inner = field.item if isinstance(each, int) else field.field(each)
        field = inner or Field(str(each), "any")
    return field


def _opened_with(field: Field, path: Path) -> Iterable[Path]:
    """What is opened with a row: itself, and in it what must be filled in."""
    yield path
    for each in field.fields:
        if each.required and each.sort in ("object", "union"):
            yield from _opened_with(each, (*path, each.name))


def _as_option(state: FormState, path: Path, number: int) -> FormState:
    field = field_at(state, path)
    state = replace(state, options={**state.options, path: number})
    if path and isinstance(path[-1], int):
        return valued(state, path, _empty(field.options[number]))
    return valued(state, path, MISSING)


def _empty(field: Field) -> Json:
    """What a new item begins with."""
    field = field.options[0] if field.options else field
    match field.sort:
        case "object":
            return dict(constants(field))
        case "list" | "items":
            return []
        case _:
            return ""


def _put_in(state: FormState, path: Path, index: int, item: Json) -> tuple[FormState, Path]:
    there = (*path, index)
    state = _renumbered(state, path, lambda each: each + (each >= index))
    state = replace(state, document=with_item(state.document, path, index, item))
    field = field_at(state, there)
    opened = {path, *_opened_with(field, there)}
    return replace(state, open=frozenset(state.open) | opened), there


def _elsewhere(kept: Mapping[Path, Kept], path: Path) -> dict[Path, Kept]:
    """What does not stand at ``path`` or below it."""
    return {key: value for key, value in kept.items() if key[: len(path)] != path}


def _renumbered(state: FormState, path: Path, renumber: Callable[[int], int | None]) -> FormState:
    """The form after the items of the list at ``path`` have other numbers; None: it is gone."""
    depth = len(path)

    def again(key: Path) -> Path | None:
        if len(key) <= depth or key[:depth] != path or not isinstance(key[depth], int):
            return key
        number = renumber(int(key[depth]))
        return None if number is None else (*path, number, *key[depth + 1 :])

    def kept(known: Mapping[Path, Kept]) -> dict[Path, Kept]:
        return {new: value for key, value in known.items() if (new := again(key)) is not None}

    return replace(
        state,
        open=frozenset(new for key in state.open if (new := again(key)) is not None),
        options=kept(state.options),
        texts=kept(state.texts),
        faults=kept(state.faults),
    )

"""What is wrong with a form's document, and at which of its rows that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from services.json_text import Json
from tui.views.forms.documents import MISSING, Missing, Path, read_path, value_at
from tui.views.forms.fields import Field
from tui.views.forms.rows import option_of
from tui.views.forms.texts import faults_of

Faults = Mapping[Path, tuple[str, ...]]


def checked(form: Field, document: Json) -> Faults:
    """What a form can say by itself: what is missing, and values that are none of their field.

    Whoever keeps the document says the rest.
    """
    return gathered(_within(form, document, ()))


def gathered(faults: Iterable[tuple[Path, str]]) -> Faults:
    """Faults by their path; each of a path once."""
    found: dict[Path, tuple[str, ...]] = {}
    for path, detail in faults:
        known = found.get(path, ())
        found[path] = known if detail in known else (*known, detail)
    return found


def placed(form: Field, document: Json, faults: Iterable[tuple[str, str]]) -> Faults:
    """Faults of others, by the innermost field of each that the form has.

    Args:
        faults: Path, dotted or as a JSON Pointer, and detail.
    """
    return gathered(
        (_shown_path(form, document, read_path(path)), detail) for path, detail in faults
    )


def _shown_path(form: Field, document: Json, path: Path) -> Path:
    field, found = form, list[str | int]()
    for each in path:
        field = _option(field, value_at(document, tuple(found)))
        if isinstance(each, int):
            inner = field.item if field.sort == "list" else None
        else:
            inner = field.field(each)
        if inner is None or not isinstance(inner.constant, Missing):
            break
        found.append(each)
        field = inner
    return tuple(found)


def _option(field: Field, value: Json | Missing) -> Field:
    return option_of(field, value, None) if field.options else field


def _within(field: Field, value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    field = _option(field, value)
    wrong = [*faults_of(field, value)]
    yield from ((path, detail) for detail in wrong)
    if wrong:
        return
    if field.sort == "object" and isinstance(value, dict):
        for each in field.fields:
            inner = value.get(each.name, MISSING)
            if not isinstance(inner, Missing):
                yield from _within(each, inner, (*path, each.name))
            elif each.required and isinstance(each.constant, Missing):
                yield from _lacking(each, (*path, each.name))
    if field.sort == "list" and isinstance(value, list) and field.item is not None:
        for number, item in enumerate(value):
            yield from _within(field.item, item, (*path, number))


def _lacking(field: Field, path: Path) -> Iterator[tuple[Path, str]]:
    """What is missing is told where somebody can write it."""
    needed = [each for each in field.fields if each.required]
    if field.sort != "object" or not needed:
        yield path, "is required"
    else:
        yield from _within(field, {}, path)

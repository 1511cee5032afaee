"""Two changes of one document put together, where they do not meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.views.changes import same
from tui.views.forms.documents import MISSING, Missing, Path, written

if TYPE_CHECKING:
    from services.json_text import Json


def merged(base: Json, theirs: Json, mine: Json) -> tuple[Json, list[str]]:
    """Both changes of ``base``, and the paths at which they meet: there it has mine."""
    meeting: list[str] = []
    found = _merged(base, theirs, mine, (), meeting)
    return ({} if isinstance(found, Missing) else found), meeting


def _merged(
    base: Json | Missing,
    theirs: Json | Missing,
    mine: Json | Missing,
    path: Path,
    meeting: list[str],
) -> Json | Missing:
    if _equal(theirs, mine) or _equal(base, theirs):
        return mine
    if _equal(base, mine):
        return theirs
    match base, theirs, mine:
        case dict(), dict(), dict():
            return _objects(base, theirs, mine, path, meeting)
        case list(), list(), list() if len(base) <= min(len(theirs), len(mine)):
            return _lists(base, theirs, mine, path, meeting)
    meeting.append(written(path) or "the whole")
    return mine


def _objects(
    base: dict[str, Json], theirs: dict[str, Json], mine: dict[str, Json], path: Path,
    meeting: list[str],
) -> Json:  # fmt: skip
    found: dict[str, Json] = {}
    for name in dict.fromkeys((*theirs, *mine)):
        one, two, three = (each.get(name, MISSING) for each in (base, theirs, mine))
        value = _merged(one, two, three, (*path, name), meeting)
        if not isinstance(value, Missing):
            found[name] = value
    return found


def _lists(
    base: list[Json], theirs: list[Json], mine: list[Json], path: Path, meeting: list[str]
) -> Json:
    """Item by item, and then what each side has added.

    An item that both have changed may be another one by now: the changes meet there.
    """
    found: list[Json] = []
    for index, item in enumerate(base):
        if same(item, mine[index]):
            found.append(theirs[index])
            continue
        if not same(item, theirs[index]) and not same(theirs[index], mine[index]):
            meeting.append(written((*path, index)))
        found.append(mine[index])
    added = [each for each in theirs[len(base) :] if not any(same(each, own) for own in mine)]
    return [*found, *mine[len(base) :], *added]


def _equal(one: Json | Missing, two: Json | Missing) -> bool:
    if isinstance(one, Missing) or isinstance(two, Missing):
        return one is two
    return same(one, two)

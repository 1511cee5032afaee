"""Places of the console as text: what is typed after ``:``, and what can be handed to a colleague.

executions status:failed wf:order*      a list with a filter
executions/9f2c…e1/graph                a record, and one of its tabs
executions/9f2c…e1/timeline charge      a part of that tab: a task
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

ID_LENGTH = 36
# Stands for what is left out of an id, as lists shorten it.
_GAP = "\N{HORIZONTAL ELLIPSIS}"
_PART_OF_ID = re.compile(rf"[0-9a-f-]+{_GAP}?[0-9a-f-]*|{_GAP}[0-9a-f-]+", re.IGNORECASE)
# Of what is shorter, several that have it are no answer.
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Address:
    """A place.

    Attributes:
        resource: A name or an alias.
        id: Of a record; empty: the list.
        tab: One of the record's; empty: the first.
        query: The list's filter; of a record, what in its tab is meant, e.g. a task.
    """

    resource: str
    id: str = ""
    tab: str = ""
    query: str = ""

    def __str__(self) -> str:
        rest = [quoted(part) for part in (self.id, self.tab) if part]
        place = "/".join([self.resource, *rest])
        return f"{place} {self.query}" if self.query else place


def quoted(part: str) -> str:
    """An id or a tab as it stands in an address."""
    return quote(part, safe=":@.-_~")


@dataclass(frozen=True, slots=True)
class Alike:
    """Ids that have something in common.

    Attributes:
        how: What they do with what is written, in words: ``begin with``.
        pattern: What they are of, with ``*``: ``9f2c*``.
        ids: In the order in which they were known.
    """

    how: str
    pattern: str
    ids: list[str]


def alike(written: str, known: Iterable[str]) -> list[Alike]:
    """Ids that begin with what is written, those that end with it, and those that hold it.

    Where ``…`` is in it, it stands for what is left out: ``9f2c…``, ``…868c0``, ``9f2c…868c0``.
    """
    before, gap, after = written.casefold().partition(_GAP)
    near = [id_ for id_ in known if before in id_.casefold()]
    found = []
    for how, begin, end in _readings(before, gap, after):
        ids = [id_ for id_ in near if _is_between(begin, end, id_.casefold())]
        taken = set(ids)
        near = [id_ for id_ in near if id_ not in taken]
        found.append(Alike(how, f"{begin}*{end}", ids))
    if not gap:
        found.append(Alike("hold", f"*{before}*", near))
    return found


def _readings(before: str, gap: str, after: str) -> list[tuple[str, str, str]]:
    """How ids may begin and end for what is written of them, and that in words."""
    begin, end = ("begin with", before, ""), ("end with", "", after or before)
    if not gap:
        return [begin, end]
    if before and after:
        return [("are like", before, after)]
    return [begin if before else end]


def _is_between(begin: str, end: str, text: str) -> bool:
    return text.startswith(begin) and text.endswith(end) and len(text) >= len(begin) + len(end)


def meant_by(written: str, known: Iterable[str]) -> Alike:
    """Which ids a part of one means that were made, not given; it alone, where it means none.

    Those that begin with it, else those that end with it, else those that hold it. Names are
    written in full: another one that begins so may be there and not known yet.
    """
    itself = Alike("are", written, [written])
    if not _PART_OF_ID.fullmatch(written) or (len(written) >= ID_LENGTH and _GAP not in written):
        return itself
    for each in alike(written, (id_ for id_ in known if len(id_) == ID_LENGTH)):
        if len(each.ids) == 1 or (each.ids and len(written) >= _LEAST):
            return each
    return itself


def parse(text: str) -> Address:
    """``text`` as an address; whether there is such a place it cannot tell."""
    place, _, query = text.strip().partition(" ")
    resource, _, rest = place.partition("/")
    id_, _, tab = rest.partition("/")
    return Address(resource, unquote(id_), unquote(tab), query.strip())

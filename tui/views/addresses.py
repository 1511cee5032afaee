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
_PART_OF_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,34}")


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


def begun_with(id_: str, known: Iterable[str]) -> list[str]:
    """Which ids ``id_`` means that were made, not given: it, or those that begin with it.

    Names are written in full: another one that begins so may be there and not known yet.
    """
    if not _PART_OF_ID.fullmatch(id_):
        return [id_]
    found = [each for each in known if each.startswith(id_) and len(each) == ID_LENGTH]
    return found or [id_]


def parse(text: str) -> Address:
    """``text`` as an address; whether there is such a place it cannot tell."""
    place, _, query = text.strip().partition(" ")
    resource, _, rest = place.partition("/")
    id_, _, tab = rest.partition("/")
    return Address(resource, unquote(id_), unquote(tab), query.strip())

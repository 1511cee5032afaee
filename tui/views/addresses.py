"""Places of the console as text: what is typed after ``:``, and what can be handed to a colleague.

executions status:failed wf:order*      a list with a filter
executions/9f2c…e1/graph                a record, and one of its tabs
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote


@dataclass(frozen=True, slots=True)
class Address:
    """A place.

    Attributes:
        resource: A name or an alias.
        id: Of a record; empty: the list.
        tab: One of the record's; empty: the first.
        query: The list's filter.
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


def parse(text: str) -> Address:
    """``text`` as an address; whether there is such a place it cannot tell."""
    place, _, query = text.strip().partition(" ")
    resource, _, rest = place.partition("/")
    id_, _, tab = rest.partition("/")
    return Address(resource, unquote(id_), unquote(tab), query.strip())

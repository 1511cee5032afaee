"""What the pages of the configuration share: who asks, with what, and how they are answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec

from services.edge.bodies import aside, read_body
from services.edge.call import JSON, Answer, Call
from services.edge.management.callers import caller_of
from services.edge.management.configuration.documents import Document, Kept, View, schemas_named
from services.edge.management.configuration.registry import Registry
from services.edge.mapping import check_content_type, parse_body
from services.edge.query import parse_query
from services.edge.schemas import SchemaUse
from services.errors import InvalidRequest

if TYPE_CHECKING:
    from services.edge.management.pages import Management

P = ParamSpec("P")

# Every route has its own copy of a schema that it names, and thousands may name the same.
_MOST_COPIED_CHARS = 16 * 1024 * 1024
_HEADERS = (JSON, (b"cache-control", b"no-store"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose caller is known.

    Attributes:
        registry: Asked in the caller's name.
        query: The query's fields, as text.
    """

    call: Call
    management: Management
    registry: Registry
    query: dict[str, str]

    async def body(self) -> Any:
        """The JSON that was sent.

        Raises:
            Problem: 400 for what is no JSON, 413, 415; 408 when it stops coming.
        """
        check_content_type(self.call.header.get(b"content-type"))
        body = await read_body(self.call, self.management.body_limits)
        return await aside(len(body), parse_body, body)

    async def document(self, what: str) -> Document:
        """As :meth:`body`, of an object. Raises :class:`InvalidRequest` too."""
        body = await self.body()
        if not isinstance(body, dict):
            raise InvalidRequest(f"The body must be a JSON object: {what}.")
        return body

    def wanted(self, name: str) -> str:
        """A field of the query. Raises :class:`InvalidRequest` where it is missing."""
        value = self.query.get(name)
        if not value:
            raise InvalidRequest(f"The query must have {name}=….")
        return value

    async def view(self, *services: Kept) -> View:
        """What is shown of these services beside their documents.

        Schemas whose copies would make the answer too large are known by their names only.
        """
        named = await aside(sum(each.size for each in services), _schemas_named, services)
        room, known = _MOST_COPIED_CHARS, dict[SchemaUse, str]()
        for use, times in named.items():
            text = self.management.definitions.schema(use)
            if text is not None and times * len(text) <= room:
                room -= times * len(text)
                known[use] = text
        return View(self.management.public_url, known, _MOST_COPIED_CHARS - room)


def asked(call: Call, management: Management) -> Asked:
    """The request, of a caller with a token that holds.

    Raises:
        Problem: 401; 400 or 422 for a query that cannot be read.
    """
    registry = Registry(
        management.registry, caller_of(call, management), management.turns, management.written
    )
    return Asked(call, management, registry, parse_query(call.query))


def of_id(body: Document, wanted: str) -> Document:
    """``body`` with the id that the path has.

    Raises:
        InvalidRequest: It has another.
    """
    if body.get("id") not in (None, "", wanted):
        raise InvalidRequest(f"The body's id must be '{wanted}', as in the path, or left out.")
    return {**body, "id": wanted}


def _schemas_named(services: Sequence[Kept]) -> Counter[SchemaUse]:
    return Counter(use for each in services for use in schemas_named(each.document))


async def answered(size: int, show: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> Answer:
    """200 with what ``show`` makes of documents of ``size`` bytes, as JSON."""

    def text() -> bytes:
        return json.dumps(show(*args, **kwargs), ensure_ascii=False).encode()

    return Answer(200, await aside(size, text), _HEADERS)


def done(text: str = "") -> Answer:
    """200 with a sentence, or with nothing."""
    return Answer(200, text.encode(), ((b"content-type", b"text/plain; charset=utf-8"),))

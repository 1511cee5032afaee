"""What the pages share: who asks, with what, whom it is put to, and how it is answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from services import rpc
from services.edge.bodies import aside, read_body
from services.edge.call import JSON, TEXT, Answer, Call
from services.edge.management.callers import caller_of
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.reading import Query, read_query
from services.edge.management.conductor.stubs import Stubs
from services.edge.management.configuration.registry import Registry
from services.edge.mapping import parse_body
from services.edge.problems import Problem
from services.errors import DeadlineExceeded, Unavailable

if TYPE_CHECKING:
    from services.edge.management.pages import Management

T = TypeVar("T")
Document = dict[str, Any]

# A service that was killed serves again after a second or so.
_SECONDS = 20.0
_UNSTORED = (b"cache-control", b"no-store")
_HEADERS = (JSON, _UNSTORED)
_PLAIN = b"identity"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose caller is known.

    Attributes:
        application_id: The caller, in whose name services are asked: they judge what it may do.
        registry: Definitions, asked so.
    """

    call: Call
    management: Management
    application_id: str
    query: Query
    registry: Registry

    @property
    def stubs(self) -> Stubs:
        """For :meth:`ask`."""
        return self.management.stubs

    async def ask(
        self, method: Callable[..., Awaitable[T]], request: object, seconds: float = _SECONDS
    ) -> T:
        """What a service answers to the caller. A service that is away is waited for.

        Raises:
            ServiceError: What the service says; Unavailable: it did not answer in time.
        """
        try:
            with rpc.raising_ours():
                return await method(
                    request,
                    metadata=rpc.on_behalf_of(self.application_id),
                    timeout=seconds,
                    wait_for_ready=True,
                )
        except DeadlineExceeded:
            raise Unavailable("The service did not answer in time.") from None

    async def bytes(self) -> bytes:
        """The body as it was sent.

        Raises:
            Problem: 413; 408 when it stops coming; 415 where it is compressed.
        """
        if self.call.header.get(b"content-encoding", _PLAIN).lower() != _PLAIN:
            detail = "A compressed body is not read here: send it without Content-Encoding."
            raise Problem("unsupported-media-type", detail, headers=((b"accept-encoding", _PLAIN),))
        return await read_body(self.call, self.management.body_limits)

    async def body(self) -> Any:
        """The JSON that was sent, whatever it is said to be; None: nothing was.

        Raises:
            Problem: 400 for what is no JSON, and as :meth:`bytes`.
        """
        body = await self.bytes()
        return await aside(len(body), parse_body, body) if body.strip() else None

    async def document(self, what: str) -> Document:
        """As :meth:`body`, of an object; none at all is an empty one.

        Raises:
            InvalidRequest: It is none: ``what`` is told.
        """
        return await self.read(what, lambda document: document)

    async def read(self, what: str, make: Callable[[Document], T]) -> T:
        """What ``make`` makes of :meth:`document`: with it, where it is large, beside the loop."""
        body = await self.bytes()

        def made() -> T:
            document = parse_body(body) if body.strip() else None
            if document is not None and not isinstance(document, dict):
                raise refused("", f"The body must be a JSON object: {what}")
            return make(document or {})

        return await aside(len(body), made)

    async def items(self, what: str) -> list[Any]:
        """As :meth:`body`, of a list. Raises :class:`InvalidRequest` too."""
        body = await self.body()
        if not isinstance(body, list):
            raise refused("", f"The body must be a JSON list: {what}")
        return body


def asked(call: Call, management: Management) -> Asked:
    """The request, of a caller with a token that holds.

    Raises:
        Problem: 401; 400 for a query that cannot be read.
    """
    application_id = caller_of(call, management)
    registry = Registry(management.registry, application_id, management.turns, management.written)
    return Asked(call, management, application_id, read_query(call.query), registry)


async def shown(size: int, make: Callable[[], Any], status: int = 200) -> Answer:
    """What ``make`` makes of documents of ``size`` bytes, as JSON."""

    def text() -> bytes:
        return json.dumps(make(), ensure_ascii=False, separators=(",", ":")).encode()

    return Answer(status, await aside(size, text), _HEADERS)


async def shown_text(size: int, make: Callable[[], str]) -> Answer:
    """As :func:`shown`, of what ``make`` puts together as JSON text."""
    return Answer(200, await aside(size, lambda: make().encode()), _HEADERS)


def as_json(value: Any, status: int = 200) -> Answer:
    """Something small."""
    return json_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), status)


def json_text(text: str, status: int = 200) -> Answer:
    """JSON that is text already."""
    return Answer(status, text.encode(), _HEADERS)


def as_text(text: str) -> Answer:
    """200 with an id or a sentence, which Conductor's clients take as it is."""
    return Answer(200, text.encode(), (TEXT, _UNSTORED))


def nothing() -> Answer:
    """200 without a body: what Conductor answers where there is nothing to say."""
    return Answer(200, b"", (_UNSTORED,))

"""A request on its way through the stages, and the answer at the end of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from services.edge.auth.model import Caller
from services.edge.routes import Route
from services.json_text import Json
from services.tracing import Trace

if TYPE_CHECKING:
    from services.edge.watched import Watched

Headers = tuple[tuple[bytes, bytes], ...]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Left = Callable[[], Awaitable[None]]
"""What is done when the client of an answer that goes on has left."""

JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; charset=utf-8")


class Gone(Exception):
    """The client has left; nobody waits for an answer."""


class Exchanged(Protocol):
    """What the server keeps of a request; see :class:`services.edge.cycle.Cycle`."""

    on_gone: Callable[[], None] | None
    disconnected: bool
    began: float

    @property
    def body_is_here(self) -> bool:
        """Whether to receive it is not to wait."""

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Write the whole answer."""

    async def stream(self, status: int, headers: Headers, stream: Stream) -> None:
        """Write an answer that goes on, until it ends, its client leaves or this edge ends."""

    def break_off(self) -> None:
        """Close, so that the client sees that the answer is not whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The body of an answer that goes on.

    Attributes:
        chunks: What is written, each when it is there; ended where the stream is ended.
        idle: Written when nothing else was for a while.
        seconds: How long it may go on.
        closed: Called once at its end, whatever it was.
        end: Has it end soon, where it has something to say before; None: it is ended at once.
        still: Whether its reader may still have it, asked every second; None: nobody asks.
    """

    chunks: AsyncGenerator[bytes]
    idle: bytes
    seconds: float
    closed: Callable[[], Awaitable[None]]
    end: Callable[[], None] | None = None
    still: Callable[[], bool] | None = None


class Sent(Protocol):
    """What was asked of the executor; see :class:`services.edge.exchange.Exchange`."""

    accepted: bool

    @property
    def goes_on(self) -> bool:
        """Whether it was waited for no longer before it had a result."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; the endpoint adds the request's id, the execution's and the length.

    Attributes:
        stream: The body where it is not known yet, in place of ``body``.
    """

    status: int
    body: bytes = b""
    headers: Headers = ()
    stream: Stream | None = None


class Follow(Protocol):
    """Makes an answer that goes on, or what stands for it, of an execution that runs."""

    def __call__(self, watched: Watched, left: Left | None) -> Answer: ...


@dataclass(slots=True)
class Call:
    """One request, and what the stages have found out about it.

    Attributes:
        raw_path: As sent, without the query.
        query: As sent, without its ``?``.
        headers: As sent, names in lower case, in order.
        header: The first of each name.
        cycle: Says when the client leaves, and takes the answer.
        certificate: Whose the client has shown, verified by the listener; None: it asks for none.
        address: The client's, without the port; empty where there is no connection of its own.
        request_id: The client's own, if it is a sound one.
        trace: What it belongs to; None: to nothing that is known.
        parent_span: The caller's span there, where this call has one of its own.
        segments: The path, decoded by segment.
        parameters: The path's parameters, by name.
        idempotency: What it is known by, so that it is done once; empty: by nothing. No answer is
            to be taken from, or kept in, a cache where it is known.
        body: All of it.
        query_fields: The query's fields, of their types where the route declares them.
        document: The body, read.
        callback_url: Whom the caller wants told of the end, where the route lets it say so.
        input: JSON text of the workflow's input.
        execution_id: Once there is, or may be, an execution.
        shared_headers: Of the answer, whatever it will be.
        exchange: What is known of that execution, once it was asked for.
        cache_state: hit, miss, collapsed (another's execution was waited for) or bypass; empty
            where nothing is kept.
        place: Service, method and path template that it is counted under where it found no route.
        answers_for: Service, and method and path template, whose execution the answer is of, where
            that is not its own.
        problem: The name of the problem that it was answered with.
        outcome: How its execution has ended, ``unknown`` where the answer does not tell; empty
            where there is none.
        answered_at: When an answer began that goes on: seconds, monotonic; else 0.
        follow: Takes an execution whose progress is to be told in another way than by events.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    header: dict[bytes, bytes]
    receive: Receive
    cycle: Exchanged
    certificate: Mapping[str, Json] | None = None
    address: str = ""
    request_id: str = ""
    trace: Trace | None = None
    parent_span: str = ""
    segments: tuple[str, ...] = ()
    route: Route | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    idempotency: bytes = b""
    body: bytes = b""
    query_fields: Mapping[str, Json] = field(default_factory=dict)
    document: Json = None
    callback_url: str = ""
    input: str = ""
    execution_id: str = ""
    shared_headers: Headers = ()
    exchange: Sent | None = None
    cache_state: str = ""
    place: tuple[str, str, str] | None = None
    answers_for: tuple[str, str] | None = None
    problem: str = ""
    outcome: str = ""
    answered_at: float = 0.0
    follow: Follow | None = None

    def let_go(self) -> None:
        """Of what was sent: what is large, once nobody asks for it any more."""
        self.body, self.document, self.input = b"", None, ""


def call_of(scope: Mapping[str, Any], receive: Receive) -> Call:
    """The request that an ASGI ``scope`` of type http describes."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    # Backwards, so that the first of a name stays.
    header = dict(reversed(headers))
    return Call(
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        headers,
        header,
        receive,
        scope["podium.cycle"],
        scope.get("podium.certificate"),
        (scope.get("client") or ("",))[0],
    )


def route_of(call: Call) -> Route:
    """The route, which was found."""
    assert call.route is not None, "the route stage comes first"
    return call.route


def caller_of(call: Call) -> Caller:
    """Who calls, which was proven."""
    assert call.caller is not None, "the authenticate stage comes first"
    return call.caller

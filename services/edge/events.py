"""Server-sent events of an execution (HTML Living Standard §9.2): its progress, then its answer.

``progress`` tells where it stands; ``result`` or ``error`` is what the route answers, and the
last. An ``id`` leads whoever was cut off to the rest; after the end, to 204, by which a client
knows that nothing more will come.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from services.edge import answers
from services.edge.accepts import EVENTS, prefers_events
from services.edge.admitted import still_admitted
from services.edge.call import Answer, Call, Left, Stream
from services.edge.endpoint import of_problem, problem_of
from services.edge.places import Place, read_place
from services.edge.problems import Problem
from services.edge.progress import Ended, Mark, Step, Update, follow
from services.edge.watched import Followed, Watched
from services.errors import ServiceError

if TYPE_CHECKING:
    from services.edge.gateway import Gateway
    from services.edge.streams import Slot

logger = logging.getLogger(__name__)

IDLE = b":\n\n"
# An edge that is started again serves by then.
_OPENING = b"retry: 2000\n\n"
_MOST_STEPS = 100
_LINES = re.compile(rb"\r\n|\n|\r")


async def get_execution(call: Call, gateway: Gateway, execution_id: str) -> Answer:
    """``GET /-/executions/{id}?t=…``, as events where those are preferred."""
    if call.method == "HEAD" or not prefers_events(call.headers):
        return await answers.get_execution(call, gateway, execution_id)
    known = await answers.known_at(call, gateway, execution_id)
    place = read_place(call.header.get(b"last-event-id"))
    if place is None or place.execution_id != execution_id:
        place = Place(execution_id)
    return resumed(call, gateway, known, place)


async def resume(call: Call, gateway: Gateway) -> Answer | None:
    """Events of an execution that a call of this route has started, by ``Last-Event-ID``.

    A client that was cut off asks as it did at first. Were that a new execution, it would have
    two; so an id of ours is never one.

    Raises:
        Problem: As :func:`answers.known_by`.
    """
    if b"last-event-id" not in call.header or not prefers_events(call.headers):
        return None
    place = read_place(call.header[b"last-event-id"])
    if place is None:
        return None
    known = await answers.known_by(call, gateway, place.execution_id, place.link)
    return resumed(call, gateway, known, place)


def resumed(call: Call, gateway: Gateway, known: answers.Known, place: Place) -> Answer:
    """What follows ``place``."""
    if place.ended:
        return Answer(204)
    half = known.half
    watched = Watched(
        Followed(place.execution_id, half.await_refs, known.application_id),
        half.response,
        gateway.links.location(place.execution_id, known.auth_id),
        half.public,
    )
    slot = gateway.streams.take(half.principal)
    return streamed(call, gateway, slot, watched, place=place)


def streamed(
    call: Call,
    gateway: Gateway,
    slot: Slot,
    watched: Watched,
    left: Left | None = None,
    *,
    place: Place | None = None,
) -> Answer:
    """The answer that goes on with events, all or those after ``place``.

    Args:
        slot: Its room; it is given back at the end.
        left: Called if the client leaves before the end.
    """
    place = replace(place or Place(watched.followed.execution_id), link=_link(watched))
    teller = _Teller(call, gateway, watched, place)

    async def closed() -> None:
        slot.release()
        if left is not None and call.cycle.disconnected and not teller.place.ended:
            await left()

    still = partial(still_admitted, call, gateway)
    stream = Stream(teller.chunks(), IDLE, gateway.streams.seconds, closed, still=still)
    headers = (
        (b"content-type", EVENTS),
        (b"location", watched.location.encode()),
        (b"cache-control", b"no-store"),
        # nginx would hold it back to fill a buffer.
        (b"x-accel-buffering", b"no"),
    )
    return Answer(200, headers=headers, stream=stream)


def _link(watched: Watched) -> str:
    return watched.location.partition("?t=")[2] if watched.public else ""


class _Teller:
    """Tells one client.

    Attributes:
        place: What it has been told.
    """

    def __init__(self, call: Call, gateway: Gateway, watched: Watched, place: Place) -> None:
        self._call = call
        self._gateway = gateway
        self._watched = watched
        self.place = place

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The events, as bytes."""
        yield _OPENING
        followed, place = self._watched.followed, self.place
        since = None
        if place.epoch:
            since = Mark(place.epoch, place.revision, place.over, place.status)
        try:
            async with aclosing(follow(self._gateway.executor, followed, since)) as changes:
                async for told in changes:
                    if isinstance(told, Ended):
                        yield await self._end(told)
                    elif event := self._progress(told):
                        yield event
        except (Problem, ServiceError) as error:
            yield self._error(error)

    def _progress(self, update: Update) -> bytes:
        """The event; empty where it would say nothing new to this client."""
        told, exposed = self.place, self._watched.response.exposed
        same = update.status == told.status and update.progress in (None, told.progress)
        if same and not update.mark.over and not (exposed and update.steps):
            return b""
        self.place = replace(
            told,
            epoch=update.mark.epoch,
            revision=update.mark.revision,
            status=update.status,
            progress=told.progress if update.progress is None else update.progress,
            over=update.mark.over,
        )
        if same and not (exposed and update.steps):
            # Only the place is new: an id without data is no event (§9.2.6), and is kept.
            return b"id: %b\n\n" % str(self.place).encode()
        return self._event(b"progress", _encoded(self._document(update, exposed=exposed)))

    def _document(self, update: Update, *, exposed: bool) -> dict[str, Any]:
        document: dict[str, Any] = {
            "executionId": self.place.execution_id,
            "status": update.status,
        }
        if self.place.progress is not None:
            document["progress"] = _number(self.place.progress)
        if exposed:
            document["tasks"] = [_step(step) for step in update.steps[-_MOST_STEPS:]]
        return document

    async def _end(self, ended: Ended) -> bytes:
        if self._call.outcome:
            # It was begun by this call, and not by an earlier one that was cut off.
            self._call.outcome = answers.ending_of(ended.result, self.place.execution_id)
        try:
            answer = await answers.of_result(
                ended.result, self._watched.response, self._call, self._gateway
            )
        except (Problem, ServiceError) as error:
            return self._error(error)
        self.place = replace(self.place, ended=True)
        return self._event(b"result", _result(answer))

    def _error(self, error: Problem | ServiceError) -> bytes:
        problem = error if isinstance(error, Problem) else problem_of(error)
        if problem.kind not in _PASSING:
            self.place = replace(self.place, ended=True)
        return self._event(b"error", of_problem(self._call, problem).body)

    def _event(self, name: bytes, data: bytes) -> bytes:
        lines = b"".join(b"data: %b\n" % line for line in _LINES.split(data))
        return b"event: %b\nid: %b\n%b\n" % (name, str(self.place).encode(), lines)


# There is an answer; that it could not be made just now is not the end.
_PASSING = frozenset(("overloaded", "unavailable"))


def _step(step: Step) -> dict[str, Any]:
    document: dict[str, Any] = {"ref": step.ref, "kind": step.kind, "status": step.status}
    document["attempt"] = step.attempt
    if step.iteration:
        document["iteration"] = step.iteration
    if step.poll:
        document["poll"] = step.poll
    if step.progress is not None:
        document["progress"] = _number(step.progress)
    if step.reason:
        document["reason"] = step.reason
    return document


def _number(value: float) -> int | float:
    # As remotes write it: 40, not 40.0.
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _result(answer: Answer) -> bytes:
    """``{"status", "headers", "body"}``; JSON stays as it is, another body is text."""
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        key, text = name.decode(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    body = answer.body
    if b"json" not in headers.get("content-type", "").encode().lower():
        body = json.dumps(body.decode("utf-8", "replace")).encode() if body else b"null"
    head = json.dumps(headers, separators=(",", ":")).encode()
    return b'{"status":%d,"headers":%b,"body":%b}' % (answer.status, head, body)

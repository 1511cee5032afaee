"""What the pages of executions have in common: who is not there, and documents that are text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from services.edge.bodies import aside
from services.edge.call import JSON, Answer
from services.edge.management.conductor.asking import Asked
from services.edge.management.conductor.unknown import no_execution
from services.errors import NotFound

T = TypeVar("T")

_HEADERS = (JSON, (b"cache-control", b"no-store"))


async def of_execution(
    request: Asked,
    execution_id: str,
    method: Callable[..., Awaitable[T]],
    message: object,
    seconds: float = 20.0,
) -> T:
    """As :meth:`Asked.ask`, about an execution; in Conductor's words where there is none."""
    try:
        return await request.ask(method, message, seconds)
    except NotFound as error:
        if error.metadata.get("execution_id") != execution_id:
            raise
        raise no_execution(execution_id) from error


async def passed(pieces: Sequence[str]) -> Answer:
    """200 with JSON that is text already, in pieces; it is not read."""
    size = sum(map(len, pieces))
    return Answer(200, await aside(size, lambda: "".join(pieces).encode()), _HEADERS)


def done() -> Answer:
    """204: what Conductor answers to some of its operations."""
    return Answer(204, b"", _HEADERS[1:])

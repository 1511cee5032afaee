"""A listener without a gateway: it tells what the stages see of a request."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from services.edge.bodies import BodyLimits, read_body
from services.edge.call import Answer, Call
from services.edge.endpoint import Endpoint
from services.edge.protocol import Connections, Limits
from services.edge.server import address_of, bound, serving_http
from services.tls.files import ServerFiles
from tests.edge.raw import Reply

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LIMITS = Limits(header_seconds=0.3, header_bytes=4096, request_bytes=100_000)
BODY = BodyLimits(most_bytes=1000, idle_seconds=0.3)


async def tell(call: Call, heard: list[str]) -> Answer:
    """What the stages see of a request; its path is added to ``heard``."""
    call.request_id = "r"
    heard.append(call.raw_path.decode())
    body = await read_body(call, BODY)
    seen = {
        "method": call.method,
        "path": call.raw_path.decode(),
        "query": call.query.decode(),
        "body": body.decode(),
        "headers": len(call.headers),
        **({"certificate": dict(call.certificate)} if call.certificate else {}),
    }
    return Answer(200, json.dumps(seen).encode())


@asynccontextmanager
async def listening(
    limits: Limits = LIMITS,
    drain_seconds: float = 1.0,
    heard: list[str] | None = None,
    tls: ServerFiles | None = None,
    connections: Connections | None = None,
    answers: Callable[[], Answer] | None = None,
) -> AsyncGenerator[str]:
    sock = bound("127.0.0.1:0")

    async def say(call: Call, heard: list[str]) -> Answer:
        answer = await tell(call, heard)
        return answers() if answers else answer

    app = Endpoint((say,), [] if heard is None else heard)
    async with serving_http(
        app, sock, limits, drain_seconds=drain_seconds, tls=tls, connections=connections
    ):
        yield address_of(sock)


def status(reply: Reply) -> tuple[int, str]:
    """The status, and the problem's class."""
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["x-request-id"]
    document = json.loads(reply.body)
    assert document["status"] == reply.status
    return reply.status, document["type"].rpartition(":")[2]

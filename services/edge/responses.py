"""What a route makes of a result: its post-response script, its output schema, its envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import JSON, Answer, Headers
from services.edge.half import Response
from services.edge.judging import RouteJudges
from services.edge.problems import Problem
from services.edge.scripting import RouteScripts
from services.json_text import Json

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
# The gateway's own, or the connection's (RFC 9110 §7.6.1): an answer that is framed by a script
# is no answer.
_NOT_FOR_SCRIPTS = frozenset(
    {
        "age", "cache-status", "connection", "content-length", "date", "idempotent-replayed",
        "keep-alive", "podium-execution-id", "preference-applied", "proxy-connection", "ratelimit",
        "ratelimit-policy", "server", "te", "trailer", "transfer-encoding", "upgrade",
        "x-request-id",
    }
)  # fmt: skip
_MEMBERS = ("statusCode", "headers", "body")
_WITHOUT_BODY = (204, 205, 304)
_LONGEST_NAME = 64
_LONGEST_HEADERS = 16 * 1024


async def respond(
    result: pb.Result, response: Response, scripts: RouteScripts, judges: RouteJudges
) -> Answer:
    """The answer with the output of a result that ended well.

    Raises:
        Problem: 500 naming the script or schema that failed; 502 for a body that breaks its schema.
    """
    output = result.output or "{}"
    if not response.script:
        if response.schema:
            await _judge(partial(json.loads, output), len(output), output.encode, response, judges)
        return Answer(200, output.encode(), (JSON,))
    value = await scripts.run(
        "postResponseScript", response.script, output, exposed=response.exposed
    )
    answer, body = _scripted(value, response)
    if response.schema and answer.status < 300 and answer.status not in _WITHOUT_BODY:
        await _judge(
            lambda: body, len(answer.body), lambda: json.dumps(body).encode(), response, judges
        )
    return answer


def _scripted(value: Json, response: Response) -> tuple[Answer, Json]:
    """The answer that a script has made, and its body as a value."""
    if not response.envelope:
        return Answer(200, _encoded(value), (JSON,)), value
    try:
        answer = read_envelope(value)
    except BrokenEnvelope as broken:
        detail = "The postResponseScript of this route gave no envelope"
        why = f"{detail}: {broken}."
        told = why if response.exposed else f"{detail}."
        raise Problem("script-failed", told, inside=(("", why),)) from None
    return answer, value.get("body") if isinstance(value, dict) else None


def _encoded(value: Json) -> bytes:
    # Strings of a script may hold lone surrogates, which UTF-8 has not.
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


async def _judge(
    read: Callable[[], Json],
    size: int,
    written: Callable[[], bytes],
    response: Response,
    judges: RouteJudges,
) -> None:
    """Refuse a body that does not keep to the schema, as :meth:`RouteJudges.faults` is given it."""
    faults = await judges.faults("outputSchema", response.schema, read, size, written)
    if faults:
        raise Problem("output-invalid", errors=faults if response.exposed else (), inside=faults)


class BrokenEnvelope(ValueError):
    """What a script gave is no envelope; the message says why."""


def read_envelope(value: Json) -> Answer:
    """The answer that a script wrote; 200, no headers and null for what it left out.

    A body of text whose content type is not JSON is sent as it is.

    Raises:
        BrokenEnvelope: It is no answer.
    """
    if not isinstance(value, dict):
        raise BrokenEnvelope("it must be an object {statusCode, headers, body}")
    unknown = next((name for name in value if name not in _MEMBERS), None)
    if unknown is not None:
        raise BrokenEnvelope(f"it has statusCode, headers and body, and no {_shown(unknown)}")
    status = value.get("statusCode", 200)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise BrokenEnvelope("statusCode must be a whole number from 200 to 599")
    headers = _headers(value.get("headers"))
    body = value.get("body")
    if status in _WITHOUT_BODY:
        return Answer(status, b"", headers)
    content_type = next((each for name, each in headers if name == b"content-type"), None)
    if content_type is None:
        return Answer(status, _encoded(body), (*headers, JSON))
    if isinstance(body, str) and b"json" not in content_type.lower():
        return Answer(status, body.encode("utf-8", "replace"), headers)
    return Answer(status, _encoded(body), headers)


def _shown(name: str) -> str:
    """A name that a script gave, in quotes, printable and not long."""
    return ascii(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…")


def _headers(given: Json) -> Headers:
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise BrokenEnvelope("headers must be an object")
    headers: list[tuple[bytes, bytes]] = []
    for name, value in given.items():
        own = name.lower() in _NOT_FOR_SCRIPTS or name.lower().startswith("access-control-")
        if own:
            whose = "the connection's or the gateway's own"
            raise BrokenEnvelope(f"headers must not have {_shown(name)}, which is {whose}")
        if not _TOKEN.match(name):
            raise BrokenEnvelope(f"headers must not have {_shown(name)}, which is no header's name")
        values = value if isinstance(value, list) else [value]
        if name.lower() == "content-type" and len(values) != 1:
            raise BrokenEnvelope("there must be one Content-Type")
        headers.extend((name.lower().encode(), _header_value(each)) for each in values)
    if sum(len(name) + len(value) for name, value in headers) > _LONGEST_HEADERS:
        raise BrokenEnvelope(f"headers must be {_LONGEST_HEADERS} characters at most")
    return tuple(headers)


def _header_value(given: Json) -> bytes:
    text = f"{given}" if type(given) in (int, float) else given
    if not isinstance(text, str) or not _VALUE.match(text):
        raise BrokenEnvelope("the value of a header must be text of one line")
    return text.strip().encode("latin-1")

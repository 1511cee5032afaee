"""``POST /api/workflow`` and its older forms: executions that are started, and not waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import aside
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, as_text, asked
from services.edge.management.conductor.begun import Unknown, identified_anew, put_in
from services.edge.management.conductor.fields import Fields, refused
from services.edge.management.conductor.skipping import text_of
from services.edge.management.conductor.unknown import undefined, unfound
from services.edge.management.conductor.waiting import once_only
from services.edge.management.page import Page
from services.edge.mapping import not_utf8, parse_body
from services.errors import Unavailable, Unwritable

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_MOST_PRIORITY = 99
_STRATEGIES = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")


async def start(call: Call, management: Management) -> Answer:
    """POST a StartWorkflowRequest: 200 with the execution's id as text.

    Raises:
        Problem: 400, 401; 404 for an unknown workflow; 409 for a known idempotency key.
    """
    request = asked(call, management)
    body = await request.bytes()
    return await _started(request, await aside(len(body), _read, body), undefined)


def _read(body: bytes) -> pb.Start:
    document = parse_body(body)
    if not isinstance(document, dict):
        raise refused("", "The body must be a JSON object: a StartWorkflowRequest")
    return start_of(Fields(document))


async def start_by_name(call: Call, management: Management, name: str) -> Answer:
    """POST the input alone: 200 with the execution's id as text. Raises as :func:`start`."""
    request = asked(call, management)
    return await _named(request, name, request.query.whole("version"))


async def start_by_version(call: Call, management: Management, name: str, version: str) -> Answer:
    """As :func:`start_by_name`; with 0 for the latest version."""
    request = asked(call, management)
    return await _named(request, name, version_of(version))


def version_of(written: str) -> int:
    """That of a path; 0: the latest. Raises :class:`InvalidRequest`."""
    if not (written.isascii() and written.isdecimal() and len(written) < 10):
        raise refused("version", "must be a whole number")
    return int(written)


async def _named(request: Asked, name: str, version: int) -> Answer:
    query, header = request.query, request.call.header
    key = query.text("idempotencyKey") or header.get(b"x-idempotency-key", b"").decode("latin-1")
    on_conflict = header.get(b"x-on-conflict", b"").decode("latin-1")
    wanted = pb.Start(
        workflow_name=name,
        workflow_version=version,
        correlation_id=query.text("correlationId"),
        priority=query.whole("priority", most=_MOST_PRIORITY),
        # As it is: the executor reads it.
        input=await input_of_body(request),
        workflow_key=key,
        idempotency_strategy=_strategy(query.text("idempotencyStrategy") or on_conflict),
    )
    return await _started(request, wanted, unfound)


async def input_of_body(request: Asked) -> str:
    """As :func:`input_in`; a large one is read beside the loop."""
    body = await request.bytes()
    return await aside(len(body), input_in, body)


def input_in(body: bytes) -> str:
    """The input that is sent alone, without the blanks around it; an object is not read.

    Raises:
        Problem: 400: it is no JSON.
        InvalidRequest: It is no object.
    """
    try:
        text = body.decode().strip()
    except UnicodeDecodeError:
        raise not_utf8() from None
    if text and not text.startswith("{"):
        parse_body(text.encode())
        raise refused("", "The body must be a JSON object: the workflow's input")
    return text


async def _started(request: Asked, wanted: pb.Start, unknown: Unknown) -> Answer:
    """200 with its id.

    Raises:
        Problem: 503: it may run, and would be another one if it were asked for again.
    """
    identified_anew(wanted)
    try:
        return as_text(await put_in(request, wanted, unknown))
    except Unwritable:
        raise
    except Unavailable as error:
        request.call.execution_id = wanted.execution_id
        if wanted.workflow_key:
            # That makes it the same one.
            raise
        raise once_only(error) from error


def start_of(body: Fields) -> pb.Start:
    """What a StartWorkflowRequest asks for; ``createdBy`` is passed over: it is known who calls.

    Raises:
        InvalidRequest: A field is of a wrong type, or asks for what there is not.
    """
    if body.text("externalInputPayloadStoragePath"):
        raise body.wrong(
            "externalInputPayloadStoragePath",
            "is not taken: inputs are stored with their execution, up to 16 Mi characters",
        )
    return pb.Start(
        workflow_name=name_of(body),
        workflow_version=body.whole("version"),
        input=text_of(body.object("input")),
        correlation_id=body.text("correlationId"),
        priority=body.whole("priority", most=_MOST_PRIORITY),
        task_to_domain=body.words("taskToDomain"),
        workflow_definition=text_of(body.object("workflowDef")),
        workflow_key=body.text("idempotencyKey"),
        # It comes without a key, too, and says nothing then.
        idempotency_strategy=_strategy(body.text("idempotencyStrategy")),
    )


def name_of(body: Fields) -> str:
    """The workflow's: that of the definition that comes with it, as in Conductor, else ``name``.

    Raises:
        InvalidRequest: There is neither, or it is no text.
    """
    named = body.text("name")
    return body.fields("workflowDef").text("name") or named or body.wanted("name")


def _strategy(written: str) -> pb.IdempotencyStrategy.ValueType:
    if not written:
        return pb.IDEMPOTENCY_STRATEGY_UNSPECIFIED
    if written not in _STRATEGIES:
        raise refused("idempotencyStrategy", f"must be one of {', '.join(_STRATEGIES)}")
    return pb.IdempotencyStrategy.Value(f"IDEMPOTENCY_STRATEGY_{written}")


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/workflow", start),
    ("POST", "/api/workflow/{name}", start_by_name),
    ("POST", "/api/workflow/start/{name}/{version}", start_by_version),
)

"""HTTP: one request; with ``asyncComplete`` the task stays open until somebody ends it."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, Status, Unknown, later
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import (
    Anything,
    Boolean,
    ByShape,
    Choice,
    ListOf,
    MapOf,
    Number,
    OrExpression,
    Text,
    holds_expression,
    whole,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
CALLBACK_TIMEOUT_SECONDS = 86_400
MOST_HEDGES = 5

_CODE = re.compile(r"[1-5](?:[0-9]{2}|xx|XX)\Z")


class Uri:
    """An absolute http or https address."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            at.fault(f"must be text, not {shown(value)}")
        elif not value:
            at.fault("must not be empty")
        elif not _is_http(value):
            at.fault(f"must be an http:// or https:// address, not {shown(value)}")
        return value

    def says(self) -> str:
        return "http:// or https:// address"

    def schema(self) -> Document:
        return {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}


def _is_http(value: str) -> bool:
    if re.search(r"[\s\x00-\x1f]", value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class StatusCode:
    """A status (404, ``"404"``) or a family (``"4xx"``)."""

    def check(self, value: Json, at: Place) -> Json:
        written = str(value) if isinstance(value, str | int) and not _is_huge(value) else ""
        if isinstance(value, bool) or not _CODE.match(written):
            at.fault(f"must be a status like 404 or a family like '4xx', not {shown(value)}")
        return value

    def says(self) -> str:
        return "status or family"

    def schema(self) -> Document:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^[1-5]([0-9]{2}|xx|XX)$"},
            ]
        }


def _is_huge(value: str | int) -> bool:
    return isinstance(value, int) and value.bit_length() > 16


ON_INTERRUPTED = Field(
    "onInterrupted",
    Choice(("RETRY", "FAIL")),
    "What becomes of a call in flight when the executor died: sent again with the same "
    "Idempotency-Key, or failed for good with 'outcome unknown'. Podium's own.",
    default="RETRY",
)
CALLBACK_TIMEOUT = Field(
    "callbackTimeoutSeconds",
    Number(1),
    "How long a task with asyncComplete waits where no timeoutSeconds says so. Podium's own.",
    default=CALLBACK_TIMEOUT_SECONDS,
)
ASYNC_COMPLETE = Field(
    "asyncComplete",
    Boolean(),
    "After a 2xx the task stays IN_PROGRESS until it is ended by callback or API.",
    default=False,
)

REQUEST_FIELDS = (
    Field("uri", Uri(), "The address.", required=True),
    Field("method", Choice(METHODS), "The method.", required=True),
    Field(
        "accept",
        ByShape({"text": Text(), "list": ListOf(OrExpression(Text()))}),
        "The Accept header.",
        default="application/json",
    ),
    Field("contentType", Text(), "The Content-Type header.", default="application/json"),
    Field("headers", MapOf(Anything()), "Request headers; null ones are left out.", default={}),
    Field("body", Anything(), "The body; what is no text is sent as JSON."),
    Field("encode", Boolean(), "Encode the query of the address.", default=True),
    Field(
        "acceptedStatusCodes",
        ListOf(OrExpression(StatusCode())),
        "Statuses that count as success, instead of 2xx.",
    ),
    Field("connectionTimeOut", Number(0), "Milliseconds to connect; 0: none.", default=5000),
    Field("readTimeOut", Number(0), "Milliseconds between bytes; 0: none.", default=60_000),
    Field("vipAddress", Text(), "Conductor's service discovery.", status=Status.NO_EFFECT),
    Field("appName", Text(), "Conductor's service discovery.", status=Status.NO_EFFECT),
    later("outputFilter", "Keep a part of the response."),
    later("cacheConfig", "Keep its output."),
)
_HEDGING = Record(
    "a hedging configuration",
    (
        Field(
            "maxAttempts",
            whole(0, MOST_HEDGES),
            "How many requests there are side by side at most; 0 and 1: no second one.",
            default=1,
        ),
        Field(
            "delay",
            Number(1),
            "Milliseconds without an answer after which the next is sent. Podium's own.",
            default=1000,
        ),
    ),
)
HEDGING = Field(
    "hedgingConfig",
    _HEDGING,
    "While no answer comes the request is sent again beside itself, with the same Idempotency-Key; "
    "the first success is taken, and the others are broken off.",
)
REQUEST = Record(
    "an HTTP request",
    (*REQUEST_FIELDS, HEDGING, ASYNC_COMPLETE, ON_INTERRUPTED, CALLBACK_TIMEOUT),
    unknown=Unknown.WARN,
    templated=True,
)
BESIDE = ("asyncComplete", "onInterrupted", "callbackTimeoutSeconds")


class RequestInput:
    """A request that stands in ``http_request`` or flat in ``inputParameters``.

    The fields named ``beside`` may stand beside ``http_request`` too, and win there.
    """

    def __init__(self, record: Record, beside: tuple[str, ...]) -> None:
        self._beside = beside
        self._nested = record
        self._flat = replace(record, unknown=Unknown.GUESS)
        # Few combinations occur, and a table is dear to make.
        self._split: dict[tuple[str, ...], tuple[Record, Record]] = {}

    def read(self, kind: TaskKind, task: Document, at: Place) -> None:
        """Checks the input of ``task``."""
        inputs = task.get("inputParameters", {})
        if not isinstance(inputs, dict):
            return
        at = at / "inputParameters"
        nested = inputs.get("http_request")
        if nested is None:
            flat = {key: value for key, value in inputs.items() if key != "http_request"}
            self._flat.read(flat, at)
            return
        there = {name: inputs[name] for name in self._beside if inputs.get(name) is not None}
        beside, within = self._records(tuple(there))
        beside.read(there, at)
        if isinstance(nested, dict):
            within.read(nested, at / "http_request")
        elif not holds_expression(nested):
            (at / "http_request").fault(f"must be an object, not {shown(nested)}")

    def _records(self, there: tuple[str, ...]) -> tuple[Record, Record]:
        """For what stands beside the request, and for the rest of it."""
        if there not in self._split:
            self._split[there] = self._nested.only(there), self._nested.without(there)
        return self._split[there]


def _is_async(task: Document) -> bool:
    """Whether ``asyncComplete`` stands on the task, in its input or in ``http_request``."""
    inputs = task.get("inputParameters")
    places: list[Json] = [task, inputs]
    if isinstance(inputs, dict):
        places.append(inputs.get("http_request"))
    said = (place.get("asyncComplete") for place in places if isinstance(place, dict))
    return any(value not in (None, False, "false") for value in said)


def _check(task: Document, at: Place) -> None:
    if not _is_async(task) and "${task.callbackUrl}" in repr(task.get("inputParameters")):
        at.warn("hands out ${task.callbackUrl}, but without asyncComplete nothing waits for it")


KIND = TaskKind(
    name="HTTP",
    doc=(
        "One HTTP request. Its fields stand in `inputParameters.http_request` or flat in "
        "`inputParameters`; `asyncComplete`, `onInterrupted` and `callbackTimeoutSeconds` may also "
        "stand beside `http_request` or on the task itself, and the outermost wins. "
        "`${task.callbackUrl}` in the input is a one-time address that ends the task."
    ),
    inputs=REQUEST,
    fields=(ASYNC_COMPLETE, ON_INTERRUPTED, CALLBACK_TIMEOUT),
    nested="http_request",
    calls_out=True,
    callback=True,
    read_inputs=RequestInput(REQUEST, BESIDE).read,
    check=_check,
)

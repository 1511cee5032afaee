"""Problems (RFC 9457): what a caller is told when the answer is no, one fixed sentence a class.

Strangers learn nothing of what went wrong inside; the execution id in the answer leads whoever
may look to the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

CONTENT_TYPE = b"application/problem+json"
RETRY_AFTER_SECONDS = 1

_WHERE_A_TOKEN_GOES = "This needs a valid token, as Authorization: Bearer."
_WHERE_A_KEY_GOES = "This needs a valid key, as X-API-Key, or as Authorization: Bearer or Basic."

Faults = tuple[tuple[str, str], ...]
"""Pointer (RFC 6901) and detail of each."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of problems: its HTTP status, its title, its sentence, and a type of its own."""

    status: int
    title: str
    detail: str
    type: str = ""


KINDS: dict[str, Kind] = {
    "malformed-request": Kind(400, "Malformed request", "The request is not valid HTTP."),
    "tls-required": Kind(
        400, "TLS required", "Plain HTTP was sent to a port that speaks TLS: use https."
    ),
    "malformed-path": Kind(400, "Malformed path", "The path cannot be read."),
    "malformed-query": Kind(400, "Malformed query", "The query cannot be read."),
    "malformed-idempotency-key": Kind(
        400,
        "Malformed idempotency key",
        "Idempotency-Key must be there once, a string in quotes of 1 to 255 characters.",
    ),
    "malformed-body": Kind(400, "Malformed body", "The body is not valid JSON."),
    "invalid-request": Kind(400, "Invalid request", "The request makes no sense here."),
    "unauthenticated": Kind(401, "Unauthenticated", "This needs a valid key or token."),
    "forbidden": Kind(403, "Forbidden", "The caller is known and may not do this."),
    "insufficient-scope": Kind(
        403, "Insufficient scope", "The token lacks a scope that this needs: see WWW-Authenticate."
    ),
    "no-route": Kind(404, "Not found", "There is nothing at this path."),
    "not-found": Kind(404, "Not found", "There is no such thing, or not for this caller."),
    "method-not-allowed": Kind(
        405, "Method not allowed", "The path is known by other methods: see Allow."
    ),
    "request-timeout": Kind(408, "Request timeout", "The request took too long to arrive."),
    "conflict": Kind(409, "Conflict", "It cannot be done to the thing in the state it is in."),
    "gone": Kind(410, "Gone", "The answer was kept for 24 hours, and they are over."),
    "body-too-large": Kind(413, "Body too large", "The body is larger than is taken here."),
    "unsupported-media-type": Kind(
        415, "Unsupported media type", "The body must be JSON in UTF-8: application/json or +json."
    ),
    "invalid-query": Kind(422, "Invalid query", "The query breaks a rule: see errors."),
    "invalid-input": Kind(422, "Invalid input", "The input breaks its schema: see errors."),
    "idempotency-key-reused": Kind(
        422,
        "Idempotency key reused",
        "The Idempotency-Key came with another request before: method, path, query and body must "
        "be the same, byte for byte.",
    ),
    "headers-too-large": Kind(
        431, "Headers too large", "The request's headers are larger than is taken here."
    ),
    "rate-limited": Kind(429, "Rate limited", "That was too often: see Retry-After."),
    "quota-exceeded": Kind(
        429,
        "Quota exceeded",
        "Those were too many requests within the window: see Retry-After.",
        "https://iana.org/assignments/http-problem-types#quota-exceeded",
    ),
    "concurrency-limited": Kind(
        429,
        "Too many at once",
        "As many executions run as may at once, and nothing was started: see Retry-After.",
        "https://iana.org/assignments/http-problem-types#quota-exceeded",
    ),
    "internal": Kind(500, "Internal error", "Something went wrong inside; it is in the log."),
    "not-implemented": Kind(501, "Not implemented", "Conductor has it, and this server has not."),
    "script-failed": Kind(500, "Script failed", "A script of this route failed."),
    "schema-failed": Kind(
        500, "Schema failed", "A schema of this route could not be judged by in time."
    ),
    "output-invalid": Kind(
        502, "Output invalid", "The workflow behind this route broke its own output schema."
    ),
    "output-too-large": Kind(
        502, "Output too large", "The workflow behind this route ended with more than can be sent."
    ),
    "execution-failed": Kind(502, "Execution failed", "The workflow behind this route failed."),
    "execution-terminated": Kind(
        502, "Execution terminated", "The workflow behind this route was ended by somebody."
    ),
    "awaited-task-failed": Kind(
        502, "Awaited task failed", "The task whose output is the answer failed."
    ),
    "unavailable": Kind(503, "Unavailable", "A service behind this one is away; try again."),
    "not-stored": Kind(
        503, "Not stored", "The execution could not be stored just now; ask again in a while."
    ),
    "executor-away": Kind(
        503,
        "Executor away",
        "Nobody has confirmed the execution; it may still run, once, if it was received.",
    ),
    "overloaded": Kind(503, "Overloaded", "There is too much to do just now; try again."),
    "call-in-progress": Kind(
        503, "Call in progress", "The same call of another caller is under way; try again."
    ),
    "service-disabled": Kind(503, "Service disabled", "This service is switched off."),
    "not-kept": Kind(
        504, "Not kept", "There is no kept answer, and the call has asked for no other."
    ),
    "execution-timed-out": Kind(
        504, "Execution timed out", "The workflow behind this route ran out of time."
    ),
}

NOT_OF_ROUTES = frozenset(("not-implemented",))
"""Those that only the management listener tells."""


class Problem(Exception):
    """Ends a request with an answer of class ``kind``.

    Attributes:
        kind: A key of :data:`KINDS`.
        detail: In place of the class's sentence; to strangers only of what they have sent.
        errors: Pointer (RFC 6901) and detail of each fault, where there are several.
        headers: Beside those of every answer.
        members: Of the body, beside those of every problem.
        inside: Pointer and detail of what the route itself has done wrong: for those who run it,
            without values, and never in the answer.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        errors: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
        members: Mapping[str, Any] = MappingProxyType({}),
        inside: Faults = (),
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = tuple(headers)
        self.members = members
        self.inside = inside

    @property
    def status(self) -> int:
        return KINDS[self.kind].status


def body_of(problem: Problem, request_id: str, execution_id: str = "") -> bytes:
    """The answer's body (RFC 9457 §3.1)."""
    kind = KINDS[problem.kind]
    document: dict[str, Any] = {
        "type": kind.type or f"urn:podium:problem:{problem.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail or kind.detail,
        "requestId": request_id,
    }
    if execution_id:
        document["executionId"] = execution_id
    document |= problem.members
    if problem.errors:
        document["errors"] = [{"pointer": at, "detail": detail} for at, detail in problem.errors]
    return json.dumps(document, ensure_ascii=False).encode()


def no_key(*challenges: tuple[bytes, bytes]) -> Problem:
    """401: a service's caller has brought no key that holds."""
    return Problem("unauthenticated", _WHERE_A_KEY_GOES, headers=challenges)


def no_token(*challenges: tuple[bytes, bytes]) -> Problem:
    """401: a service's caller has brought no token."""
    return Problem("unauthenticated", _WHERE_A_TOKEN_GOES, headers=challenges)


def challenge(
    realm: str = "podium", error: str = "", description: str = "", scope: str = ""
) -> tuple[bytes, bytes]:
    """``WWW-Authenticate``, which every 401 needs (RFC 9110 §15.5.2); the rest as RFC 6750 §3."""
    told = {"error": error, "error_description": description, "scope": scope}
    more = "".join(f', {name}="{value}"' for name, value in told.items() if value)
    return b"www-authenticate", f'Bearer realm="{realm}"{more}'.encode()


def basic_challenge(realm: str) -> tuple[bytes, bytes]:
    """A second ``WWW-Authenticate``, by which a browser asks its user for the key (RFC 7617 §2)."""
    return b"www-authenticate", f'Basic realm="{realm}", charset="UTF-8"'.encode()


def retry_after(seconds: int = RETRY_AFTER_SECONDS) -> tuple[bytes, bytes]:
    """``Retry-After`` (RFC 9110 §10.2.3)."""
    return b"retry-after", b"%d" % seconds

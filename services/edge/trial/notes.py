"""What a stage has found out, as JSON that an operator reads. No IO."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.edge.auth.model import Caller
from services.edge.call import Call
from services.edge.problems import KINDS, Problem
from services.edge.routes import Route
from services.edge.trial.masking import masked, masked_json
from services.json_text import Json

# Characters of JSON text that a note holds; what is larger is told as text, cut off.
_LONGEST = 16 * 1024
# The note with what was wrong, each in a sentence.
FAULTS = "faults"


@dataclass(frozen=True, slots=True)
class Long:
    """JSON text that is too long to be told whole."""

    text: str


Notes = dict[str, "Json | Long"]


def bounded(text: str) -> Json | Long:
    """JSON text as a value, where it is not too long."""
    if len(text) > _LONGEST:
        return Long(text)
    value: Json = json.loads(text)
    return value


def text_of(notes: Notes, secrets: tuple[str, ...]) -> str:
    """``notes`` as JSON text without ``secrets``."""
    told = {name: _told(value, secrets) for name, value in notes.items()}
    return masked_json(json.dumps(told, ensure_ascii=False, separators=(",", ":")), secrets)


def _told(value: Json | Long, secrets: tuple[str, ...]) -> Json:
    if not isinstance(value, Long):
        return value
    # Of a secret that is cut in two, the first half would be told.
    return f"{masked(value.text, secrets)[:_LONGEST]}… ({len(value.text)} characters)"


def _route(route: Route | None) -> Notes:
    if route is None:
        return {}
    return {
        "service": route.service_id,
        "route": f"{route.method} {route.path}",
        "workflow": route.workflow,
        "version": route.version or "latest",
        "mode": "ASYNCHRONOUS" if route.asynchronous else "SYNCHRONOUS",
        "timeoutInSeconds": route.timeout_seconds,
    }


def _caller(caller: Caller | None) -> Notes:
    if caller is None:
        return {}
    return {"principal": caller.principal, "applicationId": caller.application_id}


def _some(name: str) -> Callable[[Any], Notes]:
    return lambda value: {name: value} if value else {}


# What a call holds, and what is told of it; in this order.
_TOLD: Mapping[str, Callable[[Any], Notes]] = {
    "request_id": _some("requestId"),
    "trace": lambda trace: {"traceparent": trace.parent} if trace else {},
    "route": _route,
    "parameters": lambda values: {"pathParameters": dict(values)} if values else {},
    "caller": _caller,
    "body": lambda body: {"bodyBytes": len(body)} if body else {},
    "query_fields": lambda values: {"queryParameters": dict(values)} if values else {},
    "callback_url": _some("callbackUrl"),
    "cache_state": _some("cache"),
    "input": lambda text: {"input": bounded(text)} if text else {},
    "execution_id": _some("executionId"),
}


class Seen:
    """What a call held when it was last looked at."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._values = self._now()
        self._headers = len(call.shared_headers)

    def _now(self) -> dict[str, Any]:
        return {name: getattr(self._call, name, None) for name in _TOLD}

    def news(self) -> Notes:
        """What is new since, by the names of the notes."""
        before, self._values = self._values, self._now()
        notes: Notes = {}
        for name, told in _TOLD.items():
            value = self._values[name]
            if value is not before[name] and value != before[name]:
                notes |= told(value)
        headers = self._call.shared_headers[self._headers :]
        self._headers = len(self._call.shared_headers)
        if headers:
            notes["headers"] = {name.decode(): value.decode("latin-1") for name, value in headers}
        return notes


def of_problem(problem: Problem) -> Notes:
    """Why a request ended here."""
    kind = KINDS[problem.kind]
    detail = problem.detail or kind.detail
    notes: Notes = {"status": kind.status, "problem": problem.kind, "detail": detail}
    if faults := problem.inside or problem.errors:
        notes[FAULTS] = [f"{at}: {why}" if at else why for at, why in faults]
    return notes

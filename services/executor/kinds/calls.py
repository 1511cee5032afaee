"""HTTP calls as tasks describe them: the request from an input, the output from an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from services.executor.core.expressions import as_text
from services.executor.core.http import EFFECT, HttpAnswer, HttpFailure, HttpRequest
from services.executor.core.kind import Effect, Finished, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.core.sizes import checked

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
# A remote that asks for more than that would hold the task against its own policy.
MOST_RETRY_AFTER = timedelta(hours=1)

_CONNECT_TIMEOUT = timedelta(seconds=5)
_READ_TIMEOUT = timedelta(seconds=60)
_NO_TIMEOUT = timedelta(days=1)
# It stands in the output twice, and as JSON text a byte of it becomes six at most.
_MOST_UNMEASURED_BYTES = 1 << 20
_URI = re.compile(r"(?:https?://|\$\{workflow\.secrets\.)[^\s\x00-\x1f]+\Z", re.IGNORECASE)


class Unusable(Exception):
    """The input describes no request; the message names the field."""


def described(inputs: Mapping[str, Json]) -> Mapping[str, Json]:
    """Where the request's fields stand: in ``http_request``, or else in the input itself."""
    nested = inputs.get("http_request")
    if nested is None:
        return inputs
    if not isinstance(nested, dict):
        raise Unusable("http_request must be an object.")
    return nested


def setting(view: View, name: str) -> Json:
    """A field that may stand on the task, beside ``http_request`` or in it: the outermost."""
    return next((value for value in settings(view, name) if value is not None), None)


def settings(view: View, name: str) -> Iterator[Json]:
    """The same field wherever it stands, the outermost first."""
    inputs = view.input
    for place in (view.step.document, inputs, inputs.get("http_request")):
        if isinstance(place, Mapping):
            yield place.get(name)


def is_async(view: View) -> bool:
    """Whether the task waits for somebody else's word once it has acted: wherever it says so."""
    return any(is_true(value) for value in settings(view, "asyncComplete"))


def request(view: View, *, method: str | None = None, poll: int = 0) -> HttpRequest:
    """The request that the task's input describes.

    Args:
        method: Where the input names none.
        poll: Part of the idempotency key.

    Raises:
        Unusable: The input describes none.
    """
    fields = described(view.input)
    verb = _method(fields.get("method") or method)
    headers = _headers(fields)
    keyed = verb not in SAFE_METHODS and not any(
        name.lower() == "idempotency-key" for name in headers
    )
    template = view.step.template
    attempts, delay = _hedging(fields) if poll == 0 and view.task.kind == "HTTP" else _ALONE
    return HttpRequest(
        method=verb,
        uri=_uri(fields.get("uri")),
        headers=headers,
        body=fields.get("body"),
        content_type=_text(fields, "contentType", "application/json"),
        encode=not is_false(fields.get("encode")),
        idempotency_key=view.key(poll) if keyed else None,
        connect_timeout=_milliseconds(fields, "connectionTimeOut", _CONNECT_TIMEOUT),
        read_timeout=_milliseconds(fields, "readTimeOut", _READ_TIMEOUT),
        handoff=template.handoff if template else _NOTHING,
        attempts=attempts,
        hedge_delay=delay,
    )


def _hedging(fields: Mapping[str, Json]) -> tuple[int, timedelta]:
    """How many requests are sent side by side at most, and after how long the next one is."""
    config = fields.get("hedgingConfig")
    if not isinstance(config, dict):
        return _ALONE
    attempts = number(config, "maxAttempts") or 1
    if attempts > MOST_HEDGES:
        raise Unusable(f"hedgingConfig.maxAttempts must be at most {MOST_HEDGES}.")
    return max(int(attempts), 1), _milliseconds(config, "delay", _HEDGE_DELAY)


_HEDGE_DELAY = timedelta(seconds=1)
_ALONE = 1, _HEDGE_DELAY
MOST_HEDGES = 5

_NOTHING: frozenset[str] = frozenset()


def calling(
    view: View, asked: HttpRequest, timers: tuple[tuple[str, datetime], ...] = ()
) -> Waiting:
    """The task waits for ``asked``, as long as its definition lets it be silent."""
    limit = view.step.policy.response_timeout
    # One that cannot come before the request's own time-outs needs no timer.
    if limit and limit < asked.connect_timeout + asked.read_timeout:
        timers = (*timers, ("response", view.now + limit))
    return Waiting(perform=Effect(EFFECT, asked), timers=timers)


def interrupted(view: View) -> Finished | None:
    """The end of a task that is not to be sent again after its outcome was lost."""
    if setting(view, "onInterrupted") != "FAIL":
        return None
    return unusable("The executor stopped during the call: outcome unknown.")


def output(answer: HttpAnswer) -> dict[str, Json]:
    """The task's output: Conductor's ``response``, and what stands in it beside it.

    Raises:
        TooCostly: It is larger than a document may be.
    """
    headers: dict[str, Json] = {name: list(values) for name, values in answer.headers.items()}
    fields: dict[str, Json] = {
        "response": {
            "statusCode": answer.status,
            "headers": headers,
            "body": answer.body,
            "reasonPhrase": answer.reason_phrase,
        },
        "statusCode": answer.status,
        "status": answer.status,
        "body": answer.body,
        "headers": headers,
    }
    if answer.size > _MOST_UNMEASURED_BYTES:
        checked(fields)
    return fields


def failure_output(failure: HttpFailure) -> dict[str, Json]:
    """The output where there was no usable answer."""
    fields: dict[str, Json] = {"error": failure.reason}
    if failure.status:
        fields |= {"statusCode": failure.status, "status": failure.status}
    return fields


def is_accepted(view: View, status: int) -> bool:
    """Whether ``status`` is a success: 2xx, or exactly what ``acceptedStatusCodes`` lists."""
    codes = named_codes(view)
    return 200 <= status < 300 if codes is None else is_named(codes, status)


def named_codes(view: View) -> list[Json] | None:
    """``acceptedStatusCodes``, where it is given."""
    codes = described(view.input).get("acceptedStatusCodes")
    return codes if isinstance(codes, list) and codes else None


def is_named(codes: list[Json], status: int) -> bool:
    """Whether ``status`` is among ``codes`` (``404``, ``"404"``) or their families (``"4xx"``)."""
    return any(str(code).strip().lower() in (str(status), f"{status // 100}xx") for code in codes)


def retry_after(answer: HttpAnswer, now: datetime) -> timedelta | None:
    """What the answer's ``Retry-After`` (RFC 9110 §10.2.3) asks for, at most an hour."""
    values = answer.headers.get("retry-after")
    if not values:
        return None
    text = values[0].strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), MOST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), MOST_RETRY_AFTER)


def is_true(value: Json) -> bool:
    """Whether a flag, which may have been resolved to text, is set."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def is_false(value: Json) -> bool:
    """Whether a flag, which may have been resolved to text, is taken back."""
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def number(fields: Mapping[str, Json], name: str) -> float | None:
    """A number, also written as text; None: it is absent.

    Raises:
        Unusable: It is neither.
    """
    value = fields.get(name)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        result = float(value)
    except (ValueError, OverflowError):
        raise Unusable(f"{name} must be a number, not {shown(value)}.") from None
    if not math.isfinite(result) or result < 0:
        raise Unusable(f"{name} must be a number from 0, not {shown(value)}.")
    return result


def shown(value: Json) -> str:
    """``value`` in a reason: short, in JSON's words."""
    text = repr(value) if isinstance(value, str) else as_text(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _uri(value: Json) -> str:
    if value is None or value == "":
        raise Unusable("uri is required: the input has none.")
    if not isinstance(value, str) or not _URI.match(value.strip()):
        raise Unusable(f"uri must be an http:// or https:// address, not {shown(value)}.")
    return value.strip()


def _method(value: Json) -> str:
    if not value:
        raise Unusable("method is required: the input has none.")
    verb = value.strip().upper() if isinstance(value, str) else ""
    if verb not in METHODS:
        raise Unusable(f"method must be one of {', '.join(sorted(METHODS))}, not {shown(value)}.")
    return verb


def _headers(fields: Mapping[str, Json]) -> dict[str, str]:
    given = fields.get("headers")
    if given is not None and not isinstance(given, dict):
        raise Unusable(f"headers must be an object, not {shown(given)}.")
    headers = {name: as_text(value) for name, value in (given or {}).items() if value is not None}
    names = {name.lower() for name in headers}
    accept = fields.get("accept") or "application/json"
    if "accept" not in names:
        named = accept if isinstance(accept, list) else [accept]
        headers["Accept"] = ", ".join(as_text(value) for value in named)
    if "content-type" not in names and fields.get("body") is not None:
        headers["Content-Type"] = _text(fields, "contentType", "application/json")
    return headers


def _text(fields: Mapping[str, Json], name: str, default: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and value else default


def _milliseconds(fields: Mapping[str, Json], name: str, default: timedelta) -> timedelta:
    value = number(fields, name)
    if value is None:
        return default
    # 0 says "none" to Conductor; a call that may hang for ever would hold its place for ever.
    most = _NO_TIMEOUT / timedelta(milliseconds=1)
    return timedelta(milliseconds=min(value, most)) if value else _NO_TIMEOUT

"""The telling of an execution's end: whom, what is said, and what follows from each attempt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from services.executor.core.identity import derived_id
from services.executor.core.model import Execution, ExecutionStatus, Json
from services.executor.core.scope import milliseconds

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Between the attempts; after the one that follows the last of them it is given up."""

MOST_OUTPUT_BYTES = 16 << 10
# Standard Webhooks asks for less than 20 kB.
MOST_BODY_BYTES = 20_000
_MOST_REASON_CHARS = 500

_SUCCESS = range(200, 300)
_GONE = 410
_COMES_BACK = frozenset((429, 502, 503, 504))
_JITTER = 0.1
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to tell of an execution's end, as its start said.

    Attributes:
        location: The URL at which the answer is had.
        with_output: The output is told, where it is small.
        exposed: Why it did not end well is told.
    """

    url: str
    secret_name: str
    location: str
    with_output: bool = False
    exposed: bool = False

    @property
    def receiver(self) -> str:
        """Whose deliveries share a limit: the URL's host and port."""
        try:
            url = urlsplit(self.url)
            host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 0)
        except ValueError:
            # It cannot be called either.
            return ""
        return f"[{host}]:{port}" if ":" in host else f"{host.rstrip('.')}:{port}"

    @property
    def shown_url(self) -> str:
        """Without its query, which may hold what only the receiver should see."""
        return self.url.partition("#")[0].partition("?")[0]


class DeliveryStatus(StrEnum):
    """How the telling of an end stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One telling of one end.

    Attributes:
        id: The same for all attempts, another one for another end; empty: it has not ended.
        body: JSON text; empty once it is not sent any more.
        attempts: How many have ended.
        last_status_code: The last answer's; 0: there was none.
        next_at: When it is tried next; None: it is not.
    """

    id: str = ""
    body: str = ""
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    last_status_code: int = 0
    last_error: str = ""
    next_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        status_code: The answer's; 0: there was none.
        error: A sentence, where it did not succeed.
        retry_after: How long the receiver wants to be left alone.
        lasting: Another attempt would end as this one did.
    """

    status_code: int = 0
    error: str = ""
    retry_after: timedelta | None = None
    lasting: bool = False


def followed(
    webhook: Webhook, before: Execution | None, after: Execution, output: Callable[[], str]
) -> Delivery | None:
    """The delivery that an event calls for; one without an id withdraws the one before.

    None: the event neither ended the execution nor opened it again.

    Args:
        before: The execution before the event; None: it began with it.
        output: The execution's as JSON text.
    """
    ended = before is not None and before.status.final
    if not after.status.final:
        return Delivery() if before is None or ended else None
    if before is not None and ended and _id(before) == _id(after):
        return None
    return Delivery(_id(after), _body(webhook, after, output), next_at=after.ended_at)


def _id(execution: Execution) -> str:
    end = milliseconds(execution.ended_at)
    named = derived_id(execution.id, "webhook", execution.restarts, execution.next_sequence, end)
    return f"msg_{named.replace('-', '')}"


def _body(webhook: Webhook, execution: Execution, output: Callable[[], str]) -> str:
    data: dict[str, Json] = {
        "executionId": execution.id,
        "workflow": execution.workflow.name,
        "status": execution.status.value,
        "location": webhook.location,
    }
    if execution.correlation_id:
        data["correlationId"] = execution.correlation_id
    completed = execution.status is ExecutionStatus.COMPLETED
    if webhook.exposed and not completed and execution.reason:
        data["reason"] = execution.reason[:_MOST_REASON_CHARS]
    head: dict[str, Json] = {"type": f"execution.{execution.status.value.lower()}"}
    if execution.ended_at is not None:
        head["timestamp"] = execution.ended_at.isoformat().replace("+00:00", "Z")
    body = f'{_text(head)[:-1]},"data":{_text(data)[:-1]}'
    if webhook.with_output and completed:
        body += _told(output(), MOST_BODY_BYTES - len(body))
    return f"{body}}}}}"


def _told(output: str, room: int) -> str:
    """The output as a member of an object; nothing where it is too large."""
    if len(output) > MOST_OUTPUT_BYTES or len(output.encode()) > MOST_OUTPUT_BYTES:
        return ""
    member = f',"output":{output}'
    return member if len(member.encode()) + len("}}") < room else ""


def _text(value: Json) -> str:
    """ASCII, so that its length is its size and a lone surrogate does no harm."""
    return json.dumps(value, separators=(",", ":"))


def judged(
    delivery: Delivery, attempt: Attempt, delays: Sequence[timedelta], now: datetime, chance: float
) -> Delivery:
    """How the delivery stands after ``attempt``, which ended at ``now``.

    Args:
        delays: Between the attempts, the first after the first of them.
        chance: From 0 to 1; spreads attempts that failed together, by a tenth either way.
    """
    tried = replace(
        delivery,
        attempts=delivery.attempts + 1,
        last_status_code=attempt.status_code,
        last_error=attempt.error,
        next_at=None,
    )
    if attempt.status_code in _SUCCESS:
        return replace(
            tried, status=DeliveryStatus.DELIVERED, last_error="", body="", delivered_at=now
        )
    hopeless = attempt.lasting or attempt.status_code == _GONE
    if hopeless or delivery.attempts >= len(delays):
        return replace(tried, status=DeliveryStatus.GIVEN_UP, body="")
    delay = delays[delivery.attempts] * (1 - _JITTER + 2 * _JITTER * chance)
    if attempt.retry_after is not None and attempt.status_code in _COMES_BACK:
        delay = max(delay, attempt.retry_after)
    return replace(tried, next_at=now + delay)


def delivery_json(webhook: Webhook, delivery: Delivery) -> dict[str, Json]:
    """As an execution's document shows it; times in epoch milliseconds, what is not known left out.

    Its body is not shown: all in it but the link to the answer is in the document.
    """
    shown: Mapping[str, Json] = {
        "url": webhook.shown_url,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "lastStatusCode": delivery.last_status_code or None,
        "lastError": delivery.last_error or None,
        "nextAttemptAt": milliseconds(delivery.next_at) or None,
        "deliveredAt": milliseconds(delivery.delivered_at) or None,
    }
    return {name: value for name, value in shown.items() if value is not None}

"""How an HTTP_POLL task polls: its settings, its waits, its verdicts, its record of polls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.executor.core.http import HttpAnswer, HttpOutcome
from services.executor.core.kind import View
from services.executor.core.model import Json
from services.executor.core.policy import bounded
from services.executor.core.scope import milliseconds
from services.executor.kinds.calls import Unusable, described, number, retry_after, shown

KEPT_POLLS = 20
SHORTEST_INTERVAL = 0.1

_REASON_LENGTH = 500


class Verdict(StrEnum):
    """What became of one poll."""

    COMPLETED = "COMPLETED"
    AGAIN = "AGAIN"
    TOLERATED = "TOLERATED"
    PUT_OFF = "PUT_OFF"
    FAILED = "FAILED"


class Strategy(StrEnum):
    """How the wait grows."""

    FIXED = "FIXED"
    LINEAR_BACKOFF = "LINEAR_BACKOFF"
    EXPONENTIAL_BACKOFF = "EXPONENTIAL_BACKOFF"


@dataclass(frozen=True, slots=True)
class Polling:
    """The settings of one attempt.

    Attributes:
        condition: JavaScript, or a value that needs none.
        interval: Seconds.
        most_interval: Seconds; None: no cap.
        duration: From the attempt's start; None: no limit.
        tolerated: So many failed polls in a row are polled again.
    """

    condition: str
    interval: float
    strategy: Strategy
    most_polls: int
    most_interval: float | None
    duration: timedelta | None
    tolerated: int

    @classmethod
    def of(cls, inputs: Mapping[str, Json]) -> Polling:
        """Reads them beside ``http_request`` or within it; beside wins.

        Raises:
            Unusable: One of them cannot be used.
        """
        within = described(inputs)
        fields = {**within, **{name: value for name, value in inputs.items() if value is not None}}
        interval = number(fields, "pollingInterval")
        if interval is not None and interval < SHORTEST_INTERVAL:
            raise Unusable(f"pollingInterval must be at least {SHORTEST_INTERVAL} seconds.")
        duration = number(fields, "maxDuration")
        tolerated = number(fields, "tolerateErrors")
        return cls(
            condition=_condition(fields.get("terminationCondition")),
            interval=60.0 if interval is None else interval,
            strategy=_strategy(fields.get("pollingStrategy")),
            most_polls=max(1, int(number(fields, "maxPollCount") or 1000)),
            most_interval=number(fields, "maxPollInterval") or None,
            duration=bounded(duration) if duration else None,
            tolerated=3 if tolerated is None else int(tolerated),
        )

    def wait(self, polls: int) -> timedelta:
        """The wait after so many polls, from 1."""
        factor = {
            Strategy.FIXED: 1,
            Strategy.LINEAR_BACKOFF: polls,
            Strategy.EXPONENTIAL_BACKOFF: 1 << min(polls, 64),
        }[self.strategy]
        seconds = self.interval * factor
        return bounded(seconds if self.most_interval is None else min(seconds, self.most_interval))

    def next_at(self, poll: Mapping[str, Json], polls: int, now: datetime) -> datetime:
        """When the next poll is due: after the wait, or later if the remote asked for that."""
        asked = poll.get("retryAfter")
        wait = self.wait(polls)
        return now + (max(wait, bounded(asked)) if isinstance(asked, int | float) else wait)


def verdict_of(value: Json) -> Verdict | None:
    """What a condition's value says; None: nothing that a condition may say."""
    if value is True or value is False:
        return Verdict.COMPLETED if value else Verdict.AGAIN
    if isinstance(value, str):
        return _BY_TEXT.get(value)
    if isinstance(value, int | float):
        return _BY_NUMBER.get(value)
    return None


_BY_NUMBER: dict[int | float, Verdict] = {
    1: Verdict.COMPLETED,
    0: Verdict.AGAIN,
    -1: Verdict.FAILED,
}
_BY_TEXT = {
    "true": Verdict.COMPLETED,
    "1": Verdict.COMPLETED,
    "false": Verdict.AGAIN,
    "0": Verdict.AGAIN,
    "-1": Verdict.FAILED,
}


def constant(condition: str) -> Verdict | None:
    """The verdict of a condition that is a bare value; None: it is a script."""
    return _BY_TEXT.get(condition.strip().removesuffix(";").rstrip())


def poll_of(view: View, outcome: HttpOutcome) -> dict[str, Json]:
    """One poll before its verdict; see :func:`recorded`."""
    asked = retry_after(outcome, view.now) if isinstance(outcome, HttpAnswer) else None
    return {
        "number": view.task.poll_count + 1,
        "at": milliseconds(view.now - outcome.duration),
        "status": outcome.status,
        "ms": round(outcome.duration.total_seconds() * 1000),
        "progress": _progress(outcome),
        "retryAfter": asked.total_seconds() if asked else None,
    }


def recorded(
    view: View, poll: dict[str, Json], verdict: Verdict, next_at: datetime | None, reason: str
) -> list[Json]:
    """The task's last polls, with this one.

    Each is ``{number, at, status, ms, progress, retryAfter, verdict, next, reason}``: ``at`` and
    ``next`` in epoch milliseconds, ``status`` 0 without an answer, ``progress`` the number that
    the answer's body has under that name, ``retryAfter`` the seconds that the remote asked for;
    what there is none of is null.
    """
    polls = view.task.memory.get("polls")
    done: dict[str, Json] = {
        **poll,
        "verdict": verdict.value,
        "next": milliseconds(next_at) if next_at else None,
        "reason": view.said(reason)[:_REASON_LENGTH] or None,
    }
    before = polls if isinstance(polls, list) else []
    # It was put off before.
    if before and isinstance(before[-1], dict) and before[-1].get("number") == poll["number"]:
        before = before[:-1]
    return [*before[-(KEPT_POLLS - 1) :], done]


def _progress(outcome: HttpOutcome) -> int | float | None:
    body = outcome.body if isinstance(outcome, HttpAnswer) else None
    value = body.get("progress") if isinstance(body, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _condition(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if value in (0, 1, -1) else str(value)
    if not isinstance(value, str) or not value.strip():
        raise Unusable("terminationCondition is required: the input has none.")
    return value


def _strategy(value: Json) -> Strategy:
    try:
        return Strategy(str(value or "FIXED").strip().upper())
    except ValueError:
        known = ", ".join(Strategy)
        raise Unusable(f"pollingStrategy must be one of {known}, not {shown(value)}.") from None

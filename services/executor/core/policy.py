"""How a step is retried and timed: its task definition, with Conductor's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from services.executor.core.model import Json

# Beyond ten years a delay is as good as none, and dates end.
LONGEST = timedelta(days=3650)
# A number that a float can be multiplied by.
_MOST_FACTOR = 1 << 64


class RetryLogic(StrEnum):
    """How the delay before a retry grows."""

    FIXED = "FIXED"
    LINEAR_BACKOFF = "LINEAR_BACKOFF"
    EXPONENTIAL_BACKOFF = "EXPONENTIAL_BACKOFF"


class TimeoutPolicy(StrEnum):
    """What the time-out of an attempt does."""

    RETRY = "RETRY"
    TIME_OUT_WF = "TIME_OUT_WF"
    ALERT_ONLY = "ALERT_ONLY"


class Limits(NamedTuple):
    """How many tasks of a definition may be under way.

    Attributes:
        at_once: At a time; 0: any number.
        rate: Begun within ``span``; 0: any number.
    """

    at_once: int
    rate: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for the attempts of one step.

    Attributes:
        retries: How many attempts follow the first, at most.
        most_delay: Caps the delay before a retry; zero: no cap.
        jitter: At most so much is added to the delay.
        timeout: Of one attempt, from its start; zero: none.
        response_timeout: How long nothing may be heard of it; zero: any time.
        total_timeout: Of all attempts together; zero: none.
        poll_timeout: How long it may wait for a worker; zero: any time.
        limits: None: there are none.
    """

    retries: int = 0
    logic: RetryLogic = RetryLogic.FIXED
    delay: timedelta = timedelta(seconds=60)
    scale: int = 1
    most_delay: timedelta = timedelta()
    jitter: timedelta = timedelta()
    timeout: timedelta = timedelta()
    timeout_policy: TimeoutPolicy = TimeoutPolicy.TIME_OUT_WF
    response_timeout: timedelta = timedelta()
    total_timeout: timedelta = timedelta()
    poll_timeout: timedelta = timedelta()
    limits: Limits | None = None

    @classmethod
    def of(cls, step: Mapping[str, Json], definition: Mapping[str, Json] | None) -> Policy:
        """The policy of a task with that definition.

        Without one it is not retried. A ``retryCount`` of the task itself always wins.

        Raises:
            ValueError: On what the registry would have refused.
        """
        known = definition if definition is not None else {"retryCount": 0}
        retries = _number(step, "retryCount", -1)
        return cls(
            retries=int(retries if retries >= 0 else _number(known, "retryCount", 3)),
            logic=RetryLogic(str(known.get("retryLogic") or "FIXED")),
            delay=_seconds(known, "retryDelaySeconds", 60),
            scale=int(_number(known, "backoffScaleFactor", 1)),
            most_delay=_seconds(known, "maxRetryDelaySeconds", 0),
            jitter=_seconds(known, "backoffJitterMs", 0) / 1000,
            timeout=_seconds(known, "timeoutSeconds", 0),
            timeout_policy=TimeoutPolicy(str(known.get("timeoutPolicy") or "TIME_OUT_WF")),
            response_timeout=_seconds(
                known, "responseTimeoutSeconds", 0 if definition is None else 3600
            ),
            total_timeout=_seconds(known, "totalTimeoutSeconds", 0),
            poll_timeout=_seconds(known, "pollTimeoutSeconds", 0),
            limits=_limits(known),
        )

    def delay_after(self, attempt: int) -> timedelta:
        """The delay, without jitter, after attempt ``attempt`` (from 0) has failed."""
        factor = {
            RetryLogic.FIXED: 1,
            RetryLogic.LINEAR_BACKOFF: min(max(self.scale, 0) * (attempt + 1), _MOST_FACTOR),
            RetryLogic.EXPONENTIAL_BACKOFF: 1 << min(attempt, 64),
        }[self.logic]
        delay = bounded(self.delay.total_seconds() * factor)
        return min(delay, self.most_delay) if self.most_delay else delay


def bounded(seconds: float) -> timedelta:
    """So many seconds, at most :data:`LONGEST`."""
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST.total_seconds()))


def _limits(document: Mapping[str, Json]) -> Limits | None:
    at_once = int(_number(document, "concurrentExecLimit", 0))
    rate = int(_number(document, "rateLimitPerFrequency", 0))
    span = _seconds(document, "rateLimitFrequencyInSeconds", 1)
    # Conductor's: one of both, and there is no rate.
    rate = rate if rate > 0 and span else 0
    return Limits(max(at_once, 0), rate, span) if at_once > 0 or rate else None


def _number(document: Mapping[str, Json], name: str, default: int) -> int | float:
    value = document.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number")
    return value


def _seconds(document: Mapping[str, Json], name: str, default: int) -> timedelta:
    return bounded(_number(document, name, default))

"""Task definitions: how tasks of a name are retried and timed, wherever they stand."""

from __future__ import annotations

from dataclasses import replace

from services.registry.definitions.expressions import Scope, check_expressions
from services.registry.definitions.masks import masked_fields
from services.registry.definitions.model import Document, Kind
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown, kept
from services.registry.definitions.schema_use import check_schema_uses, schema_fields
from services.registry.definitions.values import (
    Anything,
    Boolean,
    Choice,
    ListOf,
    Name,
    Object,
    Text,
    whole,
)

# No worker could ask for a queue of other names.
_SUFFIX = Text(pattern=r"[A-Za-z0-9_.-]{0,100}", wants="letters, digits, '_', '.' and '-'")

_SERVERS_RETRY_DELAY = 60
_SERVERS_RESPONSE_TIMEOUT = 3600


def _check_timeouts(document: Document, at: Place) -> None:
    """Conductor's two rules; what is absent is no limit beyond the one that is given."""
    timeout, response = (
        _seconds(document, "timeoutSeconds"),
        _seconds(document, "responseTimeoutSeconds"),
    )
    if 0 < timeout < response:
        (at / "responseTimeoutSeconds").fault(
            f"must be at most timeoutSeconds, {timeout}, not {response}"
        )
    total = _seconds(document, "totalTimeoutSeconds")
    if 0 < total < timeout:
        (at / "timeoutSeconds").fault(
            f"must be at most totalTimeoutSeconds, {total}, not {timeout}"
        )


def _warn_of_vain(document: Document, at: Place) -> None:
    """What says no more than a server's default is passed over: clients send that of each field."""
    logic = document.get("retryLogic") or "FIXED"
    if logic != "LINEAR_BACKOFF" and _seconds(document, "backoffScaleFactor") > 1:
        (at / "backoffScaleFactor").warn(f"has no effect: retryLogic is {logic}")
    if _seconds(document, "rateLimitFrequencyInSeconds") > 1 and not _seconds(
        document, "rateLimitPerFrequency"
    ):
        (at / "rateLimitFrequencyInSeconds").warn("has no effect without rateLimitPerFrequency")
    most, delay = (_seconds(document, f"{name}Seconds") for name in ("maxRetryDelay", "retryDelay"))
    if 0 < most < delay != _SERVERS_RETRY_DELAY:
        (at / "retryDelaySeconds").warn(f"is cut to maxRetryDelaySeconds, {most}")
    total = _seconds(document, "totalTimeoutSeconds")
    for name in ("pollTimeoutSeconds", "responseTimeoutSeconds"):
        seconds = _seconds(document, name)
        if 0 < total < seconds != _SERVERS_RESPONSE_TIMEOUT:
            (at / name).warn(f"has no effect: totalTimeoutSeconds, {total}, is over before")


def _seconds(document: Document, name: str) -> int:
    value = document.get(name)
    return value if isinstance(value, int) else 0


RECORD = Record(
    "a task definition",
    (
        Field("name", Name(), "Its name: tasks with this `name` follow it.", required=True),
        kept("description", Text(), "For people."),
        kept("ownerEmail", Text(), "For people."),
        kept("tags", ListOf(Anything()), "Tags."),
        Field("retryCount", whole(), "How often a failed attempt is tried again.", default=3),
        Field(
            "retryLogic",
            Choice(("FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF")),
            "How the delay d before the n-th retry grows: d; d · backoffScaleFactor · n; d · 2ⁿ⁻¹.",
            default="FIXED",
        ),
        Field("retryDelaySeconds", whole(), "Before a retry.", default=_SERVERS_RETRY_DELAY),
        Field("backoffScaleFactor", whole(1), "For LINEAR_BACKOFF.", default=1),
        Field("maxRetryDelaySeconds", whole(), "The delay's cap; 0: none.", default=0),
        Field("backoffJitterMs", whole(), "At most so much is added by chance.", default=0),
        Field("timeoutSeconds", whole(), "Of one attempt; 0: none.", default=0),
        Field(
            "timeoutPolicy",
            Choice(("RETRY", "TIME_OUT_WF", "ALERT_ONLY")),
            "What a time-out of an attempt does.",
            default="TIME_OUT_WF",
        ),
        Field(
            "responseTimeoutSeconds",
            whole(1),
            "How long a worker may be silent; at most timeoutSeconds.",
            default=_SERVERS_RESPONSE_TIMEOUT,
        ),
        Field("totalTimeoutSeconds", whole(), "Over all attempts; 0: none.", default=0),
        Field("pollTimeoutSeconds", whole(), "How long it may wait for a worker."),
        Field("concurrentExecLimit", whole(), "At most so many at a time; 0: any number."),
        Field(
            "rateLimitPerFrequency",
            whole(),
            "At most so many begin within rateLimitFrequencyInSeconds; 0: any number.",
        ),
        Field("rateLimitFrequencyInSeconds", whole(), "For rateLimitPerFrequency.", default=1),
        Field("inputTemplate", Object(), "Input that a task lacks, or that is null.", default={}),
        kept("inputKeys", ListOf(Text()), "For people."),
        kept("outputKeys", ListOf(Text()), "For people."),
        kept("baseType", Text(), "For people."),
        *schema_fields("A task that breaks it fails for good.", enforced=False),
        kept("taskStatusListenerEnabled", Boolean(), "Accepted."),
        kept("accessPolicy", Anything(), "Accepted."),
        masked_fields("the executions that have its tasks"),
        Field("isolationGroupId", _SUFFIX, "Workers of their own: they ask for `NAME-GROUP`."),
        Field("executionNameSpace", _SUFFIX, "Workers of their own: they ask for `NAME@SPACE`."),
        Field(
            "runtimeMetadata",
            ListOf(Text(pattern=r"[A-Za-z_][A-Za-z0-9_-]*", wants="a name of a secret")),
            "Secrets, or variables of the environment, that its workers are given and nobody sees.",
            default=[],
        ),
    ),
    unknown=Unknown.WARN,
    rules=(_check_timeouts, _warn_of_vain, check_schema_uses(enforced=False)),
)

EMBEDDED = replace(RECORD.without(("name",)), noun="an embedded task definition")


def _check(document: Document, at: Place) -> None:
    template = document.get("inputTemplate")
    check_expressions(template, at / "inputTemplate", Scope(None, calls_out=True, callback=True))


KIND = Kind(
    name="task",
    doc="How tasks of a name are retried and timed; Conductor's task definition.",
    record=RECORD,
    check=_check,
)

"""HTTP_POLL: the same request again and again, until a condition holds."""

from __future__ import annotations

from dataclasses import replace

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, Unknown, later
from services.registry.definitions.tasks.http import (
    ON_INTERRUPTED,
    REQUEST_FIELDS,
    RequestInput,
)
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import (
    Choice,
    Number,
    whole,
)


class Condition:
    """JavaScript, or a bare boolean or number, which is taken as its text."""

    def check(self, value: Json, at: Place) -> Json:
        if isinstance(value, str):
            if value.strip():
                at.script(value)
            else:
                at.fault("must not be empty")
        elif not isinstance(value, bool | int | float):
            at.fault(f"must be JavaScript, true, false or a number, not {shown(value)}")
        return value

    def says(self) -> str:
        return "JavaScript"

    def schema(self) -> Document:
        return {"anyOf": [{"type": "string", "minLength": 1}, {"type": ["boolean", "number"]}]}


_POLLING = (
    Field(
        "terminationCondition",
        Condition(),
        "JavaScript, judged after every poll: true, 1, 'true' or '1' end the task COMPLETED; "
        "false, 0, 'false' or '0' poll again; -1 and anything else: FAILED. `$.output` is this "
        "poll's output, `$.input` the task's input, `$.<ref>.output` another task's.",
        required=True,
    ),
    Field("pollingInterval", Number(0.1), "Seconds between polls.", default=60),
    Field(
        "pollingStrategy",
        Choice(("FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF")),
        "The wait after the n-th poll: i; i·n; i·2ⁿ.",
        default="FIXED",
    ),
    Field("maxPollCount", whole(1), "Beyond so many polls: TIMED_OUT.", default=1000),
    Field("maxPollInterval", Number(0.1), "The wait's cap in seconds. Podium's own."),
    Field("maxDuration", Number(0.1), "Seconds that polling may take. Podium's own."),
    Field(
        "tolerateErrors",
        whole(),
        "So many failed polls in a row are polled again (no connection, time-out, 408, 425, 429, "
        "5xx). Podium's own.",
        default=3,
    ),
)
_POLLING_NAMES = tuple(field.name for field in _POLLING)

REQUEST = Record(
    "an HTTP request",
    (
        *(
            replace(field, required=False, default="GET") if field.name == "method" else field
            for field in REQUEST_FIELDS
        ),
        later(
            "hedgingConfig",
            "Of HTTP.",
            {"maxAttempts": 0},
            {"maxAttempts": 1},
            refusal="is for HTTP: a poll that is slow is followed by the next",
        ),
        *_POLLING,
        ON_INTERRUPTED,
    ),
    unknown=Unknown.WARN,
    templated=True,
)


KIND = TaskKind(
    name="HTTP_POLL",
    doc=(
        "The same request again and again until `terminationCondition` holds; the first poll is at "
        "once. Its fields stand in `inputParameters.http_request` or flat in `inputParameters`; "
        "the polling fields may also stand beside `http_request`, and win there."
    ),
    inputs=REQUEST,
    fields=(ON_INTERRUPTED,),
    nested="http_request",
    calls_out=True,
    read_inputs=RequestInput(REQUEST, (*_POLLING_NAMES, "onInterrupted")).read,
)

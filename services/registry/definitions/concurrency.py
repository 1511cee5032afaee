"""How many executions of a route run side by side, by a key that the route writes."""

from __future__ import annotations

from services.registry.definitions.keys import KEY, check_key
from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record
from services.registry.definitions.values import Choice, whole

MOST_EXECUTIONS = 100_000
MOST_QUEUED = 1000
DEFAULT_QUEUED = 100
# As callers know it, in `RateLimit-Policy`.
POLICY = "concurrent"

CONCURRENCY = Record(
    "a rate limit configuration",
    (
        Field(
            "rateLimitKey",
            KEY,
            "What is counted apart: `${principal}`, `${path.NAME}`, `${query.NAME}`, "
            "`${headers.NAME}`, `${body.FIELD}`; absent: all calls of the route together.",
        ),
        Field(
            "concurrentExecLimit",
            whole(1, MOST_EXECUTIONS),
            "How many executions run side by side.",
            required=True,
        ),
        Field(
            "onFull",
            Choice(("REJECT", "QUEUE")),
            "What becomes of a call when so many run: 429, or it waits for one of them to end, and "
            "gets 429 when its time is up before.",
            default="REJECT",
        ),
        Field(
            "maxQueued",
            whole(1, MOST_QUEUED),
            "How many calls may wait, for each value of the key; 429 beyond.",
            default=DEFAULT_QUEUED,
        ),
    ),
)


def check_concurrency(route: Document, at: Place) -> None:
    """Tells a key of what no request has, and what only goes with something else."""
    config = route.get("rateLimitConfig")
    if not isinstance(config, dict):
        return
    where, key = at / "rateLimitConfig", config.get("rateLimitKey")
    if isinstance(key, str):
        check_key(key, route, where / "rateLimitKey", of_body=True)
    if "maxQueued" in config and config.get("onFull") != "QUEUE":
        (where / "maxQueued").warn("has no effect: nobody waits unless onFull is QUEUE")
    limits = route.get("rateLimits")
    for index, each in enumerate(limits if isinstance(limits, list) else ()):
        if isinstance(each, dict) and each.get("name") == POLICY:
            (at / "rateLimits" / index / "name").fault(
                f"'{POLICY}' is the name of the limit of rateLimitConfig"
            )

"""Which answers of a route are kept: by which key, for how long, for whom."""

from __future__ import annotations

from services.registry.definitions.keys import KEY, check_key
from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record
from services.registry.definitions.values import Boolean, whole

SHORTEST_SECONDS = 300
LONGEST_SECONDS = 2_592_000

CACHE = Record(
    "a cache configuration",
    (
        Field(
            "key",
            KEY,
            "Calls with the same key have the same answer: `${principal}`, `${path.NAME}`, "
            "`${query.NAME}`, `${headers.NAME}`, `${body}`, `${body.FIELD.FIELD}`. A key that "
            "names nothing of the body has all of it added; absent: path, query and body.",
        ),
        Field(
            "ttlInSecond",
            whole(SHORTEST_SECONDS, LONGEST_SECONDS),
            "Seconds for which an answer is kept.",
            default=SHORTEST_SECONDS,
        ),
        Field(
            "shared",
            Boolean(),
            "One answer for all callers; else each key of the gateway has its own. Podium's own.",
            default=False,
        ),
    ),
)


def check_cache(route: Document, at: Place) -> None:
    """Tells a key of what no request has, and a cache that can never hold anything."""
    cache = route.get("cacheConfig")
    if not isinstance(cache, dict):
        return
    where, key = at / "cacheConfig", cache.get("key")
    if isinstance(key, str):
        check_key(key, route, where / "key", of_body=True)
    if route.get("workflowExecutionMode") == "ASYNCHRONOUS":
        where.warn("has no effect on an ASYNCHRONOUS route, which answers 202")

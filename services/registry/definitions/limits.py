"""How often a route may be called: requests per window, by keys that routes write."""

from __future__ import annotations

from services.registry.definitions.keys import KEY, check_key
from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record
from services.registry.definitions.values import Text, whole

MOST_REQUESTS = 100_000
LONGEST_WINDOW_SECONDS = 86_400

RATE_LIMIT = Record(
    "a rate limit",
    (
        Field(
            "name",
            Text(
                shortest=1,
                longest=64,
                pattern=r"[A-Za-z0-9_.-]+",
                wants="letters, digits, '_', '.' and '-'",
            ),
            "What callers know it by, in `RateLimit-Policy`.",
            required=True,
        ),
        Field(
            "key",
            KEY,
            "What is counted apart: `${principal}`, `${path.NAME}`, `${query.NAME}`, "
            "`${headers.NAME}`; absent: all calls of the route together.",
        ),
        Field("limit", whole(1, MOST_REQUESTS), "How many requests.", required=True),
        Field(
            "windowSeconds",
            whole(1, LONGEST_WINDOW_SECONDS),
            "Within how long, at any time.",
            required=True,
        ),
    ),
)


def check_rate_limits(route: Document, at: Place) -> None:
    """Tells names that are given twice, and keys of what no request has."""
    limits = route.get("rateLimits")
    seen: set[Json] = set()
    for index, each in enumerate(limits if isinstance(limits, list) else ()):
        if not isinstance(each, dict):
            continue
        where, name, key = at / "rateLimits" / index, each.get("name"), each.get("key")
        if isinstance(name, str):
            if name in seen:
                (where / "name").fault(f"'{name}' is declared twice")
            seen.add(name)
        if isinstance(key, str):
            check_key(key, route, where / "key")

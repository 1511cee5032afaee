"""WAIT_FOR_WEBHOOK: waits until a request to a webhook tells what it wants to hear.

What it waits for stands in its memory such that those are found that a request matches, without a
look at the others: the paths that they look at, and a digest of the values that they want there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from services.executor.core import jsonpath
from services.executor.core.commands import Listen
from services.executor.core.identity import digest
from services.executor.core.kind import Kind, Next, View, Waiting, unusable
from services.executor.core.model import Json

MOST_MATCHES = 16


class WaitForWebhook(Kind):
    """Input: ``webhook``, its name, and ``matches``, values by path."""

    def begin(self, view: View) -> Next:
        name, matches = view.input.get("webhook"), view.input.get("matches") or {}
        if not isinstance(name, str) or not name:
            return unusable("Missing 'webhook' in input data.")
        if not isinstance(matches, dict) or len(matches) > MOST_MATCHES:
            return unusable(
                f"'matches' must be an object of at most {MOST_MATCHES} values by path."
            )
        paths = sorted(matches)
        for path in paths:
            try:
                jsonpath.parse(path)
            except jsonpath.BadPath as error:
                return unusable(f"'matches' has no path {path!r}: {error}.")
        wanted, looked_at = value_digest([matches[path] for path in paths]), json.dumps(paths)
        # Whoever takes anything takes what is still to come.
        listen = (Listen(view.task.id, name, looked_at, wanted),) if paths else ()
        memory: dict[str, Json] = {"webhook": name, "paths": looked_at, "digest": wanted}
        return Waiting(memory=memory, commands=listen)


def found_digest(paths: Sequence[str], payload: Mapping[str, Json]) -> str:
    """The digest of what stands in ``payload`` at ``paths``.

    Raises:
        jsonpath.TooCostly: It cannot be looked for.
    """
    visits, body = jsonpath.Visits(), dict(payload)
    found = [jsonpath.find(jsonpath.parse(path), body, 0, visits) for path in paths]
    return value_digest(found)


def value_digest(values: Sequence[Json]) -> str:
    """One for values that are equal in JavaScript's eyes: 1 and 1.0 are."""
    return digest(json.dumps([_plain(value) for value in values], sort_keys=True))


def _plain(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""Which command shows what the console shows: its nouns, and the words that follow `podium`."""

from __future__ import annotations

from collections.abc import Mapping

# By the noun's name in the console. Kinds of definitions are shown by `podium get KIND` itself.
TWINS: Mapping[str, tuple[str, ...]] = {
    "executions": ("executions",),
    "workflows": ("get", "workflow"),
    "tasks": ("get", "task"),
    "task-runs": ("tasks",),
    "services": ("get", "service"),
    "routes": ("routes",),
    "auths": ("get", "auth"),
    "applications": ("get", "application"),
    "webhooks": ("get", "webhook"),
    "handlers": ("get", "event"),
    "schedules": ("get", "schedule"),
    "schemas": ("get", "schema"),
    "secrets": ("get", "secret"),
    "pulse": ("pulse",),
    "metrics": ("metrics",),
    "engine": ("engine",),
    "limits": ("limits",),
    "queues": ("queues",),
    "workers": ("workers",),
    "breakers": ("breakers",),
    "cache": ("cache",),
    "log": ("log",),
    "audit": ("audit",),
    "access-keys": ("access-keys", "list"),
    "signing-keys": ("signing-keys",),
    "suite": ("status",),
    "contexts": ("contexts",),
}

# Those that are no kinds of definitions, and that `podium get` takes as well.
OTHERS = tuple(noun for noun, words in TWINS.items() if words[0] != "get")

# What only a console has.
OWN: Mapping[str, str] = {
    "actions": "what was done from one console; the audit log has what all did",
    "keys": "the console's own keys; docs/console-keys.md lists them",
}


def twin_of(word: str) -> tuple[str, ...]:
    """The command for a noun of the console or another name of it; empty: it is none."""
    if word in TWINS:
        return TWINS[word]
    # Late: only what is no kind is looked for among all nouns.
    from tui.resources import find

    noun = find(word)
    return TWINS.get(noun.name, ()) if noun is not None else ()

"""The kinds of definitions by every word that people type for them."""

from __future__ import annotations

_WORDS = {
    "workflow": "workflows wf wfs",
    "task": "tasks taskdef taskdefs",
    "schema": "schemas",
    "application": "applications app apps",
    "auth": "auths authconfig authconfigs",
    "service": "services svc svcs",
    "secret": "secrets",
    "schedule": "schedules",
    "event": "handlers handler",
    "webhook": "webhooks",
}
KINDS = tuple(_WORDS)
ALIASES = {word: kind for kind, words in _WORDS.items() for word in (kind, *words.split())}


def kind_of(word: str) -> str:
    """The kind that ``word`` is for, in any case; what is unknown stays as it is."""
    return ALIASES.get(word.lower(), word)

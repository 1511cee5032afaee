"""One entry of the audit log, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ALLOWED, DENIED, FAILED = OUTCOMES = ("allowed", "denied", "failed")

_LONGEST = {
    "principal": 300,
    "key_id": 100,
    "via": 50,
    "action": 50,
    "kind": 50,
    "name": 300,
    "method": 100,
    "detail": 500,
    "before": 200,
    "after": 200,
    "source": 100,
    "agent": 120,
    "trace": 130,
    "uid": 64,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did or was refused. It holds no secret, and no body.

    Attributes:
        principal: Who, e.g. ``application:admin``, ``key:shop/first``; empty: nobody knows.
        action: What, in a word: ``create``, ``change``, ``delete``, ``pause`` …
        kind: Of what it was done to: a kind of definition, ``execution``, ``breaker`` …
        name: Its name or id.
        detail: One sentence.
        outcome: ``allowed``, ``denied`` or ``failed``.
        key_id: The access key by which the caller came.
        via: The service that made the call for the principal; empty: it called itself.
        method: The RPC, e.g. ``PutDefinitions``; of a gateway call its route.
        source: The address of who called, without the port.
        agent: What the caller says that it is, cut short.
        trace: The id of the trace or request that it was part of.
        version: Of a definition with versions.
        revision_before, revision: Of a definition, before and after; 0: there was, or is, none.
        before, after: How it stood: a definition's etags, an execution's statuses.
        count: How many of the same it stands for.
        uid: By it a repeat is known; empty: it is told once.
        id: Rises with the order of arrival; 0 until it is written.
        at: When it happened; None: now.
    """

    principal: str
    action: str
    kind: str = ""
    name: str = ""
    detail: str = ""
    outcome: str = ALLOWED
    key_id: str = ""
    via: str = ""
    method: str = ""
    source: str = ""
    agent: str = ""
    trace: str = ""
    version: int = 0
    revision_before: int = 0
    revision: int = 0
    before: str = ""
    after: str = ""
    count: int = 1
    uid: str = ""
    id: int = 0
    at: datetime | None = None

    def text(self, name: str) -> str:
        """The text of a field, as long as it may be, and such as can be stored."""
        value: str = getattr(self, name)
        short = value[: _LONGEST[name]]
        return short.encode("utf-8", "replace").decode()

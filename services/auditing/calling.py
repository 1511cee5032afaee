"""The call that is being served, as an entry of the audit log tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc

from services import access, origins, tracing
from services.access import Principal
from services.auditing.entries import Entry
from services.auditing.methods import action_of, short
from services.guessing import address_of
from services.rights import EDGE

Context = grpc.aio.ServicerContext[Any, Any]

_NAMED, _LONGEST_ID = 5, 64
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(slots=True)
class Calling:
    """Who calls what, from where.

    Attributes:
        method: ``/package.Service/Method``.
        uid: One call is one entry, however often it is told.
        at: When it came.
        kind, name: What it is about, as far as the request says.
        action: What it does, in a word; empty: what such a call does.
        asked: What else it says, in a few words: names alone, no bodies.
        meant: Those that it is about, where they are many, in a few words.
        tries: Whether it only asks what would be changed.
        noted: Whether its entry is written, or about to be with what it does.
        verdict: The entry to be written once it is answered: nothing of it was done.
    """

    method: str
    principal: Principal | None
    source: str = ""
    agent: str = ""
    trace: str = ""
    key_id: str = ""
    via: str = ""
    spoken: str = ""
    uid: str = field(default_factory=lambda: uuid4().hex)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    kind: str = ""
    name: str = ""
    action: str = ""
    asked: str = ""
    meant: str = ""
    tries: bool = False
    noted: bool = False
    verdict: Entry | None = None

    @property
    def who(self) -> str:
        """Whom it is done for."""
        return self.spoken or (self.principal.name if self.principal else "")

    def entry(self, detail: str = "", **more: Any) -> Entry:
        """The entry of this call."""
        action = self.action or action_of(self.method)
        entry = Entry(self.who, action, self.kind, self.name, detail, uid=self.uid, at=self.at)
        return self.completed(replace(entry, **more))

    def completed(self, entry: Entry) -> Entry:
        """``entry`` with where the call came from, where it says nothing else."""
        known = {
            "key_id": self.key_id,
            "via": self.via,
            "method": short(self.method),
            "source": self.source,
            "agent": self.agent,
            "trace": self.trace,
        }
        missing: dict[str, Any] = {
            name: text for name, text in known.items() if not getattr(entry, name)
        }
        return replace(entry, **missing)


# Set while a call is served that changes something; None: it is written down by another way.
current: ContextVar[Calling | None] = ContextVar("podium_calling", default=None)


def calling(method: str, context: Context) -> Calling:
    """The call that ``context`` is of; who makes it is known once the guard has let it in."""
    given = {
        name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)
    }
    principal = access.current.get(None)
    told = Calling(method, principal, address_of(context.peer()), printed(given.get("user-agent")))
    trace = tracing.of_metadata(given)
    told.trace = trace.trace_id if trace is not None else ""
    if principal is not None:
        told.key_id = principal.access_key_id
        # Of anybody else it would be a word about themselves.
        if EDGE in (principal.name, principal.via):
            of_origin(told, origins.read(given))
    return told


def of_origin(told: Calling, origin: origins.Origin) -> None:
    """Have the entry say whom the edge calls for; it has been proven that it is the edge."""
    told.via = EDGE
    told.source, told.agent = origin.address, printed(origin.agent)
    told.key_id, told.trace = origin.key, origin.trace or told.trace
    if told.principal is not None and told.principal.name == EDGE:
        told.spoken = origin.principal


# Of requests: what names something, or says how.
_TOLD = (
    "ref", "task_id", "worker_id", "domain", "mode", "status", "terminate", "with_children",
    "use_latest_definitions", "service_id", "method", "path", "principal", "all",
)  # fmt: skip


def asked(request: Any) -> str:
    """What ``request`` says beside whom it is about, in a few words."""
    told = []
    for name, described in request.DESCRIPTOR.fields_by_name.items():
        if name in _TOLD and (value := getattr(request, name)):
            enum = described.enum_type
            known = enum.values_by_number.get(value) if enum is not None else None
            said = known.name.lower() if known is not None else str(value)
            told.append(name if value is True else f"{name} {printed(said)}")
    return ", ".join(told)


def meant(request: Any, many: str) -> str:
    """Those that ``request`` names in its field ``many``, or by a query; empty: one alone."""
    if query := getattr(request, "query", ""):
        return f"the query {printed(query)!r}"
    names = getattr(request, many)
    return names_of([printed(name)[:_LONGEST_ID] for name in names], _NAMED) if names[1:] else ""


def printed(text: str | None) -> str:
    """``text`` without what would not be seen, cut short."""
    return _UNPRINTABLE.sub("?", (text or "")[:120])


def names_of(items: Iterable[str], most: int = 20) -> str:
    """Some names in a sentence."""
    every = list(items)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more

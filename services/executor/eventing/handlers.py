"""Event handlers, and what they ask for once an event has told something (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.executor.core.expressions import resolved
from services.executor.core.jsonpath import Visits
from services.executor.core.model import Json

MESSAGE_ID = "conductor.event.messageId"
EVENT_NAME = "conductor.event.name"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is to be done.

    Attributes:
        name: ``start_workflow`` ….
        document: What it is done with; values may hold expressions.
    """

    name: str
    document: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Handler:
    """What is done on an event.

    Attributes:
        condition: JavaScript; empty: there is none.
    """

    name: str
    event: str
    condition: str
    actions: tuple[Action, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Handler:
        """Of a definition. Raises KeyError or TypeError on what the registry would have refused."""
        return cls(
            name=str(document["name"]),
            event=str(document["event"]),
            condition=str(document.get("condition") or "").strip(),
            actions=tuple(
                Action(str(each["action"]), each.get(each["action"]) or {})
                for each in document["actions"]
            ),
        )


def listening(documents: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Handler, ...]]:
    """The active handlers by event, in order of name. Raises as :meth:`Handler.of` does."""
    found: dict[str, tuple[Handler, ...]] = {}
    for document in documents:
        if document.get("active") is True:
            handler = Handler.of(document)
            found[handler.event] = (*found.get(handler.event, ()), handler)
    return found


class PayloadScope:
    """What an event tells, as what expressions name."""

    __slots__ = ("_payload", "_visits")

    def __init__(self, payload: Mapping[str, Json]) -> None:
        self._payload = dict(payload)
        self._visits = Visits()

    @property
    def visits(self) -> Visits:
        return self._visits

    def root(self, name: str) -> Json:
        return self._payload.get(name)

    def member(self, root: str, name: str) -> Json:
        value = self._payload.get(root)
        return value.get(name) if isinstance(value, dict) else None

    def everything(self) -> Json:
        return self._payload


def asked(action: Action, payload: Mapping[str, Json]) -> dict[str, Json]:
    """The action's document for a payload; may raise :class:`jsonpath.TooCostly`."""
    value = resolved(dict(action.document), PayloadScope(payload))
    return value if isinstance(value, dict) else {}


def is_true(value: Json) -> bool:
    """Whether a condition holds that came to ``value``, as Conductor has it."""
    match value:
        case bool():
            return value
        case int() | float():
            return value > 0
        case str():
            return value.lower() == "true"
    return False


def started_input(request: Mapping[str, Json], message_id: str, event: str) -> dict[str, Json]:
    """The input of what an action starts, with what it comes from."""
    given = request.get("input")
    return {
        **(given if isinstance(given, dict) else {}),
        MESSAGE_ID: message_id,
        EVENT_NAME: event,
    }

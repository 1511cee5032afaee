"""Completion webhooks: who is told of the end of an execution, and of how much. No IO.

What is sent, and when again, is the executor's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.edge.problems import Faults
from services.edge.query import Pairs
from services.json_text import Json
from services.urls import url_fault

if TYPE_CHECKING:
    from services.edge.routes import Route

CALLBACK_URL = "callbackUrl"
NOT_TOLD = "Nobody can be told of the end by this callbackUrl: see errors."


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom a route tells.

    Attributes:
        url: Empty: nobody, unless the caller says whom.
        caller_url: The caller may.
    """

    url: str
    secret_name: str
    caller_url: bool


def read_webhook(route: Mapping[str, Any]) -> Webhook | None:
    """A route's ``completionWebhook``, as the registry keeps it."""
    webhook = route.get("completionWebhook")
    if not webhook:
        return None
    url, secret_name = webhook.get("url") or "", webhook["secretName"]
    return Webhook(url, secret_name, webhook.get("callerUrl") is True)


def named_url(webhook: Webhook | None, pairs: Pairs, document: Json) -> tuple[str, Faults]:
    """Whom the caller names, and what is wrong with it; the query goes before the body.

    Empty where it names nobody, or may not: the field is then one as any other.
    """
    if webhook is None or not webhook.caller_url:
        return "", ()
    given: list[Json] = [value for name, value in pairs if name == CALLBACK_URL]
    pointer = f"/query/{CALLBACK_URL}"
    if not given and isinstance(document, dict):
        given, pointer = [document.get(CALLBACK_URL)], f"/{CALLBACK_URL}"
    if not given or given[0] is None:
        return "", ()
    fault = "is given twice" if len(given) > 1 else _fault(given[0])
    return ("", ((pointer, fault),)) if fault else (str(given[0]), ())


def _fault(value: Json) -> str:
    return url_fault(value) if isinstance(value, str) else "must be a URL"


def order(route: Route, named: str, location: str) -> dict[str, Any] | None:
    """Whom the executor is to tell, and of what: its message's fields; None: nobody.

    Args:
        named: By the caller; empty: whom the route tells.
        location: Where the answer is had.
    """
    webhook = route.webhook
    if webhook is None or not (url := named or webhook.url):
        return None
    # Of an output that is not the answer, the receiver is not told.
    made = route.response.script or route.output_schema or route.await_refs
    return {
        "url": url,
        "secret_name": webhook.secret_name,
        "location": location,
        "with_output": not made,
        "exposed": route.response.exposed,
    }

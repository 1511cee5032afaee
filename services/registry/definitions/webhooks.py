"""Completion webhooks of routes: whom to tell of the end of an execution."""

from __future__ import annotations

from dataclasses import dataclass

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record
from services.registry.definitions.values import Boolean, Name
from services.urls import LONGEST_URL, url_fault


@dataclass(frozen=True)
class Url:
    """A URL that is called later."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            at.fault(f"must be a URL, not {shown(value)}")
        elif fault := url_fault(value):
            at.fault(fault)
        return value

    def says(self) -> str:
        return "http or https URL"

    def schema(self) -> Document:
        return {"type": "string", "format": "uri", "maxLength": LONGEST_URL}


def _check(webhook: Document, at: Place) -> None:
    secret = webhook.get("secretName")
    if isinstance(secret, str) and secret:
        (at / "secretName").refer("secret", secret)
    if not webhook.get("url") and webhook.get("callerUrl") is not True:
        (at / "url").fault("is required unless callerUrl is true")


WEBHOOK = Record(
    "a completion webhook",
    (
        Field("url", Url(), "Who is told; needed unless callers say it."),
        Field(
            "secretName",
            Name(),
            "The secret that signs: `whsec_` and base64 of 24 to 64 bytes; several, between "
            "spaces, sign each, so that a key can be changed without a gap.",
            required=True,
            refers="secret",
        ),
        Field(
            "callerUrl",
            Boolean(),
            "Callers may name who is told instead: `callbackUrl` in the query or the body.",
            default=False,
        ),
    ),
    rules=(_check,),
)


def check_webhook(route: Document, at: Place) -> None:
    """Tells a webhook of a route whose caller waits for the answer."""
    asynchronous = route.get("workflowExecutionMode") == "ASYNCHRONOUS"
    if route.get("completionWebhook") and not asynchronous:
        (at / "completionWebhook").fault(
            "needs workflowExecutionMode: ASYNCHRONOUS: the caller of another route is told by "
            "the answer"
        )

"""Inbound webhooks: URLs of the gateway at which others tell of something."""

from __future__ import annotations

from services.registry.definitions.model import Document, Kind
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, kept
from services.registry.definitions.values import Boolean, Choice, Name, Text, whole

TYPES = ("STANDARD_WEBHOOKS", "GITHUB", "STRIPE", "SLACK", "HMAC", "HEADER", "NONE")
_NAME = Text(
    longest=128,
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    wants="letters, digits, '.', '_' and '-', the first a letter or digit",
)
_HEADER = Text(longest=128, pattern=r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", wants="a header's name")


def _check_verifier(verifier: Document, at: Place) -> None:
    kind, secret = verifier.get("type"), verifier.get("secretName")
    if isinstance(secret, str) and secret:
        (at / "secretName").refer("secret", secret)
    elif kind in TYPES and kind != "NONE":
        (at / "secretName").fault(f"is required by the type {kind}")
    if kind in ("HMAC", "HEADER") and not verifier.get("header"):
        (at / "header").fault(f"is required by the type {kind}")


_VERIFIER = Record(
    "a verifier",
    (
        Field(
            "type",
            Choice(TYPES),
            "How a request proves who sent it: signed as Standard Webhooks, GitHub, Stripe or "
            "Slack do, by an HMAC in a `header`, by the secret itself in one; or not at all.",
            required=True,
        ),
        Field("secretName", Name(), "The secret; several, a line each, are all taken, so that one "
              "can be changed without a gap.", refers="secret"),
        Field("header", _HEADER, "Of HMAC and HEADER: where it stands."),
        Field("prefix", Text(longest=64), "Of HMAC and HEADER: what stands before it there, e.g. "
              "`sha256=`.", default=""),
        Field("algorithm", Choice(("SHA256", "SHA512", "SHA1")), "Of HMAC.", default="SHA256"),
        Field("encoding", Choice(("HEX", "BASE64")), "Of HMAC.", default="HEX"),
    ),
    rules=(_check_verifier,),
)  # fmt: skip

KIND = Kind(
    name="webhook",
    doc=(
        "A URL of the gateway, `/-/webhooks/NAME`, at which others tell of something: "
        "WAIT_FOR_WEBHOOK tasks wait for it, event handlers listen to `webhook:NAME`."
    ),
    record=Record(
        "a webhook",
        (
            Field("name", _NAME, "Its name, the last part of its URL.", required=True),
            Field("verifier", _VERIFIER, "Who may send to it.", required=True),
            Field("toleranceSeconds", whole(1, 86_400), "How old a request may be that says when "
                  "it was signed, and how far ahead its clock may be.", default=300),
            Field("idHeader", _HEADER, "The header that names a delivery, where its type has none: "
                  "one that comes again is taken once."),
            Field("maxBodyBytes", whole(1, 10 << 20), "How large a body may be.",
                  default=1 << 20),
            Field("requestsPerMinute", whole(1, 1_000_000), "How many requests are taken.",
                  default=600),
            Field("keepSeconds", whole(0, 86_400), "How long a delivery that no task waits for is "
                  "kept for the first that will, and whose `matches` hold.", default=300),
            Field("enabled", Boolean(), "Whether there is such a URL.", default=True),
            kept("description", Text(), "For people."),
        ),
    ),
)  # fmt: skip

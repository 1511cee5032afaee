"""Auth configurations: how callers of a service prove who they are, and whose rights they get."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Status, kept, later
from services.registry.definitions.tokens import TOKENS, check_tokens
from services.registry.definitions.values import (
    Anything,
    ByShape,
    Choice,
    ListOf,
    Name,
    Number,
    Text,
)

AUTH_ID = Text(
    longest=128,
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    wants="letters, digits, '.', '_' and '-'",
)
# A shorter key can be guessed by asking.
_SHORT_KEY = 16
_KEY = Text(
    shortest=1,
    longest=512,
    quoted=False,
    pattern=r"[\x21-\x7e]*",
    wants="printable ASCII without spaces",
)


class _Moment(Text):
    """A moment of ISO 8601 with its zone."""

    def check(self, value: Json, at: Place) -> Json:
        try:
            known = isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            known = False
        if not known:
            at.fault("must be a moment with its zone, like 2027-01-31T00:00:00Z")
        return value

    def schema(self) -> Document:
        return {"type": "string", "format": "date-time"}


def _check_named(named: Document, at: Place) -> None:
    if "key" not in named and "name" not in named:
        (at / "key").fault("is required")


_NAMED_KEY = Record(
    "an API key",
    (
        Field("name", Name(), "What it is called in lists; keys never are shown."),
        Field(
            "key", _KEY, "What the caller sends. Left out: the key of that name, which is there."
        ),
        Field(
            "expiresAt",
            ByShape({"text": _Moment(wants="moment"), "number": Number(0, 2**53)}),
            "When it ends: ISO 8601 with a zone, or milliseconds since 1970.",
        ),
    ),
    rules=(_check_named,),
)


def _check(document: Document, at: Place) -> None:
    application = document.get("applicationId")
    if isinstance(application, str):
        (at / "applicationId").refer("application", application)
    check_tokens(document, at)
    keys = document.get("apiKeys")
    if not isinstance(keys, list):
        return
    if keys and (kind := document.get("authenticationType")) in ("NONE", "PUBLIC", "JWT"):
        other = "JWT" if kind == "JWT" else "NONE"
        (at / "apiKeys").fault(f"has no meaning where authenticationType is {other}")
    _check_keys(keys, at / "apiKeys")


def _check_keys(keys: list[Json], at: Place) -> None:
    seen: dict[str, set[Any]] = {"key": set(), "name": set()}
    for index, item in enumerate(keys):
        named: Document = item if isinstance(item, dict) else {"key": item}
        for name, values in seen.items():
            value = named.get(name)
            if isinstance(value, str) and value in values:
                (at / index).fault(f"has the same {name} as one before it")
            elif isinstance(value, str):
                values.add(value)
        key = named.get("key")
        if isinstance(key, str) and len(key) < _SHORT_KEY:
            (at / index).warn(f"is shorter than {_SHORT_KEY} characters and can be guessed")


_LATER_TYPES = ("OIDC", "BASIC", "OAUTH2", "MTLS")

KIND = Kind(
    name="auth",
    doc="How the callers of a service prove who they are, and whose rights their calls have.",
    record=Record(
        "an auth configuration",
        (
            Field("id", AUTH_ID, "Its id; immutable.", required=True),
            kept("name", Name(), "Display name."),
            kept("description", Text(), "For people."),
            Field(
                "authenticationType",
                Choice(("API_KEY", "JWT", "NONE", "PUBLIC"), later=_LATER_TYPES),
                "API_KEY; JWT: tokens of an issuer; NONE, or PUBLIC for the same: anybody may "
                "call.",
                required=True,
            ),
            Field(
                "applicationId",
                Name(),
                "The application whose rights calls have.",
                required=True,
                refers="application",
            ),
            Field(
                "apiKeys",
                ListOf(ByShape({"text": _KEY, "object": _NAMED_KEY}, quoted=False), quoted=False),
                "The keys, each text or `{name, key, expiresAt}`. Left out at creation: one is "
                "generated and shown once; left out later: keys stay; given: those are the keys, "
                "`{name}` alone the one that has the name. Never readable again.",
            ),
            Field(
                "knownKeys",
                Anything(),
                "Names and times of the keys, where it is read.",
                status=Status.SERVER,
            ),
            Field("jwt", TOKENS, "Which tokens are taken, where authenticationType is JWT."),
            later("audience", "For OIDC; of tokens, `jwt.audience`."),
            later("issuerUri", "For OIDC; of tokens, `jwt.issuer`."),
            later("conductorToken", "A token of Conductor's to call with."),
            later("passthrough", "Hand the caller's credentials on."),
            later("fallbackToDefaultAuth", "Try another way when this one fails."),
            later("tokenInWorkflowInput", "Put the caller's token into the input."),
        ),
    ),
    identity="id",
    immutable=("id",),
    hidden=("apiKeys",),
    check=_check,
)

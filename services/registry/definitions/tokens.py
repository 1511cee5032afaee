"""Which tokens of others (JWT, RFC 7519) let a caller in, and as whom."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from services.jwks import ALGORITHMS, KeyFault, has_private_part, keys_of, read_pem
from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record
from services.registry.definitions.values import (
    ByShape,
    Choice,
    ListOf,
    Object,
    Text,
    whole,
)
from services.urls import url_fault

DEFAULT_ALGORITHMS = ("RS256", "ES256", "EdDSA")
LONGEST_SKEW_SECONDS = 300
MOST_CLAIMS = 32

# RFC 6749, 3.3.
SCOPE = Text(
    shortest=1,
    longest=200,
    pattern=r"[\x21\x23-\x5b\x5d-\x7e]+",
    wants="one scope: printable ASCII without spaces, quotes and backslashes",
)
SCOPES = ListOf(SCOPE)
_AUDIENCE = Text(shortest=1, longest=512)
_CLAIM = Text(shortest=1, longest=200)
_SOURCES = ("jwksUri", "jwks", "publicKey")
_WELL_KNOWN = "/.well-known/openid-configuration"


class _Url(Text):
    """An http or https URL."""

    def check(self, value: Json, at: Place) -> Json:
        super().check(value, at)
        if isinstance(value, str) and (fault := url_fault(value)):
            at.fault(fault)
        return value

    def schema(self) -> Document:
        return {"type": "string", "format": "uri"}


def _check(rules: Document, at: Place) -> None:
    given = [name for name in _SOURCES if name in rules]
    if len(given) > 1:
        (at / given[1]).fault(f"must not be there beside {given[0]}: keys come from one place")
    if not given and isinstance(issuer := rules.get("issuer"), str):
        if fault := url_fault(issuer):
            (at / "jwksUri").fault(
                f"is required: without it keys are looked for at the issuer{_WELL_KNOWN}, and the "
                f"issuer {fault}"
            )
        else:
            _warn_of_plain_text(issuer, at / "issuer")
    if isinstance(uri := rules.get("jwksUri"), str):
        _warn_of_plain_text(uri, at / "jwksUri")
    _check_keys(rules, at)
    claims = rules.get("claims")
    if isinstance(claims, list) and len(claims) > MOST_CLAIMS:
        (at / "claims").fault(f"must be at most {MOST_CLAIMS}")


def _check_keys(rules: Document, at: Place) -> None:
    if isinstance(jwks := rules.get("jwks"), dict):
        if has_private_part(jwks):
            (at / "jwks").fault("must hold public keys only: a part of a private one is in it")
        else:
            _check_use(jwks, at / "jwks")
    if isinstance(pem := rules.get("publicKey"), str):
        if "PRIVATE" in pem:
            (at / "publicKey").fault("must be a public key: this is a private one")
            return
        try:
            read_pem(pem)
        except KeyFault as fault:
            (at / "publicKey").fault(str(fault))


def _check_use(jwks: Document, at: Place) -> None:
    try:
        found = keys_of(jwks)
    except KeyFault as fault:
        at.fault(str(fault))
        return
    if not found.keys:
        at.fault("has no key that a signature can be verified by")
    elif found.passed_over:
        at.warn(f"has {found.passed_over} of no use for verifying signatures")


def _warn_of_plain_text(uri: str, at: Place) -> None:
    try:
        url = urlsplit(uri)
        host = url.hostname or ""
    except ValueError:
        return
    if url.scheme == "http" and not _is_here(host):
        at.warn("is not https: who is between could give keys of their own, and let anybody in")


def _is_here(host: str) -> bool:
    if re.fullmatch(r"(.*\.)?localhost", host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


TOKENS = Record(
    "what tokens are taken",
    (
        Field(
            "issuer",
            Text(shortest=1, longest=512),
            "The `iss` that a token must have, exactly.",
            required=True,
        ),
        Field(
            "audience",
            ByShape({"text": _AUDIENCE, "list": ListOf(_AUDIENCE, shortest=1)}),
            "The `aud` that a token must have, or several of which it must have one.",
            required=True,
        ),
        Field(
            "jwksUri",
            _Url(),
            "Where the issuer's keys are (a JWKS). Without it, `jwks` and `publicKey`: where "
            f"`{_WELL_KNOWN}` below the issuer says.",
        ),
        Field("jwks", Object(), "The issuer's keys themselves: `{keys: [...]}`."),
        Field(
            "publicKey",
            Text(shortest=1, longest=16_384, quoted=False),
            "The issuer's one key, as PEM.",
        ),
        Field(
            "algorithms",
            ListOf(Choice(ALGORITHMS), shortest=1),
            f"What a token may be signed by; without it {', '.join(DEFAULT_ALGORITHMS)}.",
        ),
        Field(
            "clockSkewSeconds",
            whole(0, LONGEST_SKEW_SECONDS),
            "By how much the issuer's clock may be wrong.",
            default=30,
        ),
        Field(
            "type",
            Text(shortest=1, longest=100),
            "The `typ` that a token must have, like `at+jwt` (RFC 9068).",
        ),
        Field(
            "scopes",
            SCOPES,
            "What a token must have in `scope` or `scp`, all of it; a route may ask for more.",
        ),
        Field(
            "principalClaim",
            _CLAIM,
            "The claim that says who calls: limits, caches and figures tell callers apart by it.",
            default="sub",
        ),
        Field(
            "claims",
            ListOf(_CLAIM),
            "Claims that workflows see in `requestMetadata.claims`.",
        ),
    ),
    rules=(_check,),
)


def check_tokens(document: Document, at: Place) -> None:
    """Tells rules for tokens where none are taken, and tokens without rules."""
    takes_tokens = document.get("authenticationType") == "JWT"
    if takes_tokens and "jwt" not in document:
        (at / "jwt").fault("is required where authenticationType is JWT")
    if not takes_tokens and "jwt" in document:
        (at / "jwt").fault("has no meaning where authenticationType is not JWT")

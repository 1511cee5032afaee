"""(pure) Who a token says calls, if it holds: what RFC 7519 and RFC 8725 want of its claims."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.edge.mapping import parse_body
from services.edge.problems import Problem
from services.edge.tokens.form import Token
from services.edge.tokens.model import TokenRefused, TokenRules, typ_of
from services.json_text import Json

# Of those that a workflow sees, as JSON text.
LONGEST_CLAIMS = 4096
LONGEST_PRINCIPAL = 200
_MOST_SCOPES = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the token.

    Attributes:
        until: When it ends, skew included: seconds since 1970.
        claims: Those that workflows see, as far as it has them.
    """

    name: str
    scopes: frozenset[str]
    claims: Mapping[str, Json]
    until: float


def check_before_keys(token: Token, rules: TokenRules) -> None:
    """What can be said before any key is looked for: made-up tokens fetch no keys.

    Raises:
        TokenRefused: It is for somebody else.
    """
    if token.algorithm not in rules.algorithms:
        raise TokenRefused(
            f"It is signed by {_shown(token.algorithm)}, and {', '.join(sorted(rules.algorithms))} "
            "are taken."
        )
    if token.claims.get("iss") != rules.issuer:
        raise TokenRefused(
            f"It is of the issuer {_shown(token.claims.get('iss'))}, not of {rules.issuer!r}."
        )
    if rules.type and typ_of(token.typ) != rules.type:
        raise TokenRefused(f"Its typ is {_shown(token.typ)}, not {rules.type!r}.")


def holder_of(token: Token, rules: TokenRules, now: float) -> Holder:
    """Who has the token, whose signature holds.

    Args:
        now: Seconds since 1970.

    Raises:
        TokenRefused: A claim is missing or wrong, or a scope is missing.
    """
    claims, skew = token.claims, rules.skew_seconds
    _check_audience(claims.get("aud"), rules)
    until = _moment(claims, "exp")
    if until is None:
        raise TokenRefused("It has no exp: it would never end.")
    if now >= until + skew:
        raise TokenRefused(f"It ended {now - until:.0f} s ago.", "The token has expired.")
    for name in ("nbf", "iat"):
        begin = _moment(claims, name)
        if begin is not None and now < begin - skew:
            raise TokenRefused(
                f"Its {name} is {begin - now:.0f} s ahead.", "The token is not valid yet."
            )
    scopes = scopes_of(claims)
    if missing := rules.scopes - scopes:
        raise lacking(missing, rules.scopes)
    name = _principal(claims, rules.principal_claim)
    return Holder(name, scopes, _seen(claims, rules.claims), until + skew)


def lacking(missing: frozenset[str], wanted: frozenset[str]) -> TokenRefused:
    """What is said where scopes are missing."""
    return TokenRefused(
        f"It has not the scope {' '.join(sorted(missing))}.",
        "The token lacks a scope that this needs.",
        "insufficient-scope",
        wanted,
    )


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Those in ``scope`` and ``scp``: text with spaces between them (RFC 8693, 4.2), or a list."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        given = claims.get(name)
        if isinstance(given, str):
            found.update(given.split(" "))
        elif isinstance(given, list):
            found.update(each for each in given if isinstance(each, str))
    found.discard("")
    return frozenset(found) if len(found) <= _MOST_SCOPES else frozenset()


def _check_audience(given: object, rules: TokenRules) -> None:
    among = given if isinstance(given, list) else [given]
    if not any(isinstance(each, str) and each in rules.audiences for each in among):
        raise TokenRefused(
            f"It is for {_shown(given)}, not for {' or '.join(sorted(rules.audiences))}."
        )


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519, 2); None where it is not there."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"Its {name} is no number.")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise TokenRefused(f"Its {name} is no moment.")
    return seconds


def _principal(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise TokenRefused(f"It has no {name}, which would say who calls.")
    if len(value) > LONGEST_PRINCIPAL or _CONTROL.search(value):
        raise TokenRefused(
            f"Its {name} is longer than {LONGEST_PRINCIPAL} characters, or has control characters."
        )
    return value


def _seen(claims: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Json]:
    seen = {name: claims[name] for name in names if name in claims}
    if not seen:
        return seen
    try:
        text = json.dumps(seen, ensure_ascii=False, allow_nan=False)
        if len(text) > LONGEST_CLAIMS:
            raise TokenRefused(f"The claims that workflows see are longer than {LONGEST_CLAIMS}.")
        # What no body may hold is no input by this way either.
        parse_body(text.encode())
    except (ValueError, RecursionError):
        raise TokenRefused("A claim that workflows see is no JSON.") from None
    except Problem:
        raise TokenRefused(
            "A claim that workflows see has U+0000 in it, or more than 512 levels."
        ) from None
    return seen


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"

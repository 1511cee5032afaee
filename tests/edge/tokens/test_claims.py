"""Which tokens hold, by what they say; no key is asked."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.edge.tokens.claims import check_before_keys, holder_of, scopes_of
from services.edge.tokens.form import LONGEST_BYTES, Token, parsed
from services.edge.tokens.fresh import life_of
from services.edge.tokens.model import TokenRefused, TokenRules, read_rules

NOW = 1_800_000_000.0
GOOD = {"iss": "https://issuer.example", "aud": "api://orders", "sub": "ann", "exp": NOW + 60}


def rules(**more: Any) -> TokenRules:
    return read_rules(
        {
            "issuer": "https://issuer.example",
            "audience": ["api://orders", "api://billing"],
            "jwksUri": "https://issuer.example/jwks",
            **more,
        }
    )


def token(claims: dict[str, Any], algorithm: str = "RS256", typ: str = "") -> Token:
    return Token(algorithm, "one", typ, claims, b"", b"")


def without(name: str) -> dict[str, Any]:
    return {each: value for each, value in GOOD.items() if each != name}


# what it says | what is told of it; None: it holds
TABLE: list[tuple[dict[str, Any], str | None]] = [
    (GOOD, None),
    (GOOD | {"aud": "api://billing"}, None),
    (GOOD | {"aud": ["else", "api://orders"]}, None),
    (GOOD | {"aud": "api://orders/"}, "It is for"),
    (GOOD | {"aud": ["else"]}, "It is for"),
    (GOOD | {"aud": [["api://orders"]]}, "It is for"),
    (GOOD | {"aud": {"api://orders": 1}}, "It is for"),
    (without("aud"), "It is for None"),
    (without("iss"), "of the issuer None"),
    (GOOD | {"iss": "https://issuer.example/"}, "of the issuer"),
    (GOOD | {"iss": ["https://issuer.example"]}, "of the issuer"),
    (without("exp"), "has no exp"),
    (GOOD | {"exp": None}, "has no exp"),
    (GOOD | {"exp": NOW - 29}, None),
    (GOOD | {"exp": NOW - 31}, "It ended 31 s ago"),
    (GOOD | {"exp": NOW - 30}, "It ended"),
    (GOOD | {"exp": str(NOW + 60)}, "exp is no number"),
    (GOOD | {"exp": True}, "exp is no number"),
    (GOOD | {"exp": float("inf")}, "exp is no moment"),
    (GOOD | {"exp": float("nan")}, "exp is no moment"),
    (GOOD | {"exp": 10**400}, "exp is no moment"),
    (GOOD | {"nbf": NOW + 29}, None),
    (GOOD | {"nbf": NOW + 31}, "nbf is 31 s ahead"),
    (GOOD | {"nbf": "soon"}, "nbf is no number"),
    (GOOD | {"iat": NOW - 10**9}, None),
    (GOOD | {"iat": NOW + 31}, "iat is 31 s ahead"),
    (without("sub"), "has no sub"),
    (GOOD | {"sub": ""}, "has no sub"),
    (GOOD | {"sub": ["ann"]}, "has no sub"),
    (GOOD | {"sub": True}, "has no sub"),
    (GOOD | {"sub": 42}, None),
    (GOOD | {"sub": "a" * 200}, None),
    (GOOD | {"sub": "a" * 201}, "longer than 200"),
    (GOOD | {"sub": "ann\r\nX: 1"}, "control"),
    (GOOD | {"sub": "a\ud800"}, "control"),
]


@pytest.mark.parametrize(("claims", "why"), TABLE)
def test_a_token_holds_by_its_claims(claims: dict[str, Any], why: str | None) -> None:
    refused = None
    try:
        check_before_keys(token(claims), rules())
        holder = holder_of(token(claims), rules(), NOW)
    except TokenRefused as caught:
        refused = caught
    if why is None:
        assert refused is None
        assert (holder.name, holder.until) == (str(claims["sub"]), claims["exp"] + 30)
    else:
        assert refused is not None
        assert why in refused.reason
        assert refused.told in {
            "The token does not hold here.",
            "The token has expired.",
            "The token is not valid yet.",
        }


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "PS256", "ES256K", ""])
def test_what_is_not_listed_signs_nothing(algorithm: str) -> None:
    with pytest.raises(TokenRefused, match="are taken"):
        check_before_keys(token(GOOD, algorithm), rules())


@pytest.mark.parametrize(
    ("typ", "good"),
    [("at+jwt", True), ("AT+JWT", True), ("application/at+jwt", True), ("JWT", False), ("", False)],
)
def test_a_type_that_is_wanted_is_wanted(typ: str, good: bool) -> None:
    wanted = rules(type="at+jwt")
    if good:
        check_before_keys(token(GOOD, typ=typ), wanted)
        return
    with pytest.raises(TokenRefused, match="typ"):
        check_before_keys(token(GOOD, typ=typ), wanted)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scope": " a  b "}, {"a", "b"}),
        ({"scope": ["a", "b", 3]}, {"a", "b"}),
        ({"scp": "a"}, {"a"}),
        ({"scp": ["a"], "scope": "b"}, {"a", "b"}),
        ({"scope": {"a": 1}}, set()),
        ({"scope": " ".join(map(str, range(1001)))}, set()),
        ({}, set()),
    ],
)
def test_scopes_are_read_from_both_claims(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes_of(claims) == scopes


def test_every_scope_that_the_auth_wants_must_be_there() -> None:
    wanted = rules(scopes=["orders.read", "orders.write"])
    assert holder_of(token(GOOD | {"scope": "orders.write x orders.read"}), wanted, NOW)

    with pytest.raises(TokenRefused) as caught:
        holder_of(token(GOOD | {"scope": "orders.read"}), wanted, NOW)

    assert caught.value.kind == "insufficient-scope"
    assert caught.value.scopes == {"orders.read", "orders.write"}


def test_another_claim_may_say_who_calls_and_some_are_handed_on() -> None:
    told = GOOD | {"https://x.example/id": "u-7", "tenant": {"id": 3}, "secret": "s"}
    wanted = rules(principalClaim="https://x.example/id", claims=["tenant", "missing"])

    holder = holder_of(token(told), wanted, NOW)

    assert (holder.name, holder.claims) == ("u-7", {"tenant": {"id": 3}})


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def test_what_a_body_may_hold_a_claim_may_too() -> None:
    for value in (nested(500), 2**1000, "\\u0000", {"": None}):
        told = GOOD | {"tenant": value}
        assert holder_of(token(told), rules(claims=["tenant"]), NOW).claims == {"tenant": value}


@pytest.mark.parametrize(
    "value",
    ["x" * 5000, "\ud800", float("nan"), "a\0", {"a\0": 1}, nested(512), nested(900)],
)
def test_a_claim_that_cannot_be_handed_on_lets_nobody_in(value: Any) -> None:
    with pytest.raises(TokenRefused, match="workflows see"):
        holder_of(token(GOOD | {"tenant": value}), rules(claims=["tenant"]), NOW)


def part(value: Any) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


HEADER = part({"alg": "RS256", "kid": "one"})


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"abc",
        b"a.b",
        HEADER + b"." + part(GOOD),
        HEADER + b"." + part(GOOD) + b".",
        HEADER + b"." + part(GOOD) + b".x.y.z",
        HEADER + b"." + part(GOOD) + b".a=",
        HEADER + b"." + part(GOOD) + b".ab cd",
        HEADER + b"." + part(GOOD) + b".a",
        HEADER + b"." + part([GOOD]) + b".abcd",
        HEADER + b"." + part(b"{") + b".abcd",
        HEADER + b"." + part(b"\xff") + b".abcd",
        HEADER + b"." + part(b"[" * 5000) + b".abcd",
        part([]) + b"." + part(GOOD) + b".abcd",
        part({"alg": ["RS256"]}) + b"." + part(GOOD) + b".abcd",
        part({"alg": "RS256", "kid": 1}) + b"." + part(GOOD) + b".abcd",
        part({"alg": "RS256", "kid": "x" * 600}) + b"." + part(GOOD) + b".abcd",
        part({"alg": "RS256", "crit": ["b64"], "b64": False}) + b"." + part(GOOD) + b".abcd",
        HEADER + b"." + part(GOOD | {"x": "x" * LONGEST_BYTES}) + b".abcd",
    ],
)
def test_what_is_no_token_is_refused(sent: bytes) -> None:
    with pytest.raises(TokenRefused) as caught:
        parsed(sent)

    assert caught.value.told == "The token does not hold here."


@given(st.binary(max_size=200) | st.text(".eyJ0-_", max_size=60).map(str.encode))
def test_whatever_is_sent_is_a_token_or_refused(sent: bytes) -> None:
    try:
        found = parsed(sent)
        check_before_keys(found, rules())
        holder_of(found, rules(), NOW)
    except TokenRefused:
        return
    raise AssertionError("nobody could make that up")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"cache-control": ["max-age=600"]}, 600),
        ({"cache-control": ["public, max-age = 600 , must-revalidate"]}, 600),
        ({"cache-control": ["public", 'MAX-AGE="600"']}, 600),
        ({"cache-control": ["max-age=600"], "age": ["500"]}, 100),
        ({"cache-control": ["max-age=600"], "age": ["-1"]}, 600),
        ({"cache-control": ["max-age=600"], "age": ["9999"]}, 60),
        ({"cache-control": ["max-age=0"]}, 60),
        ({"cache-control": ["no-store"]}, 60),
        ({"cache-control": ["max-age=600, no-cache"]}, 60),
        ({"cache-control": ["max-age=999999999"]}, 86_400),
        ({"cache-control": ["max-age=99999999999"]}, 300),
        ({"cache-control": ["s-maxage=5, x-max-age=7"]}, 300),
    ],
)
def test_keys_are_kept_as_long_as_their_issuer_says_within_bounds(
    headers: dict[str, list[str]], seconds: float
) -> None:
    assert life_of(headers) == seconds

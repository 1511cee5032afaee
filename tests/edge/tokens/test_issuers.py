"""The keys of a real issuer on loopback: it rotates, is away, slow, huge, or leads elsewhere."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import jwt
import pytest

from services.edge.tokens.fetching import MOST_BYTES, Fetcher
from services.edge.tokens.model import TokenRefused
from services.edge.tokens.verifier import Tokens
from services.egress.configured import Egress
from tests.edge.tokens.desk import Desk
from tests.edge.tokens.issuer import (
    claims,
    jwk,
    private_key,
    public_pem,
    signed,
)
from tests.executor.effects.upstream import hang, hang_after, plain, upstream


async def test_a_token_is_verified_once_and_its_keys_are_fetched_once(desk: Desk) -> None:
    token = desk.issuer.token(scope="a b")

    caller = await desk.show(token)

    assert caller.principal == "jwt:a/ann"
    assert (caller.application_id, caller.key) == ("app", "one")
    assert caller.scopes == {"a", "b"}
    assert await desk.show(token) is caller
    assert desk.tokens.key_names(desk.config()) == ["one"]
    await desk.show(desk.issuer.token(sub="bob"))
    assert desk.issuer.fetched == 1


async def test_nobody_has_no_token(desk: Desk) -> None:
    for headers in ({}, {b"x-api-key": b"x"}, {b"authorization": b"Basic eDp5"}):
        assert await desk.tokens.caller(desk.config(), headers, 0.0) is None


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_kind_of_key_holds(desk: Desk, algorithm: str) -> None:
    desk.issuer.publish(jwk(algorithm, "one"))

    assert (await desk.show(desk.issuer.token(algorithm))).key == "one"


async def test_a_public_key_is_nobodys_secret(desk: Desk) -> None:
    """HMAC by the text of a public key, as those who confuse algorithms send it."""
    import hmac
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    desk.issuer.publish(jwk("RS256", "one"), jwk("ES256", "two"))
    for algorithm in ("HS256", "none", "RS256", "ES256"):
        parts = [{"alg": algorithm, "kid": "one"}, claims(desk.issuer.url)]
        head = ".".join(
            urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
        )
        made = hmac.new(public_pem("RS256", "one").encode(), head.encode(), sha256).digest()
        mark = urlsafe_b64encode(made).decode().rstrip("=")

        await desk.refused(f"{head}.{mark}")
        await desk.refused(f"{head}.")
    # Its key is another type than its algorithm.
    await desk.refused(signed(claims(desk.issuer.url), "ES256", "two", {"kid": "one"}))


async def test_keys_that_a_token_brings_along_are_not_looked_at(desk: Desk) -> None:
    async with upstream() as evil:
        evil.answers["/jwks"] = plain(json.dumps({"keys": [jwk("ES256", "evil")]}).encode())
        brought = {
            "jwk": jwk("ES256", "evil"),
            "jku": f"{evil.url}/jwks",
            "x5u": f"{evil.url}/x5u",
            "x5c": ["AAAA"],
            "kid": "one",
        }

        refused = await desk.refused(signed(claims(desk.issuer.url), "ES256", "evil", brought))

        assert "signature does not hold" in refused.reason
        assert evil.connections == 0


@pytest.mark.parametrize("changed", ["header", "payload", "signature"])
async def test_a_token_that_was_changed_does_not_hold(desk: Desk, changed: str) -> None:
    parts = desk.issuer.token().split(".")
    other = signed(claims(desk.issuer.url, sub="root"), "ES256", "other", {"kid": "one"}).split(".")
    place = ["header", "payload", "signature"].index(changed)
    if changed == "header":
        other[0] = signed(claims(desk.issuer.url), header={"x": "y"}).split(".")[0]
    parts[place] = other[place]

    assert "signature does not hold" in (await desk.refused(".".join(parts))).reason


async def test_a_token_ends_also_where_it_is_known(desk: Desk) -> None:
    token = desk.issuer.token(exp=time.time() + 600)
    await desk.show(token)

    headers = {b"authorization": f"bearer {token}".encode()}
    config = desk._own
    assert await desk.tokens.caller(config, headers, time.time() + 620)
    with pytest.raises(TokenRefused, match="ended"):
        await desk.tokens.caller(config, headers, time.time() + 640)


async def test_whoever_reads_on_is_asked_without_a_wait(desk: Desk) -> None:
    token = desk.issuer.token()
    headers, now = {b"authorization": f"Bearer {token}".encode()}, time.time()
    own, other = desk.config(), desk.config(audience="api://billing")
    assert desk.tokens.known(own, headers, now) is None

    await desk.show(token)

    # Another object of the same definition: verified by the keys that are here.
    assert desk.tokens.known(own, headers, now)
    assert desk.tokens.known(own, {}, now) is None
    assert desk.tokens.known(other, headers, now) is None
    assert desk.tokens.known(own, headers, now + 10_000) is None
    assert desk.tokens.known(own, {b"authorization": b"Bearer x.y.z"}, now) is None
    assert desk.issuer.fetched == 1


async def test_a_definition_that_changes_is_asked_anew(desk: Desk) -> None:
    token = desk.issuer.token()
    await desk.show(token)

    refused = await desk.refused(token, desk.config(audience="api://billing"))

    assert "It is for" in refused.reason


async def test_a_new_key_is_fetched_when_a_token_names_it_and_an_old_one_ends(desk: Desk) -> None:
    old = desk.issuer.token()
    await desk.show(old)
    desk.issuer.publish(jwk("ES256", "two"))
    desk.now = 20.0

    assert (await desk.show(desk.issuer.token(key="two"))).key == "two"

    assert desk.issuer.fetched == 2
    assert "which the issuer does not have" in (await desk.refused(old)).reason


async def test_made_up_keys_are_no_flood_for_the_issuer(desk: Desk) -> None:
    await desk.show(desk.issuer.token())
    for second in range(30):
        desk.now = float(second)
        made_up = [desk.issuer.token(key=f"made-up-{second}-{n}") for n in range(10)]
        await asyncio.gather(*map(desk.refused, made_up))

    assert desk.issuer.fetched <= 4
    assert await desk.show(desk.issuer.token())


async def test_tokens_of_others_fetch_nothing(desk: Desk) -> None:
    for wrong in (
        desk.issuer.token(iss="https://else.example"),
        jwt.encode(claims(desk.issuer.url), "x" * 64, "HS256", {"kid": "one"}),
        "a.b.c",
    ):
        await desk.refused(wrong)

    assert desk.issuer.server.connections == 0


async def test_many_who_come_at_once_are_one_fetch(desk: Desk) -> None:
    tokens = [desk.issuer.token(sub=f"user-{n}") for n in range(50)]

    callers = await asyncio.gather(*map(desk.show, tokens))

    assert len({caller.principal for caller in callers}) == 50
    assert desk.issuer.fetched == 1


async def test_keys_are_fetched_again_behind_the_scenes_before_their_time_is_up(
    desk: Desk,
) -> None:
    desk.issuer.publish(jwk("ES256", "one"), cache_control="max-age=100")
    token = desk.issuer.token()
    await desk.show(token)
    desk.issuer.answer(hang)
    asked = desk.issuer.server.arrived
    asked.clear()

    desk.now = 79.0
    await desk.show(token)
    assert desk.issuer.fetched == 1
    desk.now = 81.0
    # Nobody waits for it.
    await desk.show(token)
    await desk.show(desk.issuer.token(sub="bob"))
    async with asyncio.timeout(20):
        await asked.wait()
    assert desk.issuer.fetched == 2


async def test_keys_are_used_on_while_their_issuer_is_away_but_not_for_ever(desk: Desk) -> None:
    desk.issuer.publish(jwk("ES256", "one"), cache_control="max-age=100")
    token = desk.issuer.token()
    await desk.show(token)
    desk.issuer.answer(plain(b"broken", 500))

    for second in (101.0, 200.0, 1099.0):
        desk.now = second
        await desk.show(token)
        await desk.show(desk.issuer.token(sub=f"at {second}"))
    desk.now = 1101.0
    refused = await desk.refused(token)

    assert refused.kind == "unavailable"
    assert "answered 500" in refused.reason
    desk.issuer.publish(jwk("ES256", "one"))
    desk.now = 1300.0
    await desk.show(token)


async def test_keys_whose_time_is_up_are_fetched_before_anything_is_believed(desk: Desk) -> None:
    old = desk.issuer.token()
    await desk.show(old)
    desk.issuer.publish(jwk("ES256", "two"))
    desk.now = 100_000.0

    await desk.refused(old)


BROKEN: list[tuple[Any, str]] = [
    (plain(b"no", 404), "answered 404"),
    (plain(b"<html>"), "is no JSON"),
    (plain(b"[]"), "no set of keys"),
    (plain(b'{"keys": []}'), "No key that is there"),
    (plain(b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'), "No key that is there"),
    (plain(b" " * (MOST_BYTES + 1)), "larger than"),
    (plain(b"", 302, more="location: http://169.254.169.254/latest/\r\n"), "answered 302"),
    (plain(b"", 307, more="location: /other\r\n"), "answered 307"),
]


@pytest.mark.parametrize(("answer", "why"), BROKEN)
async def test_an_issuer_that_gives_no_keys_lets_nobody_in(
    desk: Desk, answer: bytes, why: str
) -> None:
    desk.issuer.answer(answer)

    refused = await desk.refused(desk.issuer.token())

    assert (refused.kind, refused.told) == ("unavailable", "The token cannot be judged now.")
    assert why in refused.reason
    # Not again for every token.
    await desk.refused(desk.issuer.token(sub="bob"))
    assert desk.issuer.fetched == 1


async def test_an_issuer_that_drips_or_says_nothing_holds_nobody_up_for_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.edge.tokens.issuers._PATIENCE_SECONDS", 0.05)
    for answer in (hang, hang_after(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{")):
        desk.issuer.answer(answer)
        assert (await desk.refused(desk.issuer.token())).kind == "unavailable"
    many = [desk.issuer.token(sub=f"user-{n}") for n in range(200)]
    refusals = await asyncio.gather(*map(desk.refused, many))
    assert {each.kind for each in refusals} == {"unavailable"}
    assert desk.issuer.fetched == 1


async def test_an_issuer_within_the_network_is_fetched_from_only_where_the_policy_allows_it(
    desk: Desk,
) -> None:
    fetcher = Fetcher(Egress.allowing([]))
    desk.tokens = Tokens(fetcher.keys, lambda: desk.now)

    refused = await desk.refused(desk.issuer.token())

    assert "PODIUM_EGRESS_ALLOW" in refused.reason
    assert desk.issuer.server.connections == 0
    await fetcher.close()


async def test_the_issuer_says_itself_where_its_keys_are(desk: Desk) -> None:
    metadata = "/.well-known/openid-configuration"
    discovering = desk.config(jwksUri=None)
    told = {"issuer": desk.issuer.url, "jwks_uri": desk.issuer.jwks_uri}
    desk.issuer.server.answers[metadata] = plain(json.dumps(told).encode())

    assert await desk.show(desk.issuer.token(), discovering)

    for wrong, why in (
        ({"issuer": "https://else.example"}, "another issuer"),
        ({"jwks_uri": "file:///etc/passwd"}, "no jwks_uri"),
        ({"jwks_uri": None}, "no jwks_uri"),
        ({"jwks_uri": "http://169.254.169.254/keys"}, "metadata address"),
    ):
        desk.issuer.server.answers[metadata] = plain(json.dumps(told | wrong).encode())
        fetcher = Fetcher(Egress.allowing(["loopback"]))
        desk.tokens = Tokens(fetcher.keys, lambda: desk.now)
        assert why in (await desk.refused(desk.issuer.token(), discovering)).reason
        await fetcher.close()


async def test_keys_of_the_definition_itself_need_nobody(desk: Desk) -> None:
    inline = desk.config(jwksUri=None, jwks={"keys": [jwk("EdDSA", "one")]})
    pem = desk.config(jwksUri=None, publicKey=public_pem("RS256", "one"))

    assert (await desk.show(desk.issuer.token("EdDSA"), inline)).key == "one"
    assert (await desk.show(desk.issuer.token("RS256"), pem)).principal == "jwt:a/ann"
    await desk.refused(desk.issuer.token("EdDSA", "other"), inline)
    assert (
        "signature does not hold"
        in (await desk.refused(signed(claims(desk.issuer.url), "RS256", "two"), pem)).reason
    )
    assert desk.issuer.server.connections == 0


async def test_a_token_without_a_key_id_is_tried_by_all_that_fit(desk: Desk) -> None:
    desk.issuer.publish(jwk("RS256", "one"), jwk("ES256", "one"), jwk("ES256", "two"))
    named = signed(claims(desk.issuer.url), "ES256", "two", {"kid": None})

    assert (await desk.show(named)).key == "two"

    desk.issuer.publish(jwk("ES256", "three"))
    desk.now = 11.0
    unnamed = signed(claims(desk.issuer.url), "ES256", "three", {"kid": None})
    assert (await desk.show(unnamed)).key == "three"


async def test_what_was_verified_is_known_within_bounds(desk: Desk) -> None:
    key = private_key("EdDSA", "one")
    desk.issuer.publish(jwk("EdDSA", "one"))
    for n in range(5100):
        token = jwt.encode(claims(desk.issuer.url, sub=f"u{n}"), key, "EdDSA", {"kid": "one"})
        await desk.show(token)

    assert len(desk.tokens._known) == 5000

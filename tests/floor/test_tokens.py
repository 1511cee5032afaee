"""Tokens: which hold, and every way in which one does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given, strategies as st

from services.access import Principal, ServiceIdentity, Verifier
from services.errors import Unauthenticated
from tests.floor.authority import CLUSTER_KEY, NOW, Known, Signer


class Clock:
    """Seconds that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def known(signer: Signer) -> Known:
    return Known(public_keys={"k1": signer.pem})


@pytest.fixture
def verifier(known: Known, clock: Clock) -> Verifier:
    return Verifier(CLUSTER_KEY, known, "executor", clock)


def refused(verifier: Verifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        verifier.verify(token)
    return caught.value.detail


def test_a_user_s_token_says_the_application_and_its_key(
    verifier: Verifier, signer: Signer
) -> None:
    for _ in range(2):
        assert verifier.verify(signer.token()) == Principal(
            "application:shop", "shop", "access-key-1"
        )


def test_a_service_s_token_says_the_service(verifier: Verifier, clock: Clock) -> None:
    identity = ServiceIdentity(CLUSTER_KEY, "edge", clock)
    assert verifier.verify(identity.token("executor")) == Principal("service:edge")


def test_a_service_s_token_for_another_service_is_refused(verifier: Verifier, clock: Clock) -> None:
    identity = ServiceIdentity(CLUSTER_KEY, "edge", clock)
    refused(verifier, identity.token("registry"))


def test_a_token_of_another_cluster_is_refused(verifier: Verifier, clock: Clock) -> None:
    stranger = ServiceIdentity(b"another key of more than thirty-two bytes", "edge", clock)
    refused(verifier, stranger.token("executor"))


def test_an_expired_token_is_refused_after_some_grace_for_clocks(
    verifier: Verifier, signer: Signer, clock: Clock
) -> None:
    token = signer.token()
    clock.now = NOW + 900 + 9
    verifier.verify(token)
    clock.now = NOW + 900 + 11
    assert "expired" in refused(verifier, token)
    assert "expired" in refused(verifier, signer.token(exp=int(NOW)))


def test_a_token_from_the_future_is_refused_beyond_some_grace_for_clocks(
    verifier: Verifier, signer: Signer
) -> None:
    verifier.verify(signer.token(iat=int(NOW) + 9))
    refused(verifier, signer.token(iat=int(NOW) + 60))
    refused(verifier, signer.token(nbf=int(NOW) + 60))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "executor"},
        {"aud": None},
        {"iss": "somebody"},
        {"iss": None},
        {"sub": None},
        {"sub": "service:edge"},
        {"sub": "application:"},
        {"sub": "shop"},
        {"key": None},
        {"key": ""},
        {"key": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": "then"},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(
    verifier: Verifier, signer: Signer, claims: dict[str, Any]
) -> None:
    refused(verifier, signed(signer, **claims))


def signed(signer: Signer, **claims: Any) -> str:
    """Signed by hand: PyJWT would not write all of these."""
    good = jwt.decode(signer.token(), options={"verify_signature": False})
    kept = {name: value for name, value in {**good, **claims}.items() if value is not None}
    head = part({"alg": "EdDSA", "typ": "JWT", "kid": signer.kid})
    body = f"{head}.{part(kept)}"
    return f"{body}.{encoded(signer.private.sign(body.encode()))}"


def part(value: object) -> str:
    return encoded(json.dumps(value).encode())


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    return f"{part(header)}.{part(claims)}.{signature}"


USER = {"iss": "podium", "aud": "podium", "sub": "application:shop", "key": "k", "exp": NOW + 900}


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["EdDSA"]])
def test_a_token_without_a_signature_is_refused(verifier: Verifier, algorithm: object) -> None:
    refused(verifier, unsigned({"alg": algorithm, "kid": "k1"}, USER))


@pytest.mark.parametrize("subject", ["application:shop", "service:edge"])
@pytest.mark.parametrize("audience", ["podium", "executor"])
def test_a_public_key_is_no_hmac_secret(
    verifier: Verifier, signer: Signer, subject: str, audience: str
) -> None:
    claims = {**USER, "sub": subject, "aud": audience}
    body = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims)}"
    digest = hmac.new(signer.pem.encode(), body.encode(), hashlib.sha256).digest()
    refused(verifier, f"{body}.{encoded(digest)}")


def test_a_service_cannot_sign_for_an_application(verifier: Verifier) -> None:
    for audience in ("podium", "executor"):
        token = jwt.encode({**USER, "aud": audience}, CLUSTER_KEY, algorithm="HS256")
        refused(verifier, token)


def test_a_service_s_token_that_lives_for_long_is_refused(verifier: Verifier) -> None:
    claims = {"iss": "podium", "aud": "executor", "sub": "service:edge", "exp": NOW + 86_400}
    refused(verifier, jwt.encode(claims, CLUSTER_KEY, algorithm="HS256"))


def test_another_algorithm_with_the_right_key_is_refused(verifier: Verifier) -> None:
    claims = {"iss": "podium", "aud": "executor", "sub": "service:edge", "exp": NOW + 60}
    key = CLUSTER_KEY * 2
    refused(Verifier(key, Known(), "executor"), jwt.encode(claims, key, algorithm="HS512"))
    refused(verifier, jwt.encode(claims, CLUSTER_KEY * 2, algorithm="HS384"))


@pytest.mark.parametrize("kid", ["k2", "", None, 7, {"a": 1}])
def test_an_unknown_key_id_is_refused(verifier: Verifier, signer: Signer, kid: object) -> None:
    good = signer.token().split(".")
    head = part({"alg": "EdDSA", "kid": kid})
    refused(verifier, ".".join((head, *good[1:])))


def test_a_key_that_signs_under_another_s_id_is_refused(verifier: Verifier) -> None:
    refused(verifier, Signer("k1").token())


def test_a_changed_claim_breaks_the_signature(verifier: Verifier, signer: Signer) -> None:
    head, _, signature = signer.token().split(".")
    refused(verifier, f"{head}.{part({**USER, 'sub': 'application:admin'})}.{signature}")


def test_a_revoked_access_key_ends_its_tokens_at_once(
    verifier: Verifier, signer: Signer, known: Known
) -> None:
    token = signer.token()
    verifier.verify(token)
    known.revoked_keys.add("access-key-1")
    assert "revoked" in refused(verifier, token)
    assert "revoked" in refused(verifier, signer.token(key="access-key-1", exp=int(NOW) + 800))
    verifier.verify(signer.token(key="access-key-2"))


def test_a_signing_key_that_is_withdrawn_ends_its_tokens_at_once(
    verifier: Verifier, signer: Signer, known: Known
) -> None:
    token = signer.token()
    verifier.verify(token)
    known.public_keys["k1"] = Signer().pem
    refused(verifier, token)
    known.public_keys.clear()
    refused(verifier, token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "x" * 4_000,
        "x" * 10_000_000,
        "\udcff.\udcff.",
        "e30.e30.",
        unsigned({"alg": "EdDSA", "kid": "k1"}, USER),
        unsigned({"alg": "EdDSA", "kid": "k1", "crit": ["x"]}, USER, "AAAA"),
        f"{encoded(b'[' * 2000)}.e30.",
        f"{encoded(b'[]')}.e30.",
        f"{encoded(b'1' * 2900)}.e30.",
    ],
    ids=range(14),
)
def test_what_is_no_token_is_refused(verifier: Verifier, token: str) -> None:
    refused(verifier, token)


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_way(token: str) -> None:
    refused(Verifier(CLUSTER_KEY, Known(), "executor"), token)


def test_a_refusal_does_not_repeat_the_token(verifier: Verifier) -> None:
    assert "abcdefgh" not in refused(verifier, "abcdefgh.abcdefgh.abcdefgh")


def test_a_signing_key_that_is_no_key_refuses_its_tokens(clock: Clock, signer: Signer) -> None:
    verifier = Verifier(CLUSTER_KEY, Known(public_keys={"k1": "no PEM"}), "executor", clock)
    refused(verifier, signer.token())


def test_more_tokens_than_are_remembered_are_verified_all_the_same(clock: Clock) -> None:
    verifier = Verifier(CLUSTER_KEY, Known(), "executor", clock, remembered=4)
    for number in range(30):
        service = ServiceIdentity(CLUSTER_KEY, f"s{number}", clock)
        for _ in range(2):
            assert verifier.verify(service.token("executor")).name == f"service:s{number}"
        clock.now += number % 3 * 20


def test_a_service_s_token_is_kept_for_half_its_life(clock: Clock) -> None:
    identity = ServiceIdentity(CLUSTER_KEY, "edge", clock)
    first = identity.token("executor")
    assert identity.token("registry") != first
    clock.now += 29
    assert identity.token("executor") == first
    clock.now += 2
    second = identity.token("executor")
    assert second != first
    # The clock is set back: a token of the future would be refused.
    clock.now -= 3_600
    assert identity.token("executor") not in (first, second)

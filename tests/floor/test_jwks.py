"""Of what issuers publish, only public keys that verify signatures are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.jwks import ALGORITHMS, MOST_KEYS, KeyFault, has_private_part, read_jwks, read_pem
from tests.edge.tokens.issuer import jwk, private_key, public_pem


def text(*keys: Any) -> str:
    return json.dumps({"keys": keys})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_verifies_what_it_has_signed_and_nothing_else(algorithm: str) -> None:
    from jwt.algorithms import get_default_algorithms

    signature = get_default_algorithms()[algorithm].sign(b"said", private_key(algorithm, "one"))
    for keys in (
        read_jwks(text(jwk(algorithm, "one"))).of("one", algorithm),
        read_pem(public_pem(algorithm, "one")).of("any", algorithm),
    ):
        assert len(keys) == 1
        assert keys[0].has_signed(algorithm, b"said", signature)
        assert not keys[0].has_signed(algorithm, b"said not", signature)
        assert not keys[0].has_signed(algorithm, b"said", signature[:-1])
        assert not keys[0].has_signed(algorithm, b"said", b"")


@pytest.mark.parametrize(
    "entry",
    [
        jwk("ES256", "one", use="enc"),
        jwk("ES256", "one", key_ops=["sign"]),
        jwk("ES256", "one", key_ops="verify"),
        jwk("ES256", "one", alg="HS256"),
        jwk("ES256", "one", alg="ES384"),
        jwk("ES256", "one", alg=["ES256"]),
        jwk("ES256", "one", kid=7),
        jwk("ES256", "one", kid="k" * 600),
        jwk("ES256", "one", kid="k\ud800"),
        jwk("ES256", "one", kid="k\0"),
        jwk("ES256", "one", crv="P-384"),
        jwk("ES256", "one", x="AAAA"),
        jwk("ES256", "one", y=None),
        jwk("RS256", "short"),
        jwk("RS256", "one", e="AAAA"),
        jwk("RS256", "one", n="!!"),
        jwk("RS256", "one", e="_" * 100),
        {"kty": "oct", "kid": "one", "k": "c2VjcmV0"},
        {"kty": "none", "kid": "one"},
        {"kty": ["RSA"]},
        "key",
        None,
        7,
    ],
)
def test_a_key_that_is_none_is_passed_over(entry: Any) -> None:
    found = read_jwks(text(entry, jwk("EdDSA", "other")))

    assert [key.kid for key in found.keys] == ["other"]
    assert found.passed_over == 1


def test_a_key_is_for_the_algorithms_of_its_type_only() -> None:
    keys = read_jwks(text(jwk("RS256", "rsa"), jwk("ES256", "ec"), jwk("EdDSA", "ed")))

    assert not keys.of("rsa", "ES256")
    assert not keys.of("ec", "ES384")
    assert not keys.of("rsa", "HS256")
    assert not keys.of("rsa", "none")
    assert [key.kid for key in keys.of("", "RS256")] == ["rsa"]
    assert [key.kid for key in keys.of("rsa", "PS512")] == ["rsa"]


def test_a_private_key_is_read_as_its_public_half() -> None:
    from jwt.algorithms import get_default_algorithms

    whole = get_default_algorithms()["ES256"].to_jwk(private_key("ES256", "one"), as_dict=True)
    assert has_private_part({"keys": [whole]})
    (key,) = read_jwks(text(whole | {"key_ops": ["verify"]})).keys
    assert not hasattr(key.key, "private_numbers")


@pytest.mark.parametrize(
    "wrong", ["", "{", "[]", "7", '{"keys": {}}', "[" * 100_000, text(*[{}] * (MOST_KEYS + 1))]
)
def test_what_is_no_set_of_keys_is_refused(wrong: str) -> None:
    with pytest.raises(KeyFault):
        read_jwks(wrong)


@pytest.mark.parametrize("wrong", ["", "-----BEGIN PUBLIC KEY-----", "x\ud800", "short"])
def test_what_is_no_pem_of_a_key_is_refused(wrong: str) -> None:
    text = public_pem("RS256", "short") if wrong == "short" else wrong
    with pytest.raises(KeyFault):
        read_pem(text)


NAMES = st.sampled_from(["kty", "n", "e", "crv", "x", "y", "kid", "use", "alg"])
WORDS = st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB"])


@given(st.dictionaries(NAMES, st.none() | st.integers() | st.text(max_size=5) | WORDS))
def test_whatever_an_entry_is_the_set_is_read(entry: Any) -> None:
    assert len(read_jwks(text(entry)).keys) <= 1

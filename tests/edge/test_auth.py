"""Who calls."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest

from services.edge.auth import authenticate
from services.edge.auth.model import AuthConfig, Caller, read_config

KEY = "correct-horse-battery-staple"


def config(scheme: str = "API_KEY", **key: Any) -> AuthConfig:
    return read_config(
        {
            "id": "partners",
            "authenticationType": scheme,
            "applicationId": "storefront",
            "apiKeys": [
                {"name": "other", "hash": sha256(b"other-key").hexdigest()},
                {"name": "first", "hash": sha256(KEY.encode()).hexdigest()} | key,
            ]
            if scheme == "API_KEY"
            else [],
        }
    )


def basic(user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


@pytest.mark.parametrize(
    "headers",
    [
        {b"x-api-key": KEY.encode()},
        {b"authorization": b"Bearer " + KEY.encode()},
        {b"authorization": b"bearer  " + KEY.encode()},
        {b"authorization": basic("whoever", KEY)},
        {b"authorization": basic(KEY, "")},
        {b"x-api-key": KEY.encode(), b"authorization": b"Bearer something-else"},
    ],
)
def test_a_key_is_known_wherever_it_comes(headers: dict[bytes, bytes]) -> None:
    caller = authenticate(config(), headers, 0.0)

    assert caller == Caller("partners", "key:partners/first", "storefront", key="first")


def test_a_key_in_the_place_of_another_is_the_same_caller() -> None:
    caller = authenticate(config(name="first-1", actsAs="first"), {b"x-api-key": KEY.encode()}, 0)

    assert caller == Caller("partners", "key:partners/first", "storefront", key="first-1")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-api-key": b"wrong"},
        {b"x-api-key": sha256(KEY.encode()).hexdigest().encode()},
        {b"x-api-key": b"\xff\xfe"},
        {b"x-api-key": KEY.encode() * 10_000},
        {b"authorization": KEY.encode()},
        {b"authorization": b"Basic not-base64!"},
        {b"authorization": b"Basic"},
        {b"authorization": basic(KEY, "wrong")},
        {b"authorization": b"Digest " + KEY.encode()},
        {b"cookie": b"x-api-key=" + KEY.encode()},
    ],
)
def test_no_key_or_a_wrong_one_is_nobody(headers: dict[bytes, bytes]) -> None:
    assert authenticate(config(), headers, 0.0) is None


@pytest.mark.parametrize("expires_at", ["2027-01-31T00:00:00Z", 1801353600000])
def test_a_key_ends_when_its_document_says(expires_at: object) -> None:
    limited = config(expiresAt=expires_at)

    assert authenticate(limited, {b"x-api-key": KEY.encode()}, 1801353599.9) is not None
    assert authenticate(limited, {b"x-api-key": KEY.encode()}, 1801353600.0) is None


@pytest.mark.parametrize("scheme", ["NONE", "PUBLIC"])
def test_anybody_may_call_what_is_public(scheme: str) -> None:
    caller = authenticate(config(scheme), {b"x-api-key": b"whatever"}, 0.0)

    assert caller == Caller("partners", "public:partners", "storefront", public=True)


def test_a_scheme_that_is_not_known_lets_nobody_in() -> None:
    assert authenticate(config("OIDC"), {b"x-api-key": KEY.encode()}, 0.0) is None

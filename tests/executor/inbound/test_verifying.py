"""Who sent a request to a webhook: each way that it can be told, and each way that it cannot."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from standardwebhooks import Webhook as Signer

from services.executor.core.signatures import signed
from services.executor.inbound.verifying import Unverified, Webhook, verified

NOW = 1_795_000_000
BODY = b'{"a": 1}'
KEY = b"k" * 32
STANDARD = f"whsec_{b64encode(KEY).decode()}"


def webhook(type_: str, id_header: str = "", **fields: Any) -> Webhook:
    verifier = {"type": type_, "secretName": "S", **fields}
    return Webhook.of({"name": "w", "verifier": verifier, "idHeader": id_header})


def hexed(key: bytes, text: bytes, algorithm: str = "sha256") -> str:
    return hmac.digest(key, text, algorithm).hex()


CASES: Mapping[str, tuple[Webhook, str, Mapping[str, str], str]] = {
    "standard": (webhook("STANDARD_WEBHOOKS"), STANDARD, signed([KEY], "msg_1", NOW, BODY),
                 "msg_1"),
    "github": (
        webhook("GITHUB"),
        "it's a secret",
        {"x-hub-signature-256": f"sha256={hexed(b'''it's a secret''', BODY)}",
         "x-github-delivery": "d-1"},
        "d-1",
    ),
    "stripe": (
        webhook("STRIPE"),
        "whsec_x",
        {"stripe-signature": f"t={NOW},v0=ab,v1={hexed(b'whsec_x', b'%d.' % NOW + BODY)}"},
        sha256(b"%d." % NOW + BODY).hexdigest(),
    ),
    "slack": (
        webhook("SLACK"),
        "s",
        {"x-slack-request-timestamp": f"{NOW}",
         "x-slack-signature": f"v0={hexed(b's', b'v0:%d:' % NOW + BODY)}"},
        sha256(b"v0:%d:" % NOW + BODY).hexdigest(),
    ),
    "hmac": (
        webhook("HMAC", header="X-Sign", algorithm="SHA512", encoding="BASE64", prefix="v=",
                id_header="X-Id"),
        "s",
        {"x-sign": f"v={b64encode(hmac.digest(b's', BODY, 'sha512')).decode()}", "x-id": "7"},
        "7",
    ),
    "header": (
        webhook("HEADER", header="Authorization", prefix="Bearer "),
        "old\nné w",
        {"authorization": "Bearer né w".encode().decode("latin-1")},
        "",
    ),
    "none": (webhook("NONE", id_header="x-id"), "", {"x-id": "1"}, "1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_who_knows_the_secret_is_known(name: str) -> None:
    asked, secret, headers, id_ = CASES[name]
    assert verified(asked, headers, BODY, secret, NOW) == id_


@pytest.mark.parametrize("name", [name for name in CASES if name != "none"])
def test_who_does_not_is_not(name: str) -> None:
    asked, secret, headers, _ = CASES[name]
    other = f"whsec_{b64encode(b'x' * 32).decode()}" if secret == STANDARD else "another"
    tries: list[tuple[Mapping[str, str], bytes, str]] = [
        (headers, BODY, other),
        (headers, BODY, ""),
        ({}, BODY, secret),
        (dict.fromkeys(headers, ""), BODY, secret),
        (dict.fromkeys(headers, "é=\x00"), BODY, secret),
    ]
    if name != "header":
        tries.append((headers, BODY + b" ", secret))
    for given, body, text in tries:
        with pytest.raises(Unverified):
            verified(asked, given, body, text, NOW)


@pytest.mark.parametrize("name", ["standard", "stripe", "slack"])
@pytest.mark.parametrize("away", [301, -301])
def test_what_was_signed_long_ago_or_ahead_is_refused(name: str, away: int) -> None:
    asked, secret, headers, _ = CASES[name]
    assert verified(asked, headers, BODY, secret, NOW + away // 2)
    with pytest.raises(Unverified, match="seconds away"):
        verified(asked, headers, BODY, secret, NOW + away)


def test_a_replay_that_is_spelt_otherwise_is_the_same_delivery() -> None:
    stripe, _, headers, id_ = CASES["stripe"]
    signature = headers["stripe-signature"]
    holds = signature.partition("v1=")[2]
    spelt = [
        signature.replace("v0=ab", "v1=00"),
        signature.replace(holds, holds.upper()),
        f"t={NOW},v1={holds},v1={hexed(b'new', b'%d.' % NOW + BODY)}",
        f"t={NOW},v1={hexed(b'new', b'%d.' % NOW + BODY)},v1={holds}",
    ]
    for each in spelt:
        assert verified(stripe, {"stripe-signature": each}, BODY, "whsec_x\nnew", NOW) == id_
    slack, _, headers, id_ = CASES["slack"]
    holds = headers["x-slack-signature"].removeprefix("v0=")
    again = {**headers, "x-slack-signature": f"v0={holds.upper()}"}
    assert verified(slack, again, BODY, "s", NOW) == id_


def test_a_secret_is_changed_without_a_gap() -> None:
    asked, _, headers, id_ = CASES["standard"]
    both = f"whsec_{b64encode(b'new key' * 5).decode()} {STANDARD}"

    assert verified(asked, headers, BODY, both, NOW) == id_


def test_what_the_standards_own_library_signs_is_taken() -> None:
    at = datetime.fromtimestamp(NOW, UTC)
    signature = Signer(STANDARD).sign("msg_2", at, BODY.decode())
    headers = {"webhook-id": "msg_2", "webhook-timestamp": f"{NOW}", "webhook-signature": signature}

    assert verified(webhook("STANDARD_WEBHOOKS"), headers, BODY, STANDARD, NOW) == "msg_2"

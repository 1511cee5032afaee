"""Whether a request to a webhook comes from who knows its secret (pure)."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from services.executor.core.signatures import NoKey, keys_of

# Hashing takes time, and a header may hold many.
_MOST_SIGNATURES = 10
_LONGEST_ID = 255


class Unverified(Exception):
    """It does not; the message says why, to those who run the webhook."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a definition says.

    Attributes:
        secret_name: Empty: there is none.
        tolerance: Seconds.
        id_header: In lower case, as ``header`` is; empty: none.
    """

    type: str
    secret_name: str
    header: str
    prefix: str
    algorithm: str
    encoding: str
    tolerance: int
    id_header: str
    enabled: bool

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Webhook:
        verifier = document["verifier"]
        return cls(
            type=str(verifier["type"]),
            secret_name=str(verifier.get("secretName") or ""),
            header=str(verifier.get("header") or "").lower(),
            prefix=str(verifier.get("prefix") or ""),
            algorithm=str(verifier.get("algorithm") or "SHA256").lower(),
            encoding=str(verifier.get("encoding") or "HEX"),
            tolerance=int(document.get("toleranceSeconds") or 300),
            id_header=str(document.get("idHeader") or "").lower(),
            enabled=document.get("enabled") is not False,
        )


Headers = Mapping[str, str]


def verified(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    """The id of the delivery, the same if it comes again; empty: it has none.

    Args:
        headers: By name in lower case.
        secret: Several stand in lines of their own.
        now: Seconds since the epoch.

    Raises:
        Unverified: It was sent by who does not know the secret, or long ago.
    """
    check = _CHECKS.get(webhook.type)
    if check is None:
        raise Unverified(f"there is no verifier {webhook.type}")
    given = check(webhook, headers, body, secret, now)
    own = headers.get(webhook.id_header, "") if webhook.id_header else ""
    return (own or given)[:_LONGEST_ID]


def _standard(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    id_, at = _header(headers, "webhook-id"), _header(headers, "webhook-timestamp")
    _check_age(at, webhook.tolerance, now)
    try:
        keys = keys_of(secret)
    except NoKey as error:
        raise Unverified(f"the secret cannot be used: {error}") from None
    given = [
        each.removeprefix("v1,")
        for each in _header(headers, "webhook-signature").split()
        if each.startswith("v1,")
    ]
    _check(keys, f"{id_}.{at}.".encode() + body, "sha256", map(_base64, given[:_MOST_SIGNATURES]))
    return id_


def _github(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    given = _header(headers, "x-hub-signature-256")
    if not given.startswith("sha256="):
        raise Unverified("its signature does not begin with sha256=")
    _check(_lines(secret), body, "sha256", [_hex(given.removeprefix("sha256="))])
    return headers.get("x-github-delivery", "")


def _stripe(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    parts = [each.partition("=")[::2] for each in _header(headers, "stripe-signature").split(",")]
    at = next((value for name, value in parts if name.strip() == "t"), "")
    given = [value for name, value in parts if name.strip() == "v1"][:_MOST_SIGNATURES]
    _check_age(at, webhook.tolerance, now)
    signed = f"{at}.".encode() + body
    _check(_lines(secret), signed, "sha256", map(_hex, given))
    return _told_by(signed)


def _slack(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    at, given = _header(headers, "x-slack-request-timestamp"), _header(headers, "x-slack-signature")
    _check_age(at, webhook.tolerance, now)
    if not given.startswith("v0="):
        raise Unverified("its signature does not begin with v0=")
    signed = f"v0:{at}:".encode() + body
    _check(_lines(secret), signed, "sha256", [_hex(given.removeprefix("v0="))])
    return _told_by(signed)


def _hmac(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    read = _base64 if webhook.encoding == "BASE64" else _hex
    given = read(_after(_header(headers, webhook.header), webhook.prefix))
    _check(_lines(secret), body, webhook.algorithm, [given])
    return ""


def _by_header(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    given = _after(_header(headers, webhook.header), webhook.prefix).encode("latin-1")
    if not any(hmac.compare_digest(given, each) for each in _lines(secret)):
        raise Unverified("its header holds another secret")
    return ""


def _none(webhook: Webhook, headers: Headers, body: bytes, secret: str, now: float) -> str:
    return ""


_CHECKS: Mapping[str, Callable[[Webhook, Headers, bytes, str, float], str]] = {
    "STANDARD_WEBHOOKS": _standard,
    "GITHUB": _github,
    "STRIPE": _stripe,
    "SLACK": _slack,
    "HMAC": _hmac,
    "HEADER": _by_header,
    "NONE": _none,
}


def _header(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise Unverified(f"it has no header {name}")
    return value


def _after(value: str, prefix: str) -> str:
    if not value.startswith(prefix):
        raise Unverified(f"its header does not begin with {prefix}")
    return value.removeprefix(prefix)


def _check_age(at: str, tolerance: int, now: float) -> None:
    if not (at.isascii() and at.isdigit() and len(at) < 12):
        raise Unverified("its time is no time")
    if abs(now - int(at)) > tolerance:
        raise Unverified(f"it was signed {abs(now - int(at)):.0f} seconds away from now")


def _told_by(signed: bytes) -> str:
    """An id of what was signed.

    Not of the signature: there may be several, in any order, among others that do not hold, and in
    either case, so that whoever replays it could spell it anew.
    """
    return sha256(signed).hexdigest()


def _lines(secret: str) -> Sequence[bytes]:
    return [line.strip().encode() for line in secret.splitlines() if line.strip()]


def _check(keys: Sequence[bytes], signed: bytes, algorithm: str, given: Any) -> None:
    wanted = [hmac.digest(key, signed, algorithm) for key in keys]
    if not any(hmac.compare_digest(each, one) for each in given for one in wanted):
        raise Unverified("its signature does not hold")


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return b""

"""Tokens: two kinds of JWT (RFC 7519), told apart by their algorithm.

EdDSA   a user's, signed by the registry with the key that its ``kid`` names:
        iss "podium", aud "podium", sub "application:ID", key (the access key's id), exp
HS256   a service's, signed by itself with the cluster's key:
        iss "podium", aud the callee ("executor"), sub "service:NAME", iat, exp (60 s later)
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from services.access.cluster import Keys, keys_of
from services.access.principals import (
    APPLICATION_PREFIX,
    SERVICE_PREFIX,
    Authority,
    Principal,
    application_principal,
)
from services.errors import Unauthenticated

ISSUER = "podium"
USER_AUDIENCE = "podium"
SERVICE_TOKEN_SECONDS = 60

# Clocks of two machines differ; a token is good this much before and after its time.
SKEW_SECONDS = 10.0
_MAX_TOKEN_CHARS = 4096
_SERVICE_LONGEST_SECONDS = 300


class ServiceIdentity:
    """One service among the others: it signs its own tokens.

    Args:
        cluster_key: The same for all services of a cluster; 32 bytes or more. Of several the first
            signs.
        service: ``registry``, ``executor`` or ``edge``.
    """

    def __init__(
        self, cluster_key: bytes | Keys, service: str, now: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys_of(cluster_key)
        self._subject = SERVICE_PREFIX + service
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float, bytes]] = {}

    def token(self, audience: str) -> str:
        """A token for calling ``audience``; the same one until 30 s before its end."""
        with self._lock:
            key = self._keys()[0]
            token, expires, signed_with = self._tokens.get(audience, ("", 0.0, b""))
            now = self._now()
            # A clock that was set back must not keep a token from the future.
            in_time = SERVICE_TOKEN_SECONDS / 2 <= expires - now <= SERVICE_TOKEN_SECONDS
            if not in_time or signed_with != key:
                token, expires = self._sign(audience, int(now), key)
                self._tokens[audience] = token, expires, key
            return token

    def _sign(self, audience: str, now: int, key: bytes) -> tuple[str, float]:
        import jwt

        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": self._subject,
            "iat": now,
            "exp": now + SERVICE_TOKEN_SECONDS,
        }
        return jwt.encode(claims, key, algorithm="HS256"), now + SERVICE_TOKEN_SECONDS


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature held.

    Attributes:
        expires: Seconds since the epoch.
        pem: The key that verified it; empty for a service's token.
        cluster_key: The key that verified a service's token.
    """

    principal: Principal
    expires: float
    key_id: str = ""
    pem: str = ""
    cluster_key: bytes = field(default=b"", repr=False)


class Verifier:
    """Tells who a token was issued to.

    Args:
        audience: The service that is called; a service's token for another one is refused.
        remembered: How many verified tokens are kept, so that they need no second look.
    """

    def __init__(
        self,
        cluster_key: bytes | Keys,
        authority: Authority,
        audience: str,
        now: Callable[[], float] = time.time,
        remembered: int = 4096,
    ) -> None:
        self._remembered = remembered
        self._cluster_keys = keys_of(cluster_key)
        self._authority = authority
        self._audience = audience
        self._now = now
        self._known: dict[bytes, _Verified] = {}

    def verify(self, token: str) -> Principal:
        """Whose ``token`` is.

        Raises:
            Unauthenticated: It is none, has expired, is for somebody else, or its key was revoked.
        """
        if len(token) > _MAX_TOKEN_CHARS:
            raise Unauthenticated("The token is too long to be one.")
        # By its hash: a token at hand in memory is one that could leak.
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        verified = self._known.get(digest)
        if verified is None:
            verified = self._verify(token)
            self._remember(digest, verified)
        self._check_still_good(verified)
        return verified.principal

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        if len(self._known) >= self._remembered:
            now = self._now()
            good = {key: each for key, each in self._known.items() if each.expires > now}
            # Still too many: to verify them again is cheaper than to look for room each time.
            self._known = good if len(good) < self._remembered else {}
        self._known[digest] = verified

    def _check_still_good(self, verified: _Verified) -> None:
        if self._now() >= verified.expires + SKEW_SECONDS:
            raise Unauthenticated("The token has expired; get a new one.")
        if not verified.pem:
            if verified.cluster_key not in self._cluster_keys():
                raise Unauthenticated("The token was signed with a key that no longer counts.")
            return
        if self._authority.public_key(verified.key_id) != verified.pem:
            raise Unauthenticated("The token was signed with a key that no longer counts.")
        if self._authority.revoked(verified.principal.access_key_id):
            raise Unauthenticated("The access key of the token was revoked, or has expired.")

    def _verify(self, token: str) -> _Verified:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            # The algorithm chooses the key, so that neither kind is taken for the other: a public
            # key is never used as the secret of an HMAC.
            match header.get("alg"):
                case "EdDSA":
                    return self._verify_user(token, header.get("kid"))
                case "HS256":
                    return self._verify_service(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            pass
        raise Unauthenticated("The token does not hold.")

    def _verify_user(self, token: str, key_id: object) -> _Verified:
        pem = self._authority.public_key(key_id) if isinstance(key_id, str) else None
        if pem is None:
            raise Unauthenticated("The token was signed with a key that is not known here.")
        claims = _decoded(token, pem, "EdDSA", USER_AUDIENCE, self._now())
        key, application_id = claims.get("key"), claims["sub"].removeprefix(APPLICATION_PREFIX)
        if not claims["sub"].startswith(APPLICATION_PREFIX) or not application_id:
            raise ValueError("sub")
        if not isinstance(key, str) or not key:
            raise ValueError("key")
        principal = application_principal(application_id, key, str(key_id))
        return _Verified(principal, claims["exp"], str(key_id), pem)

    def _verify_service(self, token: str) -> _Verified:
        key, claims = self._by_cluster(token)
        if not claims["sub"].startswith(SERVICE_PREFIX):
            raise ValueError("sub")
        # One that lives for long was not made by a service of ours.
        if claims["exp"] - self._now() > _SERVICE_LONGEST_SECONDS:
            raise ValueError("exp")
        return _Verified(Principal(claims["sub"]), claims["exp"], cluster_key=key)

    def _by_cluster(self, token: str) -> tuple[bytes, dict[str, Any]]:
        import jwt

        for key in self._cluster_keys():
            with suppress(jwt.InvalidSignatureError):
                return key, _decoded(token, key, "HS256", self._audience, self._now())
        raise jwt.InvalidSignatureError("It was signed with none of the cluster's keys.")


def _decoded(
    token: str, key: str | bytes, algorithm: str, audience: str, now: float
) -> dict[str, Any]:
    """The claims, with a signature, an issuer, an audience and a time that hold.

    Raises:
        jwt.PyJWTError, ValueError: Something does not.
        Unauthenticated: It has expired.
    """
    import jwt

    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        audience=audience,
        issuer=ISSUER,
        # The time is checked here, by the clock that was given.
        options={
            "require": ["exp", "sub", "aud", "iss"],
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    for name in ("exp", "iat", "nbf"):
        if not isinstance(claims.get(name, 0), int | float) or isinstance(claims.get(name), bool):
            raise ValueError(name)
    if max(claims.get("iat", 0), claims.get("nbf", 0)) > now + SKEW_SECONDS:
        raise ValueError("iat")
    if now >= claims["exp"] + SKEW_SECONDS:
        raise Unauthenticated("The token has expired; get a new one.")
    return claims

"""An issuer of tokens: its keys, and a real server on loopback that tells the public ones."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tests.executor.effects.upstream import Answer, Upstream, plain, upstream

AUDIENCE = "api://orders"


@cache
def private_key(algorithm: str, name: str = "") -> Any:
    """The same one for the same arguments: of RSA, each takes a while to make."""
    if algorithm.startswith(("RS", "PS")):
        return rsa.generate_private_key(65537, 1024 if name == "short" else 2048)
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if algorithm in curves:
        return ec.generate_private_key(curves[algorithm])
    return ed25519.Ed25519PrivateKey.generate()


def public_pem(algorithm: str, name: str = "") -> str:
    key = private_key(algorithm, name).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = key.public_bytes(serialization.Encoding.PEM, form)
    return text.decode()


def jwk(algorithm: str, name: str = "", **more: Any) -> dict[str, Any]:
    """The public half; its kid is the name, where it has one."""
    known = get_default_algorithms()[algorithm]
    entry: dict[str, Any] = known.to_jwk(private_key(algorithm, name).public_key(), as_dict=True)
    entry.pop("key_ops", None)
    return entry | ({"kid": name} if name else {}) | more


def claims(issuer: str, **more: Any) -> dict[str, Any]:
    """What holds for ten minutes; a value of None leaves a claim out."""
    now = time.time()
    all_of_it = {"iss": issuer, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600} | more
    return {name: value for name, value in all_of_it.items() if value is not None}


def signed(
    told: Mapping[str, Any],
    algorithm: str = "ES256",
    name: str = "one",
    header: Mapping[str, Any] | None = None,
) -> str:
    headers = {"kid": name} | dict(header or {})
    kept = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(dict(told), private_key(algorithm, name), algorithm, kept)


class Issuer:
    """Attributes: ``server`` may be told to answer otherwise at ``/jwks``."""

    def __init__(self, server: Upstream) -> None:
        self.server = server
        self.publish(jwk("ES256", "one"))

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def jwks_uri(self) -> str:
        return f"{self.server.url}/jwks"

    @property
    def fetched(self) -> int:
        return sum(asked.target == "/jwks" for asked in self.server.asked)

    def publish(self, *keys: Mapping[str, Any], cache_control: str = "") -> None:
        more = f"cache-control: {cache_control}\r\n" if cache_control else ""
        self.answer(plain(json.dumps({"keys": keys}).encode(), more=more))

    def answer(self, answer: bytes | Answer) -> None:
        self.server.answers["/jwks"] = answer

    def token(self, algorithm: str = "ES256", key: str = "one", **more: Any) -> str:
        return signed(claims(self.url, **more), algorithm, key)


@asynccontextmanager
async def issuing() -> AsyncGenerator[Issuer]:
    async with upstream() as server:
        yield Issuer(server)

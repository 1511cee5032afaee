"""Everybody who may come: with tokens that do not hold, with roles, with grants, as a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.access import Application, Grant, ServiceIdentity
from services.registry import tokens
from services.rights import ROLES
from services.sealing import Sealer, read_key
from tests.tui.services import Services, put
from tui.clients import connected

# What only those with a role may know of.
HIDDEN = "hidden-zq"
TEAM = Grant(frozenset(("READ", "EXECUTE")), "tag", "team:a")
APPLICATIONS: Mapping[str, Application] = {
    **{role.lower(): Application(role.lower(), frozenset((role,))) for role in ROLES},
    "team": Application("team", grants=(TEAM,)),
    "nobody": Application("nobody"),
    "paused": Application("paused", frozenset(("ADMIN",)), enabled=False),
}
FORGERIES = (
    "no token", "expired", "another audience", "an unknown key", "alg none",
    "the public key as a secret", "a service's for another",
)  # fmt: skip


@dataclass(frozen=True)
class Callers:
    """Tokens.

    Attributes:
        of_applications: By id, of :data:`APPLICATIONS`.
        forged: By :data:`FORGERIES`; empty: none is sent.
        identities: Services by name, which sign for each whom they call.
    """

    of_applications: Mapping[str, str]
    forged: Mapping[str, str]
    identities: Mapping[str, ServiceIdentity]


async def callers(services: Services) -> Callers:
    """Those of a suite: the applications are put, and have their tokens."""
    # Paused, it would get no token.
    every = [replace(each, enabled=True) for each in APPLICATIONS.values()]
    await put(services, *map(_document, every))
    of_applications = {}
    async with connected(services.suite) as clients:
        for id_ in APPLICATIONS:
            made = await clients.registry.CreateAccessKey(
                pb.CreateAccessKeyRequest(application_id=id_)
            )
            issued = await clients.registry.IssueToken(
                pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
            )
            of_applications[id_] = issued.token
    await put(services, *map(_document, APPLICATIONS.values()))
    key = (services.home / "cluster.key").read_bytes()
    return Callers(
        of_applications,
        _forged(services, of_applications["admin"]),
        {name: ServiceIdentity(key, name) for name in ("registry", "executor", "edge")},
    )


def _document(application: Application) -> dict[str, object]:
    return {
        "kind": "application",
        "id": application.id,
        "roles": sorted(application.roles),
        "enabled": application.enabled,
        "permissions": [
            {"target": {"type": each.kind, "id": each.name}, "access": sorted(each.access)}
            for each in application.grants
        ],
    }


def _forged(services: Services, good: str) -> dict[str, str]:
    """Tokens for the administrator that must not hold, each wrong in one way."""
    sealer = Sealer(read_key(services.home / "secret.key"))
    signers = tokens.signers(Database(services.home / "registry.db"), sealer)
    signer = signers[jwt.get_unverified_header(good)["kid"]]
    claims = jwt.decode(good, options={"verify_signature": False})
    headers = {"kid": signer.key_id}
    past = datetime.now(UTC) - timedelta(hours=1)
    another = jwt.encode(
        claims | {"aud": "elsewhere"}, signer._private_key, "EdDSA", headers=headers
    )
    # By hand: the library refuses to take a public key for a secret.
    confused = _hs256(claims, headers, signer.public_key.encode())
    cluster_key = (services.home / "cluster.key").read_bytes()
    return {
        "no token": "",
        "expired": signer.token("admin", claims["key"], past, past + timedelta(minutes=1)),
        "another audience": another,
        "an unknown key": jwt.encode(
            claims, Ed25519PrivateKey.generate(), "EdDSA", headers=headers
        ),
        "alg none": jwt.encode(claims, "", "none", headers=headers),
        "the public key as a secret": confused,
        "a service's for another": ServiceIdentity(cluster_key, "edge").token("elsewhere"),
    }


def _hs256(claims: dict[str, object], headers: dict[str, str], secret: bytes) -> str:
    import hashlib
    import hmac
    import json
    from base64 import urlsafe_b64encode

    def part(value: bytes) -> bytes:
        return urlsafe_b64encode(value).rstrip(b"=")

    header = {"alg": "HS256", "typ": "JWT", **headers}
    signed = b".".join(part(json.dumps(each).encode()) for each in (header, claims))
    return (signed + b"." + part(hmac.digest(secret, signed, hashlib.sha256))).decode()

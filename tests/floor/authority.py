"""Applications and keys as tests say they are, and a registry's signing key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.access import Application

CLUSTER_KEY = b"a cluster's key of more than thirty-two bytes"
NOW = 1_800_000_000.0


@dataclass
class Known:
    """An authority that is written by hand."""

    applications: dict[str, Application] = field(default_factory=dict)
    public_keys: dict[str, str] = field(default_factory=dict)
    revoked_keys: set[str] = field(default_factory=set)
    revoked_signers: set[str] = field(default_factory=set)

    def application(self, application_id: str) -> Application | None:
        return self.applications.get(application_id)

    def public_key(self, key_id: str) -> str | None:
        return self.public_keys.get(key_id)

    def revoked(self, access_key_id: str) -> bool:
        return access_key_id in self.revoked_keys

    def revoked_signer(self, key_id: str) -> bool:
        return key_id in self.revoked_signers


@dataclass
class Signer:
    """A key that signs users' tokens."""

    kid: str = "k1"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def pem(self) -> str:
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that holds at NOW, changed by ``claims``; None leaves a claim out."""
        all_claims = {
            "iss": "podium",
            "aud": "podium",
            "sub": "application:shop",
            "key": "access-key-1",
            "iat": int(NOW),
            "exp": int(NOW) + 900,
            **claims,
        }
        kept = {name: value for name, value in all_claims.items() if value is not None}
        headers = {"kid": self.kid, **(header or {})}
        return jwt.encode(kept, self.private, algorithm="EdDSA", headers=headers)

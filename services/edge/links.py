"""Signed links: who has one may ask for the execution that it names, and for no other."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from services.access.cluster import Keys, keys_of

_PURPOSE = b"podium edge: links to executions"
_SIGNATURE_BYTES = 16


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


@lru_cache(maxsize=16)
def _derived(key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE, sha256)


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links with the first key, and reads those made with any."""

    _keys: Keys

    @classmethod
    def of(cls, cluster_key: bytes | Keys) -> Links:
        """With keys that every edge of the cluster has, before and after a restart."""
        return cls(keys_of(cluster_key))

    def location(self, execution_id: str, auth_id: str) -> str:
        """The path and query at which the answer of an execution is to be had.

        ``auth_id`` is the auth configuration under which it was started.
        """
        signature = _encoded(_signature(self._keys()[0], execution_id, auth_id))
        return f"/-/executions/{execution_id}?t={_encoded(auth_id.encode())}.{signature}"

    def auth_id(self, execution_id: str, token: str) -> str:
        """The auth configuration that a link's ``t`` names; empty if the link is not ours."""
        encoded, _, signature = token.partition(".")
        try:
            auth_id = _decoded(encoded).decode()
            given = _decoded(signature)
        except (binascii.Error, ValueError):
            return ""
        same = [
            hmac.compare_digest(given, _signature(key, execution_id, auth_id))
            for key in self._keys()
        ]
        return auth_id if any(same) else ""


def _signature(key: bytes, execution_id: str, auth_id: str) -> bytes:
    signed = f"{execution_id}\n{auth_id}".encode()
    return hmac.digest(_derived(key), signed, sha256)[:_SIGNATURE_BYTES]

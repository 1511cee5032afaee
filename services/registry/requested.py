"""Secrets of keys that a request may name: asked for again, they are the same."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Protocol
from uuid import UUID

from google.protobuf.message import Message
from sqlite_utils import Database

from services.errors import Conflict, InvalidRequest
from services.registry.keys import hashed

# Whoever lost an answer asks again at once; whoever asks later has the request from elsewhere.
REPEATED_WITHIN = timedelta(minutes=10)


class Naming(Protocol):
    """Makes bytes of words, which nobody else can."""

    def named(self, *words: str) -> bytes: ...


def secret(naming: Naming, request_id: str, caller: str, request: Message) -> str:
    """A secret of 256 bits: that of the request where it has an id, else a new one.

    It is derived, and nothing of it is kept but the hash that is kept of every key.

    Raises:
        InvalidRequest: The id is no UUID: it must not be guessed.
    """
    if not request_id:
        return _text(token_bytes(32))
    try:
        UUID(request_id)
    except ValueError:
        raise InvalidRequest("request_id is no UUID.") from None
    # All that is asked for is a part of its name: another request makes another key.
    asked = request.SerializeToString(deterministic=True).hex()
    return _text(naming.named("key", caller, request.DESCRIPTOR.full_name, asked))


def check_repeat(title: str, made: datetime | None, now: datetime) -> None:
    """Refuse to tell again, too long after it was ``made``, the secret of the key ``title``.

    Raises:
        Conflict: It is too late, or nobody knows when it was made.
    """
    if made is None or not timedelta() <= now - made <= REPEATED_WITHIN:
        minutes = REPEATED_WITHIN // timedelta(minutes=1)
        raise Conflict(
            f"That request made {title}, whose secret is told again within {minutes} minutes "
            "only: ask for another key."
        )


def note(db: Database, key: str) -> bool:
    """Write down that ``key`` was made, by its hash; False: it was before.

    Whoever revokes a key wants it to open nothing again, whatever request is sent once more.
    """
    written = db.execute(
        "INSERT INTO requested_keys (hash) VALUES (?) ON CONFLICT DO NOTHING", [hashed(key)]
    )
    return written.rowcount == 1


def _text(secret: bytes) -> str:
    return urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")

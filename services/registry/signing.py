"""Which key signs tokens when, and how long it verifies them. No IO.

A key signs from a moment on which all services know it, until the next one does; it verifies until
the last token that it signed has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LIFETIME = timedelta(minutes=15)
"""Of a token."""

# Clocks of machines differ, and what verifies a token allows for it.
SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, without its private half."""

    key_id: str
    public_key: str
    created_at: datetime
    signs_from: datetime


Keys = Sequence[SigningKey]
"""In the order in which they sign; one at least."""


def signing(keys: Keys, now: datetime) -> SigningKey:
    """The key that signs now; where a clock was set back, the first one."""
    return next((key for key in reversed(keys) if key.signs_from <= now), keys[0])


def announced(keys: Keys, now: datetime) -> SigningKey | None:
    """The key that will sign next, where there is one."""
    return keys[-1] if keys[-1].signs_from > now else None


def signs_until(keys: Keys) -> Iterator[tuple[SigningKey, datetime | None]]:
    """Each key, and when the next one signs in its place; None: there is no next one."""
    for key, following in pairwise(keys):
        yield key, following.signs_from
    yield keys[-1], None


def verifies_until(end: datetime) -> datetime:
    """When the last token has ended that was signed before ``end``."""
    return end + LIFETIME + SLACK


def over(keys: Keys, now: datetime) -> list[SigningKey]:
    """The keys whose every token has ended."""
    return [key for key, end in signs_until(keys) if end and verifies_until(end) <= now]


def rotates_at(keys: Keys, every: timedelta) -> datetime | None:
    """When another key is to be made; None: never by itself."""
    # Not while the last one does not sign yet.
    return max(keys[-1].created_at + every, keys[-1].signs_from) if every else None


def looks_at(keys: Keys, every: timedelta) -> datetime | None:
    """When there will be something to do: a key to make, or one to remove; None: never."""
    moments = [verifies_until(end) for _, end in signs_until(keys) if end]
    if (rotation := rotates_at(keys, every)) is not None:
        moments.append(rotation)
    return min(moments, default=None)

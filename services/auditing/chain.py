"""Each entry's hash, which holds those before it: what is changed later no longer fits.

There are two chains, so that refusals can go before changes do, and each is shortened at its old
end alone. Who can write the file and makes all hashes anew is not noticed by the file itself: the
heads, kept elsewhere, tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

Row = tuple[object, ...]

CHANGED, REFUSED = CHAINS = (0, 1)
# Of the table ``audit``, in the order in which they are hashed; the hash follows them.
COLUMNS = (
    "id", "chain", "at", "principal", "action", "kind", "name", "detail", "outcome", "key_id",
    "via", "method", "source", "agent", "trace", "version", "revision_before", "revision",
    "state_before", "state_after", "count", "uid",
)  # fmt: skip
NAMES = {CHANGED: "changes", REFUSED: "refusals"}


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends, or began once its old end was dropped."""

    id: int = 0
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that does not fit."""

    chain: int
    id: int

    def __str__(self) -> str:
        return f"entry {self.id} ({NAMES[self.chain]}) is not what was written, or one is missing"


def hash_of(row: Row, before: bytes) -> bytes:
    """The hash of a row of :data:`COLUMNS`, after the one with the hash ``before``."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return sha256(before + text.encode("utf-8", "replace")).digest()


def followed(head: Head, rows: Iterable[tuple[Row, bytes]]) -> Head | Broken:
    """The head after ``rows``, each with its hash, of one chain, in order; or what is broken."""
    for row, hash_ in rows:
        if hash_of(row, head.hash) != hash_:
            return Broken(int(str(row[1])), int(str(row[0])))
        head = Head(int(str(row[0])), hash_)
    return head

"""The key file changed: a new key put before the others, those that nothing needs taken out."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from services.home import write_private
from services.locks import held
from services.sealing import SealingKey, key_line, keys_in

# Each is a line, and each is tried: who needs more has never taken one out.
MOST_KEYS = 20


class KeyFileUnusable(Exception):
    """The file is not as it must be for what is wanted; the message is a sentence."""


def put_new(path: Path) -> str:
    """Put a new key first; its id.

    Raises:
        KeyFileUnusable: There are too many already.
        StartupError, OSError, Locked: The file cannot be read or written.
    """
    with _alone(path):
        keys = keys_in(path)
        if len(keys) >= MOST_KEYS:
            raise KeyFileUnusable(f"There are {MOST_KEYS} keys already: take old ones out before.")
        new = secrets.token_urlsafe(32).encode()
        _write(path, [new, *keys])
    return SealingKey(new).id


def ids_in(path: Path) -> list[str]:
    """The ids of the keys, the one that seals first. Raises as :func:`put_new`."""
    return [SealingKey(key).id for key in keys_in(path)]


def keep_first(path: Path, key_id: str) -> list[str]:
    """Take all keys out but the first, which must be that of ``key_id``; the ids of the others.

    Raises:
        KeyFileUnusable: Another key is the first one by now.
        StartupError, OSError, Locked: The file cannot be read or written.
    """
    with _alone(path):
        first, *others = keys_in(path)
        if SealingKey(first).id != key_id:
            raise KeyFileUnusable("Somebody has put another key first meanwhile.")
        if others:
            _write(path, [first])
    return [SealingKey(key).id for key in others]


def _write(path: Path, keys: list[bytes]) -> None:
    write_private(path, "".join(f"{key_line(key)}\n" for key in keys))


@contextmanager
def _alone(path: Path) -> Generator[None]:
    # Of two who write at once, one would write over the other's key, which may have sealed by then.
    with held(path.with_name(f"{path.name}.lock")):
        yield

"""The token that is kept in a suite's home, so that not every command asks for one."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.home import write_private
from tui.suite import Suite

TOKEN_MARGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and when it ends (epoch seconds)."""

    text: str
    ends_at: float


def _token_path(suite: Suite) -> Path | None:
    return suite.home.path / "token.json" if suite.home else None


def keep_token(suite: Suite, token: Token) -> None:
    """Keep it for the next command, where there is a home."""
    path = _token_path(suite)
    if path is None:
        return
    kept = {"keyId": suite.credentials.key_id, "token": token.text, "expiresAt": token.ends_at}
    # In a home that is not ours to write each command asks for its own.
    with suppress(OSError):
        write_private(path, json.dumps(kept))


def kept_token(suite: Suite) -> Token:
    """The token in the home, while it holds and is this key's; else an empty one."""
    none = Token("", 0.0)
    path = _token_path(suite)
    if path is None or not path.exists():
        return none
    try:
        kept = json.loads(path.read_text())
        fresh = kept["expiresAt"] - time.time() > TOKEN_MARGIN_SECONDS
        if fresh and kept["keyId"] == suite.credentials.key_id:
            return Token(str(kept["token"]), float(kept["expiresAt"]))
    except (OSError, ValueError, LookupError, TypeError):
        # Whatever it is, a new one is asked for and takes its place.
        return none
    return none


def forget_token(suite: Suite) -> bool:
    """Drop the kept token, which is refused; False: there was none."""
    path = _token_path(suite)
    if path is None or not kept_token(suite).text:
        return False
    path.unlink(missing_ok=True)
    return True

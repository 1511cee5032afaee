"""The token of a suite's key: asked for, and kept in the home so that not every command asks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from podium.registry.v1 import registry_pb2, registry_pb2_grpc
from services.errors import ServiceError
from services.home import write_private
from services.rpc import raising_ours
from tui.clients.dialling import dialled
from tui.suite import Suite

TOKEN_MARGIN_SECONDS = 60.0
RENEWAL_SECONDS = 5.0
# For a new one, while the old one holds.
ANSWER_SECONDS = 10.0


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


async def token_of(suite: Suite, seconds: float) -> Token:
    """A token for the suite's key: the one kept in the home while it holds, else a new one.

    Kept, so that an operator can still look at executions while the registry is down.
    """
    kept = kept_token(suite)
    if kept.text:
        return kept
    async with dialled(suite.registry, None, suite.tls) as registry:
        answer = await registry_pb2_grpc.RegistryServiceStub(registry).IssueToken(
            registry_pb2.IssueTokenRequest(
                key_id=suite.credentials.key_id, key_secret=suite.credentials.key_secret
            ),
            timeout=seconds,
            wait_for_ready=True,
        )
    token = Token(str(answer.token), float(answer.expires_at.seconds))
    keep_token(suite, token)
    return token


@dataclass(slots=True)
class HeldToken:
    """The token of who goes on for longer than one lasts, as who follows a log does."""

    token: Token

    @property
    def text(self) -> str:
        return self.token.text


@asynccontextmanager
async def renewing(
    suite: Suite, held: HeldToken, every: float = RENEWAL_SECONDS
) -> AsyncGenerator[None]:
    """Within, ``held`` is renewed before it ends; it is looked at ``every`` so many seconds."""

    async def keep() -> None:
        while True:
            # Not until it ends: a machine that slept finds its clock elsewhere.
            await asyncio.sleep(every)
            if held.token.ends_at - time.time() < TOKEN_MARGIN_SECONDS:
                # Where that fails, whoever calls next is told why.
                with suppress(ServiceError), raising_ours():
                    held.token = await token_of(suite, ANSWER_SECONDS)

    keeping = asyncio.create_task(keep(), name="keep token")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

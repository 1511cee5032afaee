"""Fetches the keys of issuers, by the egress policy and within bounds."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.edge.tokens.fresh import life_of
from services.edge.tokens.model import Source
from services.jwks import KeyFault, KeySet, read_jwks
from services.urls import url_fault

if TYPE_CHECKING:
    from services.egress.configured import Egress
    from services.egress.sender import Reply, Sender

MOST_BYTES = 256 << 10
LONGEST_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
_SILENT_SECONDS = 5.0
_METADATA = ".well-known/openid-configuration"


class NotFetched(Exception):
    """There are no keys. The message is a sentence."""


class NoKeys(NotFetched):
    """The issuer has none any more: what it had is withdrawn."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Attributes: ``seconds`` is for how long the keys are good."""

    keys: KeySet
    seconds: float


class Fetcher:
    """Opens its connections when keys are first fetched."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._stack = AsyncExitStack()
        self._opened: Sender | None = None

    async def keys(self, source: Source) -> Fetched:
        """What is there now. A redirect is no answer: keys are where they are said to be.

        Raises:
            NotFetched: Nothing that keys can be read from; NoKeys where it is a set without any.
        """
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                uri = await self._discovered(source.uri) if source.discovered else source.uri
                reply = await self._got(uri)
                # Reading a hundred keys takes some milliseconds.
                keys = await asyncio.to_thread(read_jwks, reply.body)
        except TimeoutError:
            raise NotFetched(f"It took longer than {LONGEST_SECONDS:g} s.") from None
        except KeyFault as fault:
            raise NotFetched(f"What is there {fault}.") from None
        if not keys.keys:
            raise NoKeys("No key that is there can verify a signature.")
        return Fetched(keys, life_of(reply.headers))

    async def close(self) -> None:
        await self._stack.aclose()

    async def _discovered(self, issuer: str) -> str:
        reply = await self._got(f"{issuer.rstrip('/')}/{_METADATA}")
        try:
            told = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise NotFetched("The issuer's metadata are no JSON.") from None
        # OpenID Connect Discovery 1.0, 4.3: else it speaks for another.
        if not isinstance(told, dict) or told.get("issuer") != issuer:
            raise NotFetched("The issuer's metadata are of another issuer.")
        uri = told.get("jwks_uri")
        if not isinstance(uri, str) or url_fault(uri):
            raise NotFetched("The issuer's metadata have no jwks_uri that can be called.")
        if issuer.startswith("https://") and not uri.startswith("https://"):
            raise NotFetched("The issuer's metadata have a jwks_uri that is not https.")
        return uri

    async def _got(self, uri: str) -> Reply:
        from services.egress.failures import CallFailed
        from services.egress.sender import Call

        call = Call(
            "GET",
            uri,
            {"Accept": "application/jwk-set+json, application/json", "User-Agent": "podium"},
            None,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_SILENT_SECONDS,
            max_response_bytes=MOST_BYTES,
            follow=False,
        )
        try:
            reply = await (await self._sender()).send(call)
        except CallFailed as failed:
            raise NotFetched(failed.reason) from None
        if reply.status != 200:
            raise NotFetched(f"It was answered {reply.status}.")
        return reply

    async def _sender(self) -> Sender:
        if self._opened is None:
            self._opened = await self._stack.enter_async_context(self._egress.sender())
        return self._opened

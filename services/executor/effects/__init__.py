"""What tasks do outside, by the name that their kinds ask for it with: one file for each effect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from services.egress.configured import Egress
from services.executor.breaking.breakers import Breakers
from services.executor.core import http as http_call
from services.executor.effects.effect import Effect, HandOff
from services.executor.effects.http import Http
from services.executor.effects.webhook import WEBHOOK, Webhooks

__all__ = ["WEBHOOK", "Effect", "HandOff", "opened"]


@asynccontextmanager
async def opened(
    egress: Egress, breakers: Breakers | None = None
) -> AsyncGenerator[Mapping[str, Effect]]:
    """Every effect, each over a pool of connections that is closed at the end.

    Cancel what is being performed before leaving.
    """
    # None shares a pool: lookups for receivers that callers name must not hold up those of tasks.
    async with AsyncExitStack() as stack:
        http, webhooks = [await stack.enter_async_context(egress.sender()) for _ in range(2)]
        # Attempts to tell a webhook are put off by a table of their own.
        yield {http_call.EFFECT: Http(http, breakers), WEBHOOK: Webhooks(webhooks)}

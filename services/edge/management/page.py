"""What a page of the management listener is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.edge.call import Answer, Call
from services.edge.management.refusals import refusal
from services.errors import ServiceError

Page = Callable[..., Awaitable[Answer]]


def telling(page: Page) -> Page:
    """``page``, where what a service refuses is told in its own words."""

    async def told(call: Call, *arguments: object) -> Answer:
        try:
            return await page(call, *arguments)
        except ServiceError as error:
            raise refusal(error) from error

    return told

"""What a page of the management listener is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.callers import with_way_out
from services.edge.management.refusals import refusal
from services.errors import ServiceError

if TYPE_CHECKING:
    from services.edge.management.pages import Management

Page = Callable[..., Awaitable[Answer]]


def _as_it_is(error: ServiceError) -> ServiceError:
    return error


def telling(page: Page, reworded: Callable[[ServiceError], ServiceError] = _as_it_is) -> Page:
    """``page``, where what a service refuses is told in its own words.

    Args:
        reworded: Puts them into those of whoever asks at this page.
    """

    async def told(call: Call, management: Management, *parameters: str) -> Answer:
        try:
            return await page(call, management, *parameters)
        except ServiceError as error:
            anonymous = management.anonymous_application
            raise refusal(with_way_out(reworded(error), call, anonymous)) from error

    return told

"""The pages of what this server has not: each says what there is instead.

Its answer is 501, which no client sends again, and which none takes for an old server (404, 405).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.registry.v1 import access_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import asked
from services.edge.management.page import Page
from services.edge.problems import Problem
from services.unserved import UNSERVED_PAGES

if TYPE_CHECKING:
    from services.edge.management.pages import Management


def _saying(instead: str) -> Page:
    async def page(call: Call, management: Management, *_: str) -> Answer:
        """Every method: 501 to whoever has a token that holds."""
        request = asked(call, management)
        # So that whoever may do nothing learns nothing.
        await request.ask(request.stubs.registry.GetOwnAccess, pb.GetOwnAccessRequest())
        raise Problem("not-implemented", instead)

    return page


PAGES: tuple[tuple[str, str, Page], ...] = tuple(
    (method, path, _saying(instead)) for method, path, instead in UNSERVED_PAGES
)

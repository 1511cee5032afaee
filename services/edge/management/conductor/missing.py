"""The pages of what this server has not: each says what there is instead.

Its answer is 501, which no client sends again, and which none takes for an old server (404, 405).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.registry.v1 import access_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import asked
from services.edge.management.page import Page, telling
from services.edge.problems import Problem
from services.edge.trie import template_segments
from services.unserved import UNSERVED_BELOW, UNSERVED_PAGES

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


def below(segments: tuple[str, ...]) -> tuple[str, Page] | None:
    """The beginning of a path that is not served with all that is below it, and its page."""
    for beginning, page in _BELOW:
        own = template_segments(beginning)
        if segments[: len(own)] == own:
            return beginning, page
    return None


PAGES: tuple[tuple[str, str, Page], ...] = tuple(
    (method, path, _saying(instead)) for method, path, instead in UNSERVED_PAGES
)
_BELOW = tuple((path, telling(_saying(instead))) for path, instead in UNSERVED_BELOW.items())

"""``/api/version``: what serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import as_text, asked
from services.edge.management.page import Page

if TYPE_CHECKING:
    from services.edge.management.pages import Management


async def version(call: Call, management: Management) -> Answer:
    """GET: 200 with the version of the executor as text."""
    request = asked(call, management)
    status = await request.ask(
        request.stubs.executor.GetExecutorStatus, pb.GetExecutorStatusRequest()
    )
    return as_text(status.version)


PAGES: tuple[tuple[str, str, Page], ...] = (("GET", "/api/version", version),)

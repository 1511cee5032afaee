"""A desk where tokens of a real issuer are shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from services.edge.tokens.fetching import Fetcher
from services.edge.tokens.issuers import Terms
from services.edge.tokens.verifier import Tokens
from services.egress.configured import Egress
from tests.edge.tokens.desk import Desk
from tests.edge.tokens.issuer import issuing


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    async with issuing() as issuer:
        fetcher, desk = Fetcher(Egress.allowing(["loopback"])), Desk(issuer)
        desk.tokens = Tokens(fetcher.keys, lambda: desk.now, Terms(1000.0, 10.0))
        yield desk
        await desk.tokens.close()
        await fetcher.close()

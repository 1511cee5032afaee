from __future__ import annotations

from importlib import metadata

import httpx
import pytest

from tests.conductor.rows import Row, exchanged

ROWS = (
    Row("GET /api/version", "tells what serves", "/api/version", 200,
        answer=metadata.version("podium")),
    Row("GET /health", "needs no token", "/health", 200, answer={"healthy": True}),
    Row("GET /api/health", "needs no token", "/api/health", 200, answer={"healthy": True}),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(api: httpx.AsyncClient, row: Row) -> None:
    await exchanged(api, row, {})

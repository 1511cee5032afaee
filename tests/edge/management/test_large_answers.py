"""What is large: copies of schemas are bounded, and nobody else waits while it is written."""

from __future__ import annotations

import threading
from typing import Any

from services.edge.bodies import PARSED_ASIDE_BYTES
from services.edge.management.configuration import exchange
from tests.edge.management.conftest import Configured
from tests.registry.registries import put

SERVICES = "/api/gateway/config/services"
LARGE = {"type": "object", "description": "x" * 1_000_000}


def service(routes: int) -> dict[str, Any]:
    return {
        "id": "orders",
        "path": "/orders",
        "authConfigId": "partners",
        "routes": [
            {
                "httpMethod": "POST",
                "path": f"/{number}",
                "mappedWorkflow": {"name": "checkout"},
                "inputSchemaRef": {"name": "Large"},
                "outputSchemaRef": {"name": "Rating"},
            }
            for number in range(routes)
        ],
    }


async def test_a_schema_is_left_out_where_its_copies_are_too_large(api: Configured) -> None:
    await put(api.registry.admin, {"kind": "schema", "name": "Large", "data": LARGE})
    assert (await api.client.post(SERVICES, json=service(20))).status_code == 200
    await api.arrived()

    read = await api.client.get(f"{SERVICES}/orders")
    listed = await api.client.get(f"{SERVICES}/orders/routes")
    one = await api.client.get(f"{SERVICES}/orders/routes/route?method=POST&path=/7")

    for route in (*read.json()["routes"], *(each["route"] for each in listed.json())):
        assert "inputSchema" not in route
        assert route["inputSchemaRef"] == {"name": "Large"}
        assert route["outputSchema"]
    assert len(one.json()["route"]["inputSchema"]) > 1_000_000
    again = await api.client.put(f"{SERVICES}/orders", json=read.json())
    assert again.json() == read.json()


async def test_a_large_answer_is_written_aside() -> None:
    small = await exchange.answered(1, threading.get_ident)
    large = await exchange.answered(PARSED_ASIDE_BYTES + 1, threading.get_ident)

    assert int(small.body) == threading.get_ident()
    assert int(large.body) != threading.get_ident()

"""The OpenAPI document of services and routes in the console."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.tui.console.conftest import console_on
from tests.tui.console.tried import serve
from tests.tui.screen import screen_text, typed, until_shown
from tests.tui.services import Services, put
from tui.screens.route.openapi import OpenApiTab
from tui.widgets.text_view import TextView

ROUTE = "routes/{0}%20POST%20%2F{0}%2Fsum%2F{{id}}/openapi"


def text(pilot: Any) -> str:
    return str(pilot.app.screen.query_one(OpenApiTab).query_one(TextView).text)


async def test_a_service_has_its_document_and_the_place_of_its_page(services: Services) -> None:
    await serve(services, "opened")
    async with console_on(services, "services/opened/openapi", size=(80, 24)) as pilot:
        await until_shown(pilot, "openapi: 3.1.0", "/opened/docs · anybody")
        assert "/opened/later" in text(pilot)

        await pilot.press("y", "u")
        assert pilot.app.clipboard == f"{services.suite.gateway}/opened/docs"
        await pilot.press("f2")
        await until_shown(pilot, '"openapi": "3.1.0"')
        await pilot.press("y", "o")
        assert pilot.app.clipboard == f"{services.suite.gateway}/opened/openapi"


async def test_a_route_has_its_part(services: Services) -> None:
    await serve(services, "partly")
    async with console_on(services, ROUTE.format("partly"), size=(120, 40)) as pilot:
        await until_shown(pilot, "openapi: 3.1.0", "/partly/sum/{id}")

        assert "/partly/later" not in text(pilot)
        await typed(pilot, "slash", *"operationId", "enter")
        await until_shown(pilot, "1 of 1 with 'operationId'")


async def test_it_is_read_again_when_the_service_changes(services: Services) -> None:
    await serve(services, "rewritten")
    async with console_on(services, "services/rewritten/openapi") as pilot:
        await until_shown(pilot, "openapi: 3.1.0")
        await put(
            services,
            {"kind": "service", "id": "rewritten", "name": "Another title", "path": "/rewritten",
             "authConfigId": "rewritten", "routes": []},
        )  # fmt: skip

        await until_shown(pilot, "Another title")


async def test_while_the_edge_is_away_it_says_so_and_asks_again(own_services: Services) -> None:
    await serve(own_services, "hidden")
    await own_services.stop("edge")
    async with console_on(own_services, "services/hidden/openapi") as pilot:
        await until_shown(pilot, "✘ ", "Ctrl+R asks again")
        await own_services.start("edge")

        async with asyncio.timeout(20):
            while "openapi: 3.1.0" not in screen_text(pilot.app):
                await pilot.press("ctrl+r")
                await pilot.pause()

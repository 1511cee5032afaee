"""Streams of the registry that a client follows, over a restart of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.errors import InvalidRequest
from tests.tui.services import Services, make_home
from tui.clients import Clients, audit_changing, catalog_changing, connected


async def secret(clients: Clients, name: str) -> None:
    document = json.dumps({"kind": "secret", "name": name, "value": "v"})
    put = pb.DocumentPut(document=document)
    await clients.registry.PutDefinitions(
        pb.PutDefinitionsRequest(puts=[put]), wait_for_ready=True, timeout=20
    )


async def caught_up(messages: AsyncIterator[Any]) -> list[Any]:
    told = []
    async for message in messages:
        told.append(message)
        if message.HasField("caught_up"):
            break
    return told


def stored(told: list[Any]) -> list[str]:
    return [state.definition.name for each in told for state in each.changes.states]


def written(told: list[Any]) -> list[str]:
    return [entry.name for each in told for entry in each.entries.entries]


@pytest.mark.parametrize("stream", ["catalog", "audit"])
async def test_a_stream_goes_on_where_it_was_after_a_restart(tmp_path: Path, stream: str) -> None:
    """A channel notices within a second that the registry is there again."""
    make_home(tmp_path)
    services = Services(tmp_path)
    await services.start("registry")
    try:
        async with connected(services.suite) as clients:
            names = stored if stream == "catalog" else written
            changing: AsyncIterator[Any]
            if stream == "catalog":
                changing = catalog_changing(clients, ["secret"])
            else:
                wanted = pb.AuditFilter(kind="secret")
                changing = audit_changing(clients, pb.WatchAuditEntriesRequest(filter=wanted))
            await secret(clients, "A")
            first = await caught_up(changing)
            await services.stop("registry")
            await services.start("registry")
            await secret(clients, "B")
            told = list[Any]()
            while not names(told):
                told += await caught_up(changing)
    finally:
        await services.aclose()

    assert names(first) == ["A"]
    assert names(told) == ["B"]
    assert not any(each.HasField("snapshot_started") for each in told)


async def test_a_kind_that_there_is_not_is_refused_at_once(tmp_path: Path) -> None:
    make_home(tmp_path)
    services = Services(tmp_path)
    await services.start("registry")
    try:
        async with connected(services.suite) as clients:
            with pytest.raises(InvalidRequest):
                await caught_up(catalog_changing(clients, ["flow"]))
    finally:
        await services.aclose()

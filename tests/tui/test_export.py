"""What `podium export` reads, at one moment, and what it finds in a folder that is there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Conflict
from services.registry.definitions import KINDS
from tests.registry.registries import put, running, settings
from tui.cli import definitions
from tui.cli.export import at_once, left_over, write
from tui.clients import Clients
from tui.views import files


async def exported(tmp_path: Path, times: int) -> set[str]:
    """The names of what is read while somebody puts a definition after each of so many pages."""
    left = list(range(times))
    async with running(settings(tmp_path)) as registry:

        async def page(request: pb.ListDefinitionsRequest, **options: Any) -> Any:
            found = await registry.admin.ListDefinitions(request, **options)
            if left:
                await put(registry.admin, {"kind": "application", "id": f"a{left.pop()}"})
            return found

        await put(registry.admin, {"kind": "application", "id": "z"})
        status = registry.admin.GetRegistryStatus
        stub = SimpleNamespace(GetRegistryStatus=status, ListDefinitions=page)
        clients = cast("Clients", SimpleNamespace(registry=stub))
        return {name for _, name, _ in await at_once(clients)}


async def test_what_is_exported_was_there_at_one_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "PAGE", 1)

    assert {"a0", "a1", "z"} <= await exported(tmp_path, 2)


async def test_what_never_stands_still_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "PAGE", 1)

    with pytest.raises(Conflict, match="export again"):
        await exported(tmp_path, 1000)


def test_files_of_a_kind_of_which_nothing_is_left_are_named(tmp_path: Path) -> None:
    for name in ("schema/gone.v1.yaml", "schema/.hidden.yaml", "service/shop.yaml", "mine/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert left_over(tmp_path, {"service/shop.yaml"}) == ["schema/gone.v1.yaml"]


async def test_what_is_no_file_makes_way_and_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "schema" / "s.v1.yaml"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    document = {"kind": "schema", "name": "s", "version": 1, "data": {}}

    assert write(pipe, pb.Definition(document=json.dumps(document)))

    assert "name: s" in pipe.read_text()
    assert not write(pipe, pb.Definition(document=json.dumps(document)))


def test_every_kind_has_a_folder() -> None:
    assert set(files.KINDS) == set(KINDS)

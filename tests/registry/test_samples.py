"""Samples judged by schemas; each judgement is a process, which takes a third of a second."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import (
    InvalidDefinition,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    TooLarge,
)
from services.registry import sample_worker, samples
from tests.registry.registries import Running, put

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "a/b": {"type": "array", "items": {"minimum": 2}}},
}


async def checked(
    stub: RegistryServiceAsyncStub, sample: Any, schema: Any = SCHEMA, **asked: Any
) -> list[tuple[str, str]]:
    text = sample if isinstance(sample, str) else json.dumps(sample)
    if "schema_name" not in asked:
        asked["schema_text"] = schema if isinstance(schema, str) else json.dumps(schema)
    with rpc.raising_ours():
        answer = await stub.CheckSample(pb.CheckSampleRequest(sample=text, **asked))
    return [(fault.pointer, fault.detail) for fault in answer.faults]


async def test_a_valid_sample_has_no_faults(registry: Running) -> None:
    assert await checked(registry.admin, {"id": 1}) == []


async def test_every_fault_has_its_pointer_and_no_value(registry: Running) -> None:
    found = await checked(registry.admin, {"a/b": [3, 1], "id": "hush"})

    assert {pointer for pointer, _ in found} == {"/id", "/a~1b/1"}
    assert "hush" not in repr(found)


async def test_a_schema_is_found_by_name_and_version(registry: Running) -> None:
    strict = {"type": "object", "maxProperties": 0}
    await put(
        registry.admin,
        {"kind": "schema", "name": "order", "version": 1, "data": SCHEMA},
        {"kind": "schema", "name": "order", "version": 2, "data": strict},
    )

    first = await checked(registry.admin, {"id": 1}, schema_name="order", schema_version=1)
    latest = await checked(registry.admin, {"id": 1}, schema_name="order")

    assert first == []
    assert [pointer for pointer, _ in latest] == [""]
    with pytest.raises(NotFound):
        await checked(registry.admin, {}, schema_name="order", schema_version=3)


async def test_a_sample_that_is_no_json_is_a_fault_with_its_line(registry: Running) -> None:
    ((pointer, detail),) = await checked(registry.admin, '{\n"id": x}')

    assert pointer == ""
    assert detail.startswith("line 2: is no JSON")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"id": {"type": "intger"}}}, "properties.id.type"),
        ({"$ref": "https://example.com/other"}, ""),
        ("[]", ""),
        ("{", ""),
    ],
)
async def test_what_is_no_schema_is_told_by_its_faults(
    registry: Running, schema: Any, path: str
) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await checked(registry.admin, {}, schema)

    assert [fault.path for fault in caught.value.faults] == [path]


async def test_no_schema_at_all_is_refused(registry: Running) -> None:
    with pytest.raises(InvalidRequest), rpc.raising_ours():
        await registry.admin.CheckSample(pb.CheckSampleRequest(sample="{}"))


@pytest.mark.parametrize("of", ["schema", "sample"])
async def test_what_is_too_large_is_refused(registry: Running, of: str) -> None:
    large = json.dumps({"description": "x" * samples.LARGEST_BYTES})

    with pytest.raises(TooLarge, match=of):
        await checked(registry.admin, *((large,) if of == "sample" else ({}, large)))


async def test_what_takes_too_long_is_ended_and_holds_up_nobody(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "JUDGED_SECONDS", 0.2)
    # Each level doubles the work of the one within.
    again = {"type": "array", "items": {"$ref": "#"}}
    schema = {"anyOf": [{"type": "string"}, again, {**again, "maxItems": 9}]}
    sample = "[" * 25 + "1" + "]" * 25

    asked = asyncio.ensure_future(checked(registry.admin, sample, schema))
    await registry.admin.GetRegistryStatus(pb.GetRegistryStatusRequest())
    with pytest.raises(InvalidRequest, match=r"takes more than 0\.2 s"):
        await asked


async def test_a_process_that_is_killed_says_nothing_of_the_sample(registry: Running) -> None:
    again = {"type": "array", "items": {"$ref": "#"}}
    schema = {"anyOf": [{"type": "string"}, again, {**again, "maxItems": 9}]}
    asked = asyncio.ensure_future(checked(registry.admin, "[" * 40 + "1" + "]" * 40, schema))
    os.kill(await limited_child(), signal.SIGKILL)

    with pytest.raises(Overloaded, match="was not judged"):
        await asked


async def limited_child() -> int:
    """The process that judges, once it has limits: it has loaded then."""
    async with asyncio.timeout(20):
        # No system tells of it.
        while (found := next(limited_children(), None)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


def limited_children() -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        # It may be gone by now.
        with suppress(OSError):
            ours = f"PPid:\t{os.getpid()}\n" in (folder / "status").read_text()
            if ours and str(sample_worker.MEMORY_BYTES) in (folder / "limits").read_text():
                yield int(folder.name)


async def test_only_so_many_wait(registry: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_MOST_WAITING", 0)

    calls = [checked(registry.admin, {"id": 1}) for _ in range(6)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert answers.count([]) == 2
    assert sum(isinstance(each, Overloaded) for each in answers) == 4


async def test_who_only_looks_on_may_not_take_a_processs_time(registry: Running) -> None:
    viewer = await registry.application("viewer", roles=["VIEWER"])

    with pytest.raises(PermissionDenied):
        await checked(viewer, {})

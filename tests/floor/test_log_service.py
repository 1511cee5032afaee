"""The log over gRPC: what is there, what comes, and what a slow watcher misses."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from podium.common.v1 import log_pb2 as pb, log_pb2_grpc
from services import logs
from services.errors import InvalidRequest
from services.log_ring import LogRing
from services.log_service import NAME, LogService
from services.rpc import channel, raising_ours, serving

logger = logging.getLogger("services.test")
deeper = logging.getLogger("services.test.deeper")
others = logging.getLogger("services.tested")


@pytest.fixture
def ring() -> Generator[LogRing]:
    """The log of this process, as a service sets it up; the set-up of before comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    flags = logging.logThreads, logging.logProcesses, logging.logMultiprocessing
    yield logs.configure("critical", "edge")
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags
    logging.captureWarnings(False)


@asynccontextmanager
async def stub_of(ring: LogRing) -> AsyncGenerator[Any]:
    service = LogService(ring)
    async with (
        serving(service.add_to, services=[NAME], grace=5) as address,
        channel(address) as dialled,
    ):
        try:
            yield log_pb2_grpc.LogServiceStub(dialled)
        finally:
            ring.close()


@pytest.fixture
async def stub(ring: LogRing) -> AsyncGenerator[Any]:
    async with stub_of(ring) as stub:
        yield stub


async def told(stub: Any, **request: Any) -> list[pb.WatchLogResponse]:
    with raising_ours():
        return [each async for each in stub.WatchLog(pb.WatchLogRequest(**request), timeout=10)]


async def messages(stub: Any, **request: Any) -> list[str]:
    return [entry.message for each in await told(stub, **request) for entry in each.entries]


async def next_of(call: Any) -> pb.WatchLogResponse:
    response: pb.WatchLogResponse = await asyncio.wait_for(call.read(), 10)
    return response


async def test_an_entry_is_told_with_all_that_it_has(stub: Any) -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        logger.exception("It failed %d times.", 3, extra={"execution_id": "e1", "port": 7401})

    (response,) = await told(stub)
    (entry,) = response.entries
    assert (entry.level, entry.service) == (pb.LOG_LEVEL_ERROR, "edge")
    assert (entry.logger, entry.message) == ("services.test", "It failed 3 times.")
    assert json.loads(entry.fields) == {"execution_id": "e1", "port": 7401}
    assert entry.exception.endswith("ValueError: a\nb")
    assert entry.time.seconds > 1_700_000_000
    assert response.caught_up


async def test_an_empty_log_is_answered_at_once(stub: Any, ring: LogRing) -> None:
    (response,) = await told(stub)

    assert response == pb.WatchLogResponse(
        resume=pb.LogPosition(process=ring.process), caught_up=True
    )


async def test_what_stderr_leaves_out_is_told_from_info_on(
    stub: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.info("quiet")
    logger.debug("quieter")

    assert await messages(stub) == ["quiet"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "abcde"),
        ({"level": pb.LOG_LEVEL_WARNING}, "bcd"),
        ({"level": pb.LOG_LEVEL_CRITICAL}, ""),
        ({"logger": "services.test"}, "abd"),
        ({"logger": "services.test.deeper"}, "d"),
        ({"text": "STRASSE"}, "a"),
        ({"text": "needle"}, "bd"),
        ({"execution_id": "e-1"}, "ce"),
        ({"request_id": 'r"1'}, "d"),
        ({"execution_id": "e-1", "level": pb.LOG_LEVEL_ERROR}, "c"),
        ({"limit": 2}, "de"),
        ({"limit": 2, "level": pb.LOG_LEVEL_WARNING}, "cd"),
        ({"limit": 0}, ""),
        ({"limit": 10_000}, "abcde"),
    ],
)
async def test_only_what_is_asked_for_is_told(stub: Any, asked: dict[str, Any], found: str) -> None:
    logger.info("a: Straße")
    logger.warning("b", extra={"value": {"in": "Needle"}})
    others.error("c", extra={"execution_id": "e-1"})
    try:
        raise ValueError("NEEDLE")
    except ValueError:
        deeper.exception("d", extra={"request_id": 'r"1', "execution_id": "e-11"})
    others.info("e: execution e-1 began")

    assert "".join(each[0] for each in await messages(stub, **asked)) == found


async def test_the_newest_come_in_order_over_many_batches(stub: Any) -> None:
    for number in range(4_000):
        (logger.warning if number % 2 else logger.info)("%d", number)

    responses = await told(stub, level=pb.LOG_LEVEL_WARNING, limit=1_500)
    found = [int(entry.message) for each in responses for entry in each.entries]
    assert found == list(range(1_001, 4_000, 2))
    assert [each.caught_up for each in responses] == [False] * (len(responses) - 1) + [True]


@pytest.mark.parametrize(
    "asked", [{"limit": -1}, {"limit": 10_001}, {"text": "x" * 1_001}, {"logger": "x" * 1_001}]
)
async def test_what_there_cannot_be_is_refused(stub: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        await told(stub, **asked)


async def test_a_follower_is_told_of_what_comes_and_of_nothing_twice(stub: Any) -> None:
    logger.info("before")
    call = stub.WatchLog(pb.WatchLogRequest(follow=True, level=pb.LOG_LEVEL_INFO))
    seen = [await next_of(call)]
    logger.debug("not kept")
    await asyncio.to_thread(logger.error, "from a thread")
    seen.append(await next_of(call))
    call.cancel()
    logger.info("meanwhile")

    again = stub.WatchLog(pb.WatchLogRequest(follow=True, resume=seen[-1].resume))
    seen.append(await next_of(again))
    logger.info("after")
    seen.append(await next_of(again))
    again.cancel()

    found = [entry.message for each in seen for entry in each.entries]
    assert found == ["before", "from a thread", "meanwhile", "after"]
    assert all(each.caught_up for each in seen)


async def test_a_place_in_an_earlier_process_is_the_beginning_of_this_one(stub: Any) -> None:
    logger.info("one")
    logger.info("two")

    position = pb.LogPosition(process="another", sequence=700)
    assert await messages(stub, resume=position, limit=1) == ["one", "two"]


@pytest.mark.parametrize("sequence", [-5, 1 << 40])
async def test_a_place_that_never_was_does_no_harm(stub: Any, ring: LogRing, sequence: int) -> None:
    logger.info("one")
    position = pb.LogPosition(process=ring.process, sequence=sequence)
    (response,) = await told(stub, resume=position)

    assert len(response.entries) == (1 if sequence < 0 else 0)
    assert response.resume.sequence == 1


async def test_a_slow_watcher_is_told_how_much_it_has_missed(stub: Any, ring: LogRing) -> None:
    call = stub.WatchLog(pb.WatchLogRequest(follow=True))
    await next_of(call)
    for number in range(40_000):
        logger.info("%d %s", number, "x" * 400)
        if number % 100 == 0:
            # Its service goes on sending for as long as the stream takes it.
            await asyncio.sleep(0)
    logger.info("last")

    count = dropped = 0
    last = ""
    while last != "last":
        response = await next_of(call)
        count += len(response.entries)
        dropped += response.dropped
        last = response.entries[-1].message if response.entries else last
    call.cancel()
    assert dropped > 0
    assert count + dropped == 40_001
    assert ring.bytes <= 8 << 20


async def test_what_is_no_utf_8_arrives_all_the_same(stub: Any, ring: LogRing) -> None:
    # Not by a logger: what a test logs is told to the other process of a parallel run, and a lone
    # surrogate ends that process.
    record = logging.LogRecord("services.test", logging.INFO, __file__, 1, "\ud800!", (), None)
    record.odd = "\udfff"
    ring.append(logging.INFO, logs.JsonLines("edge").format(record))

    (response,) = await told(stub)
    assert response.entries[0].message == "?!"
    assert json.loads(response.entries[0].fields) == {"odd": "\udfff"}


async def test_watches_end_with_their_service(ring: LogRing) -> None:
    async with stub_of(ring) as stub:
        call = stub.WatchLog(pb.WatchLogRequest(follow=True))
        await next_of(call)
        logger.info("last words")
        ring.close()
        response = await next_of(call)
        assert await asyncio.wait_for(call.read(), 10) is grpc.aio.EOF

    assert [entry.message for entry in response.entries] == ["last words"]

"""The edge's stream of HTTP workers, to an executor that does what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from podium.worker.v1 import worker_pb2 as pb, worker_pb2_grpc
from services import rpc
from services.edge.call import Gone
from services.edge.relay import Relay, kept_open
from services.errors import NotFound, Overloaded, TooLarge

TASK = pb.Task(task_id="t", task_type="x")


class Scripted(worker_pb2_grpc.WorkerServiceServicer):
    """Answers what a test has it answer.

    Attributes:
        asks: All that came on any stream, in order.
        hellos: Those of each stream.
        streams: How many were opened.
    """

    def __init__(self) -> None:
        self.asks: asyncio.Queue[pb.RelayAsk] = asyncio.Queue()
        self.hellos: asyncio.Queue[pb.RelayHello] = asyncio.Queue()
        self.streams = 0
        self._end = asyncio.Event()
        self._write: Callable[[pb.RelayResponse], Awaitable[None]]

    async def Relay(  # type: ignore[override]  # noqa: N802
        self, requests: AsyncIterator[pb.RelayRequest], context: Any
    ) -> None:
        self._end.clear()
        self._write = context.write
        await context.write(pb.RelayResponse())
        self.streams += 1
        reading = asyncio.create_task(self._read(requests))
        ending = asyncio.create_task(self._end.wait())
        await asyncio.wait([reading, ending], return_when=asyncio.FIRST_COMPLETED)
        broken = ending.done()
        for task in (reading, ending):
            task.cancel()
        if broken:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "It broke.")

    async def _read(self, requests: AsyncIterator[pb.RelayRequest]) -> None:
        async for request in requests:
            if request.HasField("hello"):
                self.hellos.put_nowait(request.hello)
            for ask in request.asks:
                self.asks.put_nowait(ask)

    async def answer(self, number: int, *tasks: pb.Task, **fields: Any) -> None:
        answer = pb.RelayAnswer(number=number, tasks=tasks, **fields)
        await self._write(pb.RelayResponse(answers=[answer]))

    def break_off(self) -> None:
        self._end.set()


@pytest.fixture
def executor() -> Scripted:
    return Scripted()  # type: ignore[abstract]


@pytest.fixture
async def stub(executor: Scripted) -> AsyncGenerator[Any]:
    server = grpc.aio.server(options=rpc.SERVER_OPTIONS)
    worker_pb2_grpc.add_WorkerServiceServicer_to_server(executor, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = rpc.CHANNEL_OPTIONS
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield worker_pb2_grpc.WorkerServiceStub(channel)
    await server.stop(None)


@pytest.fixture
async def relay(stub: Any) -> AsyncGenerator[Relay]:
    relay = Relay(stub)
    async with kept_open(relay):
        yield relay


def cycle() -> Any:
    return SimpleNamespace(on_gone=None, disconnected=False)


def polling(relay: Relay, client: Any = None, application: str = "a") -> Any:
    request = pb.PollTasksRequest(task_type="x", worker_id="w", count=1)
    # Longer than any test: what ends it is no time that is up.
    request.timeout.FromSeconds(60)
    return asyncio.ensure_future(relay.poll(request, application, client or cycle()))


def telling(relay: Relay, **fields: Any) -> Any:
    update = pb.UpdateTaskRequest(result=pb.TaskResult(task_id="t", **fields))
    said = pb.RelayUpdate(update=update)
    return asyncio.ensure_future(relay.update(said, "a", cycle()))


async def test_what_is_given_is_the_worker_s_once_its_answer_is_made(
    relay: Relay, executor: Scripted
) -> None:
    client = cycle()
    poll = polling(relay, client)
    asked = await executor.asks.get()
    assert (asked.on_behalf_of, asked.poll.worker_id) == ("a", "w")
    await executor.answer(asked.number, TASK)
    given = await poll
    with relay.handing(given, client):
        assert given.tasks == [TASK]
        assert executor.asks.empty()
    ended = await executor.asks.get()
    assert (ended.number, ended.end) == (asked.number, pb.RELAY_END_TAKEN)


async def test_what_is_given_goes_back_where_the_client_left_or_no_answer_is_made(
    relay: Relay, executor: Scripted
) -> None:
    for leaves in (True, False):
        client = cycle()
        poll = polling(relay, client)
        asked = await executor.asks.get()
        await executor.answer(asked.number, TASK)
        given = await poll
        with pytest.raises(Gone if leaves else ZeroDivisionError), relay.handing(given, client):
            client.disconnected = leaves
            if not leaves:
                raise ZeroDivisionError
        ended = await executor.asks.get()
        assert (ended.number, ended.end) == (asked.number, pb.RELAY_END_LEFT)


async def test_a_client_that_leaves_while_it_waits_is_given_nothing(
    relay: Relay, executor: Scripted
) -> None:
    client = cycle()
    poll = polling(relay, client)
    asked = await executor.asks.get()
    client.on_gone()
    with pytest.raises(Gone):
        await poll
    assert (await executor.asks.get()).end == pb.RELAY_END_LEFT
    # What was on its way is nobody's here.
    await executor.answer(asked.number, TASK)
    other = polling(relay)
    await executor.answer((await executor.asks.get()).number)
    assert (await other).tasks == []


async def test_when_the_stream_breaks_polls_find_nothing_and_words_are_said_again(
    relay: Relay, executor: Scripted
) -> None:
    poll, word = polling(relay), telling(relay)
    first = {ask.WhichOneof("ask"): ask for ask in [await executor.asks.get() for _ in range(2)]}
    executor.break_off()
    assert (await poll).tasks == []
    again = await executor.asks.get()
    assert again == first["update"]
    assert executor.streams == 2
    await executor.answer(again.number)
    assert (await word).tasks == []


class Breaking:
    """A stub whose first call cannot be written to: as if gRPC broke."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub
        self._broken = False

    def Relay(self, **options: Any) -> Any:  # noqa: N802
        call = self._stub.Relay(**options)
        if not self._broken:
            self._broken = True
            call.write = self._write
        return call

    async def _write(self, request: pb.RelayRequest) -> None:
        raise ZeroDivisionError


async def test_what_cannot_be_written_is_said_on_another_stream(
    stub: Any, executor: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    relay = Relay(Breaking(stub))  # type: ignore[arg-type]
    async with asyncio.timeout(10), kept_open(relay):
        word = telling(relay)
        await executor.answer((await executor.asks.get()).number)
        assert (await word).tasks == []
    assert executor.streams == 2
    assert "cannot be written to" in caplog.text


async def given_to(relay: Relay, executor: Scripted, task_id: str, count: int = 1) -> Any:
    poll = polling(relay)
    task = pb.Task(task_id=task_id, poll_count=count)
    await executor.answer((await executor.asks.get()).number, task)
    return await poll


async def test_a_new_stream_tells_what_was_handed_over_on_those_before(
    relay: Relay, executor: Scripted
) -> None:
    first = await executor.hellos.get()
    assert (len(first.edge_id), list(first.handed_task_ids)) == (36, [])
    for task_id, count in (("t1", 1), ("t2", 3)):
        with relay.handing(await given_to(relay, executor, task_id, count), cycle()):
            pass
        await executor.asks.get()
    executor.break_off()

    again = await executor.hellos.get()
    assert (again.edge_id, list(again.handed_task_ids)) == (first.edge_id, ["t1", "t2"])
    assert list(again.handed_poll_counts) == [1, 3]


async def test_what_came_on_a_stream_that_broke_is_handed_to_nobody(
    relay: Relay, executor: Scripted
) -> None:
    await executor.hellos.get()
    given = await given_to(relay, executor, "t")
    executor.break_off()
    again = await executor.hellos.get()

    with pytest.raises(Gone), relay.handing(given, cycle()):
        pass
    assert list(again.handed_task_ids) == []


async def test_a_refusal_is_the_asker_s(relay: Relay, executor: Scripted) -> None:
    word = telling(relay)
    number = (await executor.asks.get()).number
    await executor.answer(number, code=5, reason="NOT_FOUND", detail="There is no such task.")
    with pytest.raises(NotFound, match="There is no such task"):
        await word


async def test_when_the_edge_ends_polls_find_nothing_and_what_was_taken_is_said(
    stub: Any, executor: Scripted
) -> None:
    relay, client = Relay(stub), cycle()
    async with kept_open(relay):
        poll = polling(relay, client)
        number = (await executor.asks.get()).number
        await executor.answer(number, TASK)
        given = await poll
        waits = polling(relay)
        await executor.asks.get()
        with relay.handing(given, client):
            pass
    assert (await waits).tasks == []
    assert (await polling(relay)).tasks == []
    said = [executor.asks.get_nowait() for _ in range(executor.asks.qsize())]
    assert pb.RelayAsk(number=number, end=pb.RELAY_END_TAKEN) in said


async def test_before_the_edge_ends_polls_find_nothing_and_words_are_told(
    relay: Relay, executor: Scripted
) -> None:
    poll = polling(relay)
    await executor.asks.get()
    relay.drain()
    async with asyncio.timeout(10):
        assert (await poll).tasks == (await polling(relay)).tasks == []
    assert (await executor.asks.get()).end == pb.RELAY_END_LEFT
    word = telling(relay)
    await executor.answer((await executor.asks.get()).number)
    assert (await word).tasks == []


async def test_one_caller_s_polls_leave_room_for_others_and_for_words(stub: Any) -> None:
    relay = Relay(stub, most=4, most_of_one=2)
    waiting = [polling(relay) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await polling(relay)
    waiting += [polling(relay, application="b") for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await polling(relay, application="c")
    word = telling(relay)
    await asyncio.sleep(0)
    assert not word.done()
    # Each makes room when it ends.
    relay.end_polls()
    assert [(await each).tasks for each in waiting] == [[]] * 4
    another = polling(relay)
    await asyncio.sleep(0)
    assert not another.done()
    another.cancel()
    word.cancel()


async def test_what_no_message_holds_is_refused_before_it_breaks_the_stream(
    relay: Relay, executor: Scripted
) -> None:
    with pytest.raises(TooLarge):
        await telling(relay, output="x" * (21 << 20))
    word = telling(relay, output="x" * (19 << 20))
    await executor.answer((await executor.asks.get()).number)
    assert (await word).tasks == []
    assert executor.streams == 1

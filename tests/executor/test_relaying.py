"""The stream by which the edge asks for workers that speak HTTP: what is whose, and when."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from podium.executor.v1 import executor_pb2
from podium.worker.v1 import worker_pb2 as pb
from services.errors import InvalidRequest, PermissionDenied
from services.executor.workers.handing import MOST_TASK_BYTES
from services.executor.workers.relaying import RelaySession
from services.executor.workers.words import longest
from services.rpc import MAX_MESSAGE_BYTES, on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, step, wait, workflow
from tests.executor.working import BACK, DONE, poll, queue, result

ONE = workflow("one", {**step("t", "SIMPLE"), "name": "a"})


class Peer:
    """The edge's end."""

    def __init__(
        self,
        rig: Rig,
        id: str = "edge",
        handed: Mapping[str, int] = MappingProxyType({}),
        *,
        counts: bool = True,
    ) -> None:
        self.call: Any = rig.workers.Relay()
        self._hello: pb.RelayHello | None = pb.RelayHello(
            edge_id=id, handed_task_ids=handed, handed_poll_counts=handed.values() if counts else ()
        )
        self._answers = self._each()

    async def ask(self, *asks: pb.RelayAsk) -> None:
        hello, self._hello = self._hello, None
        await self.call.write(pb.RelayRequest(asks=asks, hello=hello))

    async def _each(self) -> AsyncIterator[pb.RelayAnswer]:
        async for response in self.call:
            for each in response.answers:
                yield each

    async def next(self) -> pb.RelayAnswer:
        async with asyncio.timeout(5):
            return await anext(self._answers)


def polls(number: int, seconds: float = 5, count: int = 1, **fields: Any) -> pb.RelayAsk:
    request = pb.PollTasksRequest(
        task_type="a", worker_id=f"w{number}", count=count, timeout=wait(seconds)
    )
    return pb.RelayAsk(**{"number": number, "on_behalf_of": "admin", "poll": request, **fields})


def says(
    number: int,
    task: pb.Task,
    status: Any = DONE,
    *,
    next: bool = False,
    extend: bool = False,
    on_behalf_of: str = "admin",
    **fields: Any,
) -> pb.RelayAsk:
    said = result(task, status, **fields)
    update = pb.UpdateTaskRequest(result=said, lenient=True, extend_lease=extend)
    relayed = pb.RelayUpdate(update=update, next=next)
    return pb.RelayAsk(number=number, on_behalf_of=on_behalf_of, update=relayed)


def ended(number: int, how: pb.RelayEnd.ValueType) -> pb.RelayAsk:
    return pb.RelayAsk(number=number, end=how)


async def test_what_nobody_says_to_be_taken_goes_back_with_the_stream(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        await peer.ask(polls(1), polls(2))
        ids = [await rig.begin("one") for _ in range(2)]
        given = [await peer.next() for _ in range(2)]
        assert sorted(each.tasks[0].execution_id for each in given) == sorted(ids)
        await peer.ask(ended(given[0].number, pb.RELAY_END_TAKEN), polls(3, 0))
        assert (await peer.next()).number == 3
        peer.call.cancel()
        (task,) = await poll(rig, "a", 5)
        assert task.task_id == given[1].tasks[0].task_id
        assert (await queue(rig, "a")).running == 2


async def test_what_a_killed_executor_gave_and_the_edge_never_heard_of_goes_back(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig, "edge-1")
        ids = {await rig.begin("one"), await rig.begin("one")}
        await peer.ask(polls(1, count=2))
        heard, unheard = (await peer.next()).tasks
        # Said so, they stay with the worker whatever happens to the stream.
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), polls(2, 0))
        assert (await peer.next()).number == 2
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        for edge, handed, given in (
            ("edge-2", {}, []),
            ("edge-1", {heard.task_id: 1}, [unheard.task_id]),
            ("edge-1", {}, []),
        ):
            peer = Peer(rig, edge, handed)
            await peer.ask(polls(3, 0.1))
            assert [task.task_id for task in (await peer.next()).tasks] == given
            await peer.ask(ended(3, pb.RELAY_END_TAKEN))
    assert {heard.execution_id, unheard.execution_id} == ids


async def test_what_was_handed_over_before_it_was_given_anew_goes_back_as_well(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        await rig.begin("one")
        await peer.ask(polls(1))
        (task,) = (await peer.next()).tasks
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), says(2, task, BACK), polls(3))
        answers = [await peer.next() for _ in range(2)]
        assert [[each.poll_count for each in answer.tasks] for answer in answers] == [[], [2]]
        await peer.ask(ended(3, pb.RELAY_END_TAKEN), polls(4, 0))
        assert (await peer.next()).number == 4
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        # Killed before that came: the edge has heard of the first time alone.
        peer = Peer(rig, handed={task.task_id: 1})
        await peer.ask(polls(5))
        (again,) = (await peer.next()).tasks
        assert (again.task_id, again.poll_count) == (task.task_id, 3)


async def test_what_an_edge_has_handed_over_that_counts_nothing_stays_with_its_worker(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        for _ in range(2):
            await rig.begin("one")
        await peer.ask(polls(1), polls(2))
        (heard,), (unheard,) = [list((await peer.next()).tasks) for _ in range(2)]
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), ended(2, pb.RELAY_END_TAKEN), polls(3, 0))
        assert (await peer.next()).number == 3
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig, handed={heard.task_id: 1}, counts=False)
        await peer.ask(polls(4))
        assert [each.task_id for each in (await peer.next()).tasks] == [unheard.task_id]
        await peer.ask(ended(4, pb.RELAY_END_TAKEN), polls(5, 0))
        assert list((await peer.next()).tasks) == []


async def test_an_end_of_what_was_given_once_is_none_of_what_was_given_anew(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        first, other = Peer(rig), Peer(rig, "other")
        await rig.begin("one")
        await first.ask(polls(1))
        (task,) = (await first.next()).tasks
        # The same worker, by way of another edge.
        await other.ask(says(2, task, BACK), polls(1))
        assert [len((await other.next()).tasks) for _ in range(2)] == [0, 1]
        await other.ask(ended(1, pb.RELAY_END_TAKEN))
        await first.ask(ended(1, pb.RELAY_END_LEFT), polls(3, 0))
        assert (await first.next()).number == 3
        await other.ask(says(4, task, extend=True))
        assert (await other.next()).number == 4
        assert (await queue(rig, "a")).running == 1


async def test_who_leaves_gives_back_what_he_has_and_is_given_nothing_more(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        await peer.ask(polls(1))
        await rig.begin("one")
        given = await peer.next()
        await peer.ask(ended(1, pb.RELAY_END_LEFT), polls(2))
        again = await peer.next()
        assert (again.number, again.tasks[0].task_id) == (2, given.tasks[0].task_id)
        assert again.tasks[0].poll_count == 2
        await peer.ask(polls(3), ended(3, pb.RELAY_END_LEFT), polls(4))
        await rig.begin("one")
        assert (await peer.next()).number == 4


async def test_a_word_is_taken_once_and_makes_the_next_task_due(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        await peer.ask(polls(1))
        ids = [await rig.begin("one") for _ in range(2)]
        first = (await peer.next()).tasks[0]
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), says(2, first, next=True))
        second = (await peer.next()).tasks[0]
        assert [first.execution_id, second.execution_id] == ids
        # The same again, as on another stream after a break.
        await peer.ask(says(3, first), says(4, second, next=True))
        answers = [await peer.next() for _ in range(2)]
        assert sorted((each.number, len(each.tasks), each.code) for each in answers) == [
            (3, 0, 0), (4, 0, 0),
        ]  # fmt: skip


async def test_a_word_that_gave_back_a_task_takes_it_from_nobody_when_it_is_said_again(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        id_ = await rig.begin("one")
        await peer.ask(polls(1))
        (task,) = (await peer.next()).tasks
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), says(2, task, BACK, logs=["once"]))
        assert (await peer.next()).number == 2
        peer.call.cancel()
        again = Peer(rig)
        # The answer was not heard, and the same worker asks as well.
        await again.ask(says(2, task, BACK, logs=["once"]), polls(1))
        answers = {each.number: each for each in [await again.next() for _ in range(2)]}
        assert (answers[2].code, [each.poll_count for each in answers[1].tasks]) == (0, [2])
        await again.ask(ended(1, pb.RELAY_END_TAKEN), says(3, task, extend=True))
        assert (await again.next()).number == 3
        assert (await queue(rig, "a")).running == 1
        wanted = pb.ListTaskLogsRequest(execution_id=id_, task_id=task.task_id)
        logs = await rig.workers.ListTaskLogs(wanted, metadata=ADMIN)
        assert [each.line for each in logs.lines] == ["once"]
        # Another word gives it back, with the id that it has.
        await again.ask(says(4, task, BACK), polls(5))
        answers = {each.number: each for each in [await again.next() for _ in range(2)]}
        assert [each.poll_count for each in answers[5].tasks] == [3]


async def test_a_word_that_was_taken_is_told_so_where_the_right_to_the_next_task_is_taken(
    tmp_path: Path,
) -> None:
    grant = {"target": {"type": "task", "id": "a"}, "access": ["EXECUTE"]}
    theirs = {"kind": "application", "id": "theirs", "permissions": [grant]}
    go_on = threading.Event()
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        put(rig.replica, theirs)
        peer = Peer(rig)
        done, waits = [await rig.begin("one") for _ in range(2)]
        await peer.ask(polls(1, on_behalf_of="theirs"))
        (task,) = (await peer.next()).tasks
        stalled = rig.store.writer.chore(lambda db: _waited(go_on))
        said = says(2, task, next=True, on_behalf_of="theirs")
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), said, polls(3, 0))
        # It has heard the word by then, and the next task is reserved.
        assert (await peer.next()).number == 3
        put(rig.replica, {**theirs, "permissions": []})
        go_on.set()
        await stalled
        answer = await peer.next()
        assert (answer.number, answer.code, len(answer.tasks)) == (2, 0, 0)
        assert (await rig.ended(done)).status == executor_pb2.EXECUTION_STATUS_COMPLETED
        (again,) = await poll(rig, "a", 5)
        assert (again.execution_id, again.poll_count) == (waits, 2)


def _waited(go_on: threading.Event) -> None:
    go_on.wait(30)


async def test_nothing_is_kept_of_tasks_for_as_long_as_workers_have_them(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        for _ in range(3):
            await rig.begin("one")
        await peer.ask(polls(1, count=2), polls(2, 0))
        (first, second), (third,) = [(await peer.next()).tasks for _ in range(2)]
        await rig.begin("one")
        (fourth,) = await poll(rig, "a", 5)
        both = [ended(number, pb.RELAY_END_TAKEN) for number in (1, 2)]
        await peer.ask(*both, says(3, first))
        assert (await peer.next()).number == 3
        assert (await queue(rig, "a")).running == 3
        assert _kept({second.task_id, third.task_id, fourth.task_id}) == []


def _kept(ids: set[str]) -> list[pb.Task]:
    """Those of the tasks that the executor has in some list."""
    lists = [each for each in gc.get_objects() if isinstance(each, list)]
    given = (task for each in lists for task in each if isinstance(task, pb.Task))
    return [task for task in given if task.task_id in ids]


async def test_a_task_that_no_message_holds_fails_and_harms_no_other(tmp_path: Path) -> None:
    large = workflow("large", {**step("t", "SIMPLE"), "name": "a",
                               "inputParameters": {"x": "${workflow.input}"}})  # fmt: skip
    async with executing(tmp_path / "e.db", [large]) as rig:
        peer = Peer(rig)
        id_ = await rig.begin("large", input={"x": "x" * (15 << 20)})
        await peer.ask(polls(1))
        (task,) = (await peer.next()).tasks
        said = result(task, BACK, {"y": "y" * (14 << 20)})
        update = pb.RelayUpdate(update=pb.UpdateTaskRequest(result=said, lenient=True))
        word = pb.RelayAsk(number=2, on_behalf_of="admin", update=update)
        await peer.ask(ended(1, pb.RELAY_END_TAKEN), word)
        assert (await peer.next()).number == 2
        await peer.ask(polls(3, 0))
        assert (await peer.next()).tasks == []
        failed = await rig.ended(id_)
        assert (failed.status, "bytes together" in failed.reason) == (
            executor_pb2.EXECUTION_STATUS_FAILED, True,
        )  # fmt: skip


async def test_a_task_whose_names_hold_half_a_character_is_given_all_the_same(
    tmp_path: Path,
) -> None:
    half = {**step("h", "INLINE"), "inputParameters": {
        "evaluatorType": "graaljs", "expression": "'\\u{1f600}'.substring(0, 1)"}}  # fmt: skip
    forked = {"name": "a", "type": "SIMPLE", "taskReferenceName": "r${h.output.result}"}
    fork = {**step("f", "FORK_JOIN_DYNAMIC"), "dynamicForkTasksParam": "d",
            "dynamicForkTasksInputParamName": "i",
            "inputParameters": {"d": [forked], "i": {}}}  # fmt: skip
    flow = workflow("flow", half, fork, {**step("j", "JOIN"), "joinOn": []})
    async with executing(tmp_path / "e.db", [flow], scripts=1) as rig:
        peer = Peer(rig)
        await peer.ask(polls(1))
        async with asyncio.timeout(10):
            await rig.begin("flow")
        (task,) = (await peer.next()).tasks
        assert (task.name, task.ref) == ("a", "r?")


async def test_what_no_message_holds_together_goes_in_several() -> None:
    nothing: Any = None
    session = RelaySession(nothing, nothing, nothing, nothing)
    sizes = [1 << 10, 7 << 20, MOST_TASK_BYTES, 3 << 20, 4 << 20]
    for number, size in enumerate(sizes):
        task = pb.Task(input="x" * size)
        session.post(pb.RelayAnswer(number=number, tasks=[task]), task.ByteSize())
    written: list[pb.RelayResponse] = []

    async def write(response: pb.RelayResponse) -> None:
        written.append(response)

    async def nobody_asks() -> AsyncIterator[pb.RelayRequest]:
        for request in list[pb.RelayRequest]():
            yield request

    await session.converse(nobody_asks(), write)
    assert [len(each.answers) for each in written] == [0, 2, 1, 2]
    assert max(each.ByteSize() for each in written) < MAX_MESSAGE_BYTES


async def test_one_that_may_not_or_makes_no_sense_harms_no_other(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        peer = Peer(rig)
        wrong = pb.TaskResult(execution_id="x", task_id="y", output="{")
        said = pb.RelayUpdate(update=pb.UpdateTaskRequest(result=wrong))
        asks = (
            polls(1, on_behalf_of="stranger"),
            polls(2, -1),
            polls(3, count=1001),
            pb.RelayAsk(number=4, on_behalf_of="admin", update=said),
            pb.RelayAsk(number=5, on_behalf_of="admin"),
            polls(6, 0),
        )
        await peer.ask(*asks)
        reasons = {}
        for _ in asks:
            answer = await peer.next()
            reasons[answer.number] = answer.reason
        denied, invalid = PermissionDenied.reason(), InvalidRequest.reason()
        assert reasons == {1: denied, 2: invalid, 3: invalid, 4: invalid, 5: reasons[5], 6: ""}
        assert reasons[5]


async def test_the_stream_is_the_edge_s_alone(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        with pytest.raises(PermissionDenied), raising_ours():
            async for _ in rig.workers.Relay(metadata=on_behalf_of("admin")):
                pass


def test_nobody_waits_for_longer_than_five_seconds() -> None:
    assert [longest(Duration(seconds=each)) for each in (0, 3, 600)] == [0, 3, 5]

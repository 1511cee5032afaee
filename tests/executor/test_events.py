"""What happened to an execution, by the states that it was in, and by what its tasks remember."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sqlite_utils import Database

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, NotFound
from services.executor import feed_rows
from services.executor.events import Known, What
from services.executor.migrations import migrations
from services.executor.upkeep import Upkeep
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, step, traced, upstream, workflow
from tests.executor.test_watching import LONG, TWO, WAITING

KINDS = {value: name.removeprefix("EVENT_KIND_") for name, value in pb.EventKind.items()}
TASK = {value: name.removeprefix("TASK_STATUS_") for name, value in pb.TaskStatus.items()}
EXECUTION = {v: name.removeprefix("EXECUTION_STATUS_") for name, v in pb.ExecutionStatus.items()}


async def events(
    rig: Rig, execution_id: str, size: int = 0
) -> tuple[list[pb.ExecutionEvent], bool]:
    """All of them, page by page, and whether the first are remembered only."""
    found: list[pb.ExecutionEvent] = []
    request = pb.ListExecutionEventsRequest(execution_id=execution_id)
    while True:
        request.page.page_size = size
        answer = await rig.stub.ListExecutionEvents(request, metadata=ADMIN)
        found += answer.events
        if not answer.next_page_token:
            return found, answer.compacted
        request.page.page_token = answer.next_page_token


def said(event: pb.ExecutionEvent) -> str:
    match KINDS[event.kind]:
        case "EXECUTION":
            return f"{EXECUTION[event.execution_from]}>{EXECUTION[event.execution_to]}"
        case "TASK":
            return f"{event.ref} {TASK[event.task_from]}>{TASK[event.task_to]}"
        case "POLL":
            return f"{event.ref} poll {event.poll.number} {event.poll.verdict}"
    return f"{event.ref} progress {event.progress:g}"


async def report(rig: Rig, execution_id: str, number: int) -> None:
    update = pb.UpdateTaskRequest(
        execution_id=execution_id,
        ref="hold",
        status=pb.TASK_STATUS_IN_PROGRESS,
        output=f'{{"progress": {number}}}',
    )
    await rig.stub.UpdateTask(update, metadata=ADMIN)


async def test_events_are_what_differs_between_the_states(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [TWO]) as rig:
        execution_id = await rig.begin("two")
        one = {"execution_id": execution_id}
        await rig.stub.PauseExecution(pb.PauseExecutionRequest(**one), metadata=ADMIN)
        await rig.stub.ResumeExecution(pb.ResumeExecutionRequest(**one), metadata=ADMIN)
        for status, output in (
            (pb.TASK_STATUS_IN_PROGRESS, '{"progress": 40}'),
            (pb.TASK_STATUS_FAILED_WITH_TERMINAL_ERROR, ""),
        ):
            await rig.stub.UpdateTask(
                pb.UpdateTaskRequest(
                    **one, ref="one", status=status, output=output, reason="no more"
                ),
                metadata=ADMIN,
            )
        found, compacted = await events(rig, execution_id)
        paged, _ = await events(rig, execution_id, 2)

    assert [said(each) for each in found] == [
        "UNSPECIFIED>RUNNING",
        "one UNSPECIFIED>IN_PROGRESS",
        "RUNNING>PAUSED",
        "PAUSED>RUNNING",
        "one progress 40",
        "one IN_PROGRESS>FAILED_WITH_TERMINAL_ERROR",
        "RUNNING>FAILED",
    ]
    assert [each.reason for each in found[-2:-1]] == ["no more"]
    assert not compacted
    assert paged == found
    assert [each.revision for each in found] == [1, 1, 2, 3, 4, 5, 5]


async def test_polls_are_events_and_are_told_with_their_task(tmp_path: Path) -> None:
    answers = itertools.count(1)
    async with upstream(job=lambda _: {"done": next(answers) > 2}) as up:
        poll = step(
            "poll",
            "HTTP_POLL",
            http_request={"uri": f"{up.url}/job", "method": "GET"},
            terminationCondition="$.output.body.done == true",
            pollingInterval=0.1,
        )
        async with executing(tmp_path / "x.db", [workflow("polling", poll)], scripts=1) as rig:
            execution_id = (await rig.run("polling")).execution_id
            whole = await rig.get(execution_id)
            found, _ = await events(rig, execution_id)
            await Upkeep(changes_kept=timedelta(seconds=-1)).compact(rig.store, rig.runtime.feed)
            remembered, compacted = await events(rig, execution_id, 3)

    polls = whole.tasks[0].polls
    assert [each.number for each in polls] == [1, 2, 3]
    assert [each.verdict for each in polls] == ["AGAIN", "AGAIN", "COMPLETED"]
    assert polls[-1] == whole.tasks[0].last_poll
    assert [each.poll for each in found if each.HasField("poll")] == list(polls)
    assert compacted
    assert [said(each) for each in remembered] == [
        "UNSPECIFIED>RUNNING",
        "poll UNSPECIFIED>SCHEDULED",
        "poll SCHEDULED>IN_PROGRESS",
        "poll poll 1 AGAIN",
        "poll poll 2 AGAIN",
        "poll poll 3 COMPLETED",
        "poll IN_PROGRESS>COMPLETED",
        "RUNNING>COMPLETED",
    ]
    assert {each.revision for each in remembered} == {0}


@pytest.mark.parametrize("kept", [1, 2, 3])
async def test_where_changes_are_gone_the_tasks_tell_and_the_rest_follows(
    kept: int, tmp_path: Path
) -> None:
    async with executing(tmp_path / "x.db", [TWO]) as rig:
        execution_id = await rig.begin("two")
        for ref in ("one", "other"):
            await rig.stub.UpdateTask(
                pb.UpdateTaskRequest(
                    execution_id=execution_id, ref=ref, status=pb.TASK_STATUS_COMPLETED
                ),
                metadata=ADMIN,
            )
        await Upkeep(most_changes=kept).compact(rig.store, rig.runtime.feed)
        found, compacted = await events(rig, execution_id)

    assert compacted is (kept < 3)
    assert [each.revision for each in found] == sorted(each.revision for each in found)
    assert consistent([said(each) for each in found])
    assert said(found[0]) == "UNSPECIFIED>RUNNING"
    assert said(found[-1]) == "RUNNING>COMPLETED"
    for ref in ("one", "other"):
        assert sum(said(each) == f"{ref} IN_PROGRESS>COMPLETED" for each in found) == 1


def consistent(told: Sequence[str]) -> bool:
    """Whether each status goes on from the one before it."""
    at: dict[str, str] = {}
    for text in told:
        what, _, change = text.rpartition(" ")
        before, arrow, after = change.partition(">")
        if arrow:
            if at.get(what, "UNSPECIFIED") != before:
                return False
            at[what] = after
    return True


async def test_a_unit_of_several_rows_tells_the_end_last(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [LONG]) as rig:
        execution_id = await rig.begin("long")
        await rig.stub.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=execution_id, ref="hold", status=pb.TASK_STATUS_COMPLETED
            ),
            metadata=ADMIN,
        )
        found, _ = await events(rig, execution_id, 1)

    told = [said(each) for each in found]
    assert consistent(told)
    assert (len(told), told[-1]) == (16, "RUNNING>COMPLETED")


async def test_what_was_before_a_restart_is_told_for_as_long_as_it_is_kept(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        found, compacted = await events(rig, execution_id)

    told = [said(each) for each in found if KINDS[each.kind] == "EXECUTION"]
    assert told == ["UNSPECIFIED>RUNNING", "RUNNING>TERMINATED", "TERMINATED>RUNNING"]
    assert not compacted


async def test_only_the_events_of_that_execution_are_read(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        ids = [await rig.begin("waiting") for _ in range(5)]
        found = [(await events(rig, each))[0] for each in ids]

    assert [[each.revision for each in one] for one in found] == [[n, n] for n in range(1, 6)]


async def test_a_page_goes_on_where_the_last_one_was_full(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        for number in range(20):
            await report(rig, execution_id, number)
        said = await traced(rig)
        whole, _ = await events(rig, execution_id, 1000)
        paged = {size: await events(rig, execution_id, size) for size in (1, 2, 3, 7)}

    assert all(found == (whole, False) for found in paged.values())
    read = [each for each in said if "revision BETWEEN" in each and execution_id in each]
    begun = [int(each.partition("BETWEEN ")[2].partition(" ")[0]) for each in read]
    # One of the whole, then the pages of one event each: none looks at what was told.
    assert begun[1 : len(whole) + 1] == sorted(begun[1 : len(whole) + 1])
    assert begun[len(whole)] > begun[1] + 15


async def test_a_page_goes_on_over_a_restart_and_what_is_dropped_meanwhile(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        for number in range(5):
            await report(rig, execution_id, number)
        whole, _ = await events(rig, execution_id)
        request = pb.ListExecutionEventsRequest(execution_id=execution_id)
        request.page.page_size = 3
        first = await rig.stub.ListExecutionEvents(request, metadata=ADMIN)
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        request.page.page_token = first.next_page_token
        request.page.page_size = 2
        second = await rig.stub.ListExecutionEvents(request, metadata=ADMIN)
        request.page.page_token = second.next_page_token
        await Upkeep(most_changes=0, changes_kept=timedelta(0)).compact(rig.store, rig.runtime.feed)
        third = await rig.stub.ListExecutionEvents(request, metadata=ADMIN)

    assert [*first.events, *second.events] == whole[:5]
    assert third.compacted


times = st.lists(st.tuples(st.integers(-7200, 600), st.booleans()), min_size=1, max_size=40)


@given(times)
def test_a_clock_that_is_set_back_hides_no_change(steps: list[tuple[int, bool]]) -> None:
    database, at, own = Database(memory=True), 1_800_000_000, list[tuple[int, int]]()
    migrations.apply(database)
    with closing(database.conn) as db:
        assert db is not None
        for revision, (step_seconds, is_own) in enumerate(steps, 1):
            at += step_seconds
            own += [(revision, at)] * is_own
            db.execute(
                "INSERT INTO changes (at, execution_id, workflow, state) VALUES (?, ?, '', '')",
                (at * 1_000_000, "e" if is_own else "other"),
            )
        if own:
            times = own[0][1] * 1_000_000, own[-1][1] * 1_000_000
            found = list(feed_rows.changes_of(db, "e", *times))
            assert [revision for revision, _ in found] == [revision for revision, _ in own]


@pytest.mark.parametrize("token", ["nope", "1", "1.x", "-1.0", "9" * 30 + ".1", "1.2.3"])
async def test_a_place_that_was_not_given_is_refused(token: str, tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        page = page_pb2.PageRequest(page_token=token)
        request = pb.ListExecutionEventsRequest(execution_id=execution_id, page=page)
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.stub.ListExecutionEvents(request, metadata=ADMIN)
        with pytest.raises(NotFound), raising_ours():
            await events(rig, new_id())


statuses = st.sampled_from(("SCHEDULED", "IN_PROGRESS", "COMPLETED", "FAILED"))
tasks = st.lists(
    st.tuples(st.sampled_from("abc"), statuses, st.integers(0, 3), st.none() | st.just(0.5))
)
states = st.lists(st.tuples(st.sampled_from(("RUNNING", "PAUSED", "COMPLETED")), tasks))


@given(states)
def test_events_lead_from_each_state_to_the_next(given_: list[tuple[str, list[Any]]]) -> None:
    known, status, stood = Known(), "", dict[str, str]()
    for revision, (after, changed) in enumerate(given_, 1):
        execution = ["e", "w", 1, after, 0, revision, None if after != "COMPLETED" else 1, "", ""]
        facts = [
            [ref, ref, "WAIT", "", to, 0, 0, 1, polls, 0, None, None, None, "", {"number": 1}, said]
            for ref, to, polls, said in changed
        ]
        found = list(known.follow(revision, (execution, facts)))
        assert [each.place for each in found] == [(revision, n) for n in range(len(found))]
        for each in found:
            if each.what is What.EXECUTION:
                assert (each.before, each.after) == (status, after)
                assert each.before != each.after
                status = after
            elif each.what is What.TASK and each.task is not None:
                assert each.before == stood.get(each.task[0], "")
                assert each.before != each.after
                stood[each.task[0]] = each.after
        assert status == after
        assert stood == {**stood, **{ref: to for ref, to, _, _ in changed}}
    again = ["e", "w", 1, status, 0, 9, None, "", ""]
    assert not status or not list(known.follow(9, (again, [])))

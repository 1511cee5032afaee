"""The session with the executor: what is unanswered survives every break."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.exchange import Exchange, Waiting
from services.edge.session import Session
from services.errors import NotFound, Overloaded, PermissionDenied
from tests.edge.conftest import joined, stub_of
from tests.edge.scripted import (
    ScriptedExecutor,
    accepted,
    echo,
    error,
    result,
    serving_executor,
    silence,
)  # fmt: skip
from tests.edge.suites import NOWHERE

SOON = 0.05
LONG = 20.0


def start(execution_id: str = "one", **fields: Any) -> pb.Start:
    return pb.Start(execution_id=execution_id, workflow_name="flow", input='{"a":1}', **fields)


async def test_a_start_gets_its_result(session: Session) -> None:
    outcome = await session.start(start(), LONG).outcome

    assert isinstance(outcome, pb.Result)
    assert (outcome.execution_id, outcome.output) == ("one", '{"a":1}')


async def test_many_starts_of_one_tick_go_out_together_and_each_gets_its_own(
    session: Session, executor: ScriptedExecutor
) -> None:
    exchanges = [session.start(start(str(n)), LONG) for n in range(200)]

    outcomes = [await exchange.outcome for exchange in exchanges]

    assert [o.execution_id for o in outcomes if isinstance(o, pb.Result)] == [
        str(n) for n in range(200)
    ]
    assert executor.streams == 1


async def test_an_execution_that_is_accepted_and_not_done_in_time_is_told_so(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = lambda frame: [accepted(frame)] if frame.HasField("start") else []

    outcome = await session.start(start(), SOON).outcome

    assert outcome is Waiting.ACCEPTED
    assert (await executor.next("cancel")).correlation_id


async def test_a_start_that_nobody_confirms_is_told_so(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = silence

    assert await session.start(start(), SOON).outcome is Waiting.UNCONFIRMED


async def test_acceptance_is_enough_for_who_waits_for_no_more(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = lambda frame: [accepted(frame)] if frame.HasField("start") else []

    assert await session.start(start(), LONG, until_accepted=True).outcome is Waiting.ACCEPTED
    await executor.next("cancel")


async def test_who_leaves_ends_the_wait_and_says_so(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    exchange = session.start(start(), LONG)
    frame = await executor.next()

    exchange.leave()
    exchange.leave()

    assert await exchange.outcome is Waiting.LEFT
    assert (await executor.next("cancel")).correlation_id == frame.correlation_id
    executor.say(result(frame))
    assert isinstance(await session.start(start("two"), SOON).outcome, Waiting)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("PERMISSION_DENIED", PermissionDenied), ("NOT_FOUND", NotFound), ("OVERLOADED", Overloaded)],
)
async def test_an_error_is_the_outcome(
    session: Session, executor: ScriptedExecutor, reason: str, kind: type[Exception]
) -> None:
    executor.script = lambda frame: [error(frame, reason)]

    assert isinstance(await session.start(start(), LONG).outcome, kind)


async def test_a_start_that_nobody_confirmed_is_sent_again_as_it_was(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    exchange = session.start(start(fingerprint=b"f"), LONG)
    first = await executor.next()

    executor.script = echo
    executor.break_streams()

    assert isinstance(await exchange.outcome, pb.Result)
    again = await executor.next()
    assert (first.start.again, again.start.again) == (False, True)
    again.start.again = False
    assert again.start == first.start
    assert executor.streams == 2


async def test_one_that_was_accepted_is_only_waited_for(
    session: Session, executor: ScriptedExecutor
) -> None:
    def script(frame: pb.ClientFrame) -> list[pb.ServerFrame]:
        first = frame.start.execution_id == "one"
        return [accepted(frame) if first else result(frame)]

    executor.script = script
    asked = start()
    asked.await_refs.append("charge")
    asked.on_behalf_of = "storefront"
    exchange = session.start(asked, LONG)
    # What is said first arrives first.
    await session.start(start("after it"), LONG).outcome

    executor.break_streams()

    assert isinstance(await exchange.outcome, pb.Result)
    attach = (await executor.next("attach")).attach
    assert (attach.execution_id, list(attach.await_refs)) == ("one", ["charge"])
    assert attach.on_behalf_of == "storefront"


async def test_a_break_takes_nothing_from_the_time_limit(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    exchange = session.start(start(), 0.2)
    for _ in range(2):
        await executor.next()
        executor.break_streams()

    assert await exchange.outcome is Waiting.UNCONFIRMED


async def test_an_executor_that_says_unavailable_is_asked_again(
    session: Session, executor: ScriptedExecutor
) -> None:
    refused = 0

    def script(frame: pb.ClientFrame) -> list[pb.ServerFrame]:
        nonlocal refused
        refused += 1
        return [error(frame, "UNAVAILABLE")] if refused == 1 else [result(frame)]

    executor.script = script

    assert isinstance(await session.start(start(), LONG).outcome, pb.Result)
    assert refused == 2


async def test_a_start_that_was_refused_and_whose_stream_broke_is_sent_once_on_the_next(
    session: Session, executor: ScriptedExecutor
) -> None:
    # Half a second: the refused start would have been sent again within it.
    sent: list[int] = []

    def draining(frame: pb.ClientFrame) -> list[pb.ServerFrame]:
        return [error(frame, "UNAVAILABLE")]

    def counting(frame: pb.ClientFrame) -> list[pb.ServerFrame]:
        if frame.start.execution_id != "one":
            return [result(frame)]
        sent.append(frame.correlation_id)
        return [] if len(sent) == 1 else [error(frame, "OVERLOADED", "Twice.")]

    executor.script = draining
    exchange = session.start(start(), LONG)
    await executor.next()
    executor.script = counting
    executor.break_streams()
    first = await executor.next()
    await asyncio.sleep(0.3)
    await session.start(start("after it"), LONG).outcome

    assert sent == [first.correlation_id]
    executor.say(result(first))
    assert isinstance(await exchange.outcome, pb.Result)


async def test_a_second_refusal_of_one_sending_makes_no_second_repeat(
    session: Session, executor: ScriptedExecutor
) -> None:
    # Half a second: both repeats would have been sent within it.
    sent = 0

    def script(frame: pb.ClientFrame) -> list[pb.ServerFrame]:
        nonlocal sent
        if frame.start.execution_id != "one":
            return [result(frame)]
        sent += 1
        return [error(frame, "UNAVAILABLE")] * 2 if sent == 1 else []

    executor.script = script
    session.start(start(), LONG)
    await executor.next()
    await asyncio.sleep(0.4)
    await session.start(start("after it"), LONG).outcome

    assert sent == 2


@pytest.mark.parametrize(("refusals", "expected"), [(0, False), (1, True)])
async def test_an_error_says_nothing_of_an_earlier_sending(
    session: Session, executor: ScriptedExecutor, refusals: int, expected: bool
) -> None:
    reasons = iter(["UNAVAILABLE"] * refusals + ["OVERLOADED"])
    executor.script = lambda frame: [error(frame, next(reasons))]

    exchange = session.start(start(), LONG)

    assert isinstance(await exchange.outcome, Overloaded)
    assert exchange.may_have_started is expected


async def test_a_start_while_the_executor_is_away_reaches_the_next_one(
    executor: ScriptedExecutor,
) -> None:
    async with serving_executor(executor) as address:
        pass
    async with stub_of(address) as stub, joined(stub) as session:
        exchange = session.start(start(), LONG)
        assert not session.connected
        async with serving_executor(executor, address):
            assert isinstance(await exchange.outcome, pb.Result)
            assert session.connected
            await session.close()


async def test_nothing_is_kept_for_an_executor_that_never_comes() -> None:
    async with stub_of(NOWHERE) as stub, joined(stub) as session:
        for _ in range(3):
            exchanges = [session.start(start(str(n)), SOON) for n in range(50)]
            outcomes = [await exchange.outcome for exchange in exchanges]
            assert set(outcomes) == {Waiting.UNCONFIRMED}
            assert not any(exchange.start.input for exchange in exchanges)
            del exchanges
        gc.collect()

        assert not any(isinstance(kept, Exchange) for kept in gc.get_objects())


async def test_an_executor_that_comes_late_hears_nothing_of_those_who_have_given_up(
    executor: ScriptedExecutor,
) -> None:
    async with serving_executor(executor) as address:
        pass
    async with stub_of(address) as stub, joined(stub) as session:
        assert await session.start(start("one"), SOON).outcome is Waiting.UNCONFIRMED
        exchange = session.start(start("two"), LONG)
        async with serving_executor(executor, address):
            await exchange.outcome
            await session.close()

    assert executor.frames.get_nowait().start.execution_id == "two"
    assert executor.frames.empty()


async def test_what_was_asked_by_one_who_left_before_it_was_sent_is_sent_all_the_same(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    exchange = session.start(start(), LONG)

    exchange.leave()

    assert await exchange.outcome is Waiting.LEFT
    frame = await executor.frames.get()
    assert frame.start.execution_id == "one"
    assert (await executor.frames.get()).HasField("cancel")
    executor.say(result(frame))


async def test_one_who_left_before_it_was_sent_counts_until_his_time_is_up() -> None:
    async with stub_of(NOWHERE) as stub, joined(stub, most_exchanges=1) as session:
        session.start(start("one"), SOON).leave()
        with pytest.raises(Overloaded):
            session.start(start("two"), LONG)
        await asyncio.sleep(2 * SOON)

        session.start(start("three"), LONG)


async def test_too_many_that_wait_are_refused(address: str, executor: ScriptedExecutor) -> None:
    executor.script = silence
    async with stub_of(address) as stub, joined(stub, most_exchanges=2) as session:
        session.start(start("one"), LONG)
        second = session.start(start("two"), LONG)
        with pytest.raises(Overloaded):
            session.start(start("three"), LONG)
        for _ in range(2):
            await executor.next()

        second.leave()
        session.start(start("four"), LONG)


async def test_too_many_bytes_that_nobody_confirmed_are_refused(
    address: str, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    async with stub_of(address) as stub, joined(stub, most_bytes=6) as session:
        first = session.start(start(), LONG)
        with pytest.raises(Overloaded):
            session.start(start("two"), LONG)
        await executor.next()
        frame = pb.ClientFrame(correlation_id=first.correlation_id)
        executor.say(accepted(frame), result(frame))
        await first.outcome

        session.start(start("three"), LONG)


async def test_large_inputs_share_no_message(address: str, executor: ScriptedExecutor) -> None:
    # 60 MB together: more than one message may hold. The time is that of moving them.
    large = "x" * 10_000_000
    async with stub_of(address) as stub, joined(stub) as session:
        exchanges = [
            session.start(pb.Start(execution_id=str(n), input=large), LONG) for n in range(6)
        ]
        executor.script = lambda frame: [result(frame)]
        for exchange in exchanges:
            assert isinstance(await exchange.outcome, pb.Result)


async def test_closing_answers_everybody_with_what_is_known(
    address: str, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    async with stub_of(address) as stub, joined(stub) as session:
        exchange = session.start(start(), LONG)
        await executor.next()

    assert exchange.outcome.result() is Waiting.UNCONFIRMED


# It sends 40 MB.
async def test_what_is_kept_to_answer_counts_for_how_much_goes_into_a_message(
    session: Session, executor: ScriptedExecutor
) -> None:
    kept = "x" * 100_000
    exchanges = [session.start(start(f"e{n}", answer=kept), LONG) for n in range(400)]

    outcomes = await asyncio.gather(*(exchange.outcome for exchange in exchanges))

    assert all(isinstance(outcome, pb.Result) for outcome in outcomes)
    assert executor.streams == 1

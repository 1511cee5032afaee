"""Effects under way: one for an attempt at a time, none left over, whatever is cancelled when."""

from __future__ import annotations

import asyncio
import gc
import weakref
from datetime import UTC, datetime

from services.executor.admission import Lanes
from services.executor.core.commands import Perform
from services.executor.core.events import Event, Performed
from services.executor.core.http import HttpFailure
from services.executor.effects import HandOff
from services.executor.performing import Performing

NOW = datetime.now(UTC)


class Effects:
    """An effect that ends when it is told to."""

    def __init__(self) -> None:
        self.begun: list[object] = []
        self.arrived: asyncio.Queue[object] = asyncio.Queue()
        self.release = asyncio.Event()

    async def perform(self, request: object, handoff: HandOff) -> object:
        self.begun.append(request)
        self.arrived.put_nowait(request)
        await self.release.wait()
        if request == "broken":
            raise RuntimeError("a fault of ours")
        return f"outcome of {request}"


def handing_off(execution_id: str, task_id: str, scheduled_at: datetime) -> HandOff:
    return HandOff(execution_id, task_id, lambda name: None, lambda: "")


def perform(task_id: str, number: int = 1, request: object = "request") -> Perform:
    return Perform(task_id, number, "effect", request)


async def test_an_outcome_is_told_with_its_number() -> None:
    effects, told = Effects(), asyncio.Queue[tuple[str, Event]]()
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes()
        performing = Performing(
            tasks, {"effect": effects}, handing_off, lambda *each: told.put_nowait(each), lanes
        )
        performing.begin("e", perform("t", 3), NOW)
        assert len(performing) == 1
        effects.release.set()

        assert await told.get() == ("e", Performed("t", 3, "outcome of request"))
        assert len(performing) == 0


async def test_a_new_effect_of_an_attempt_takes_the_place_of_one_that_waits() -> None:
    effects, told = Effects(), asyncio.Queue[tuple[str, Event]]()
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(per_host=1)
        performing = Performing(
            tasks, {"effect": effects}, handing_off, lambda *each: told.put_nowait(each), lanes
        )
        performing.begin("e", perform("first", request="first"), NOW)
        performing.begin("e", perform("t", 1, "void"), NOW)
        performing.begin("e", perform("t", 2, "valid"), NOW)
        effects.release.set()
        answers = [await told.get() for _ in range(2)]

        assert answers[1] == ("e", Performed("t", 2, "outcome of valid"))
        assert effects.begun == ["first", "valid"]
    assert lanes.waiting == 0


async def test_cancelling_at_any_moment_frees_the_place() -> None:
    effects, told = Effects(), asyncio.Queue[tuple[str, Event]]()
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(per_host=1)
        performing = Performing(
            tasks, {"effect": effects}, handing_off, lambda *each: told.put_nowait(each), lanes
        )
        # Before it has begun, while it waits for its turn, and under way.
        for task_id in ("a", "b", "c"):
            performing.begin("e", perform(task_id, request=task_id), NOW)
        performing.cancel("a")
        performing.cancel("b")
        assert await effects.arrived.get() == "c"
        performing.cancel("c")
        performing.cancel("c")
        performing.begin("e", perform("d", request="d"), NOW)
        effects.release.set()

        assert await told.get() == ("e", Performed("d", 1, "outcome of d"))
        assert told.empty()


async def test_a_fault_of_an_effect_fails_the_call_with_an_unknown_outcome() -> None:
    effects, told = Effects(), asyncio.Queue[tuple[str, Event]]()
    effects.release.set()
    async with asyncio.TaskGroup() as tasks:
        performing = Performing(
            tasks, {"effect": effects}, handing_off, lambda *each: told.put_nowait(each), Lanes()
        )
        performing.begin("e", perform("t", request="broken"), NOW)

        _, event = await told.get()

    assert isinstance(event, Performed)
    assert event.number == 1
    assert isinstance(event.outcome, HttpFailure)
    assert event.outcome.unknown
    assert not event.outcome.transient
    assert len(performing) == 0


async def test_what_is_closed_tells_nothing() -> None:
    effects, told = Effects(), asyncio.Queue[tuple[str, Event]]()
    async with asyncio.TaskGroup() as tasks:
        performing = Performing(
            tasks,
            {"effect": effects},
            handing_off,
            lambda *each: told.put_nowait(each),
            Lanes(per_host=1),
        )
        for task_id in ("a", "b"):
            performing.begin("e", perform(task_id), NOW)
        await asyncio.sleep(0)
        performing.close()
        performing.begin("e", perform("c"), NOW)

    assert told.empty()


async def test_what_a_cancelled_call_would_have_sent_is_not_kept() -> None:
    class Request:
        """Something that can be seen to go."""

    effects = Effects()
    async with asyncio.TaskGroup() as tasks:
        performing = Performing(
            tasks, {"effect": effects}, handing_off, lambda *_: None, Lanes(per_host=1)
        )
        performing.begin("e", perform("first"), NOW)
        large = Request()
        gone = weakref.ref(large)
        performing.begin("e", perform("second", request=large), NOW)
        performing.cancel("second")
        del large
        gc.collect()

        assert gone() is None
        effects.release.set()

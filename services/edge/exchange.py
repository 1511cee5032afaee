"""One start that was asked of the executor, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

from podium.executor.v1 import executor_pb2 as pb
from services.errors import ServiceError

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 1.0


class Waiting(Enum):
    """What is known of an execution whose result did not come."""

    ACCEPTED = "it is stored, and runs"
    UNCONFIRMED = "nobody has said that it is stored"
    LEFT = "nobody waits for it any more"


Outcome: TypeAlias = pb.Result | ServiceError | Waiting


class Exchange:
    """One start and what comes of it.

    Args:
        correlation_id: Its number in the session, never used for another.
        start: What is asked; its input is let go once the execution is accepted, and its id is
            then the execution's.
        until_accepted: Wait for no result.
        end: Told the outcome, when the one who waits leaves or gives up.

    Attributes:
        accepted: The executor has said that the execution is stored.
        joined: It is one that another start has begun, with the same idempotency key.
        replayed: And the result of that was there before.
        on_stream: It was sent on the stream of now, and not refused since.
        outcome: Done when there is a result, an error, or no more time.
        size: Characters of the input, and of what is kept to answer.
        timer: Ends the wait.
        withdrawn: If it waits for a slot, it is to begin no more.
    """

    __slots__ = (
        "_end", "_loop", "_refusals", "_resend", "_sendings", "accepted",
        "correlation_id", "joined", "on_stream", "outcome", "replayed", "size", "start", "timer",
        "until_accepted", "withdrawn",
    )  # fmt: skip

    def __init__(
        self,
        correlation_id: int,
        start: pb.Start,
        until_accepted: bool,
        end: Callable[[Exchange, Outcome], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = end
        self.correlation_id = correlation_id
        self.start = start
        self.size = len(start.input) + len(start.answer)
        self.until_accepted = until_accepted
        self.accepted = False
        self.withdrawn = False
        self.joined = False
        self.replayed = False
        self.outcome: asyncio.Future[Outcome] = self._loop.create_future()
        self.timer: asyncio.TimerHandle | None = None
        self.on_stream = False
        self._sendings = 0
        self._refusals = 0
        self._resend: asyncio.TimerHandle | None = None

    @property
    def may_have_started(self) -> bool:
        """Whether there may be an execution though the outcome is an error.

        An error answers the last sending only: what an earlier one has begun it does not say.
        """
        return self.accepted or self._sendings > 1

    def heard(self, execution_id: str, *, replayed: bool) -> None:
        """The executor has said which execution it is."""
        if execution_id and execution_id != self.start.execution_id:
            self.joined = True
            self.start.execution_id = execution_id
        self.replayed = self.replayed or replayed

    def awaits_with_the_first(self, refs: Sequence[str]) -> None:
        """Where it has joined another start's execution, it waits for what that one does."""
        if self.joined:
            self.start.await_refs[:] = refs

    def leave(self) -> None:
        """Wait no longer; the execution goes on."""
        self._end(self, Waiting.LEFT)

    def only_start(self) -> None:
        """Wait no longer than until the execution is stored."""
        self.until_accepted = True
        if self.accepted:
            self._end(self, Waiting.ACCEPTED)

    @property
    def goes_on(self) -> bool:
        """Whether it was waited for no longer before it had a result."""
        return self.outcome.done() and isinstance(self.outcome.result(), Waiting)

    @property
    def may_be_in_line(self) -> bool:
        """Whether the executor may keep it until there is a slot for it."""
        return self.on_stream and not self.accepted and self.may_wait

    @property
    def may_wait(self) -> bool:
        """Whether it waits where there is no slot for it."""
        return self.start.slot.most_waiting > 0

    def give_up(self) -> None:
        """Take what is known so far for the outcome."""
        self._end(self, Waiting.ACCEPTED if self.accepted else Waiting.UNCONFIRMED)

    # What the session tells of its stream.

    def send_into(self, message: pb.SessionRequest) -> int:
        """Add the frame that asks for it, unless the stream has it: its rough size.

        So with the one that withdraws it.
        """
        if not self.on_stream:
            self.on_stream = True
            self._sendings += 1
            size = self._ask_in(message)
        else:
            size = 0
        if self.withdrawn and not self.accepted:
            message.frames.add(correlation_id=self.correlation_id).withdraw.SetInParent()
        return size

    def _ask_in(self, message: pb.SessionRequest) -> int:
        frame, start = message.frames.add(correlation_id=self.correlation_id), self.start
        if not self.accepted:
            frame.start.CopyFrom(start)
            frame.start.again = self._sendings > 1
            return self.size
        frame.attach.execution_id = start.execution_id
        frame.attach.await_refs.extend(start.await_refs)
        frame.attach.on_behalf_of = start.on_behalf_of
        return 0

    def refused(self, send: Callable[[Exchange], None]) -> None:
        """The executor cannot take it just now: ``send`` is called in a moment."""
        if not self.on_stream:
            return
        self.on_stream = False
        delay = min(_FIRST_DELAY_SECONDS * 2**self._refusals, _LONGEST_DELAY_SECONDS)
        self._refusals += 1
        self._resend = self._loop.call_later(delay, send, self)

    def on_new_stream(self) -> None:
        """Nothing was sent on it yet."""
        self.on_stream = False
        self._refusals = 0
        self._unset_resend()

    def stop(self) -> None:
        """End every timer, and let go of what is large."""
        self._unset_resend()
        if self.timer is not None:
            self.timer.cancel()
        self.let_go()

    def let_go(self) -> None:
        """Of what only a start needs."""
        self.start.ClearField("input")
        self.start.ClearField("answer")

    def _unset_resend(self) -> None:
        if self._resend is not None:
            self._resend.cancel()
            self._resend = None

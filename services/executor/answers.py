"""What is told to whoever sent a letter, where it is not simply what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from services.errors import (
    AlreadyExists,
    Conflict,
    KeyReused,
    NotFound,
    ServiceError,
    Unavailable,
)  # fmt: skip
from services.executor.actors import Letter, Reply, Told
from services.executor.core.model import Refused
from services.executor.orders import Order, Strategy


def answer(letter: Letter, told: Told | ServiceError) -> None:
    """Tell whoever sent ``letter``, if somebody wants to hear."""
    hear = letter.reply or letter.heard
    if hear is not None:
        hear(told)


def attaching(order: Order, reply: Reply) -> Reply:
    """``reply``, told AlreadyExists if the execution came from another start."""
    ours, workflow = order.origin.fingerprint, order.execution.workflow.name

    def same(told: Told) -> bool:
        theirs = told.origin.fingerprint
        return bool(ours) and ours == theirs and told.after.workflow.name == workflow

    def attach(told: Told | ServiceError) -> None:
        if isinstance(told, Told) and not same(told):
            reply(
                AlreadyExists(
                    f"There is an execution {told.after.id!r} that was started otherwise.",
                    execution_id=told.after.id,
                )
            )
        else:
            reply(told)

    return attach


def joining(order: Order, refs: tuple[str, ...], reply: Reply) -> Reply:
    """``reply``, told KeyReused if the idempotency key came with another start.

    Args:
        refs: What that start waits for.
    """
    if order.strategy is not None:
        return _by_strategy(order, reply)

    def join(told: Told | ServiceError) -> None:
        if not isinstance(told, Told):
            reply(told)
        elif told.origin.fingerprint == order.origin.fingerprint:
            reply(replace(told, refs=refs))
        else:
            reply(KeyReused("The idempotency key came with another request before."))

    return join


def _by_strategy(order: Order, reply: Reply) -> Reply:
    """``reply``, told AlreadyExists unless the strategy is to attach."""

    def join(told: Told | ServiceError) -> None:
        if not isinstance(told, Told):
            reply(told)
        elif told.after.id == order.execution.id:
            # It was sent again, and is that one.
            attaching(order, reply)(told)
        elif order.strategy is Strategy.RETURN_EXISTING:
            reply(replace(told, existing=True))
        else:
            execution = told.after
            reply(
                AlreadyExists(
                    f"There is an execution {execution.id!r} of this workflow with the same "
                    f"idempotency key: it is {execution.status}.",
                    execution_id=execution.id,
                )
            )

    return join


def stopping() -> Unavailable:
    """What is said to whoever asks for something now that the executor ends."""
    return Unavailable("The executor is stopping; try again in a moment.")


def refusal(refused: Refused) -> ServiceError:
    """What is said where the core does not take an event."""
    return (NotFound if refused.missing else Conflict)(refused.detail)


class Answer:
    """A reply that a coroutine waits for."""

    def __init__(self) -> None:
        self._future: asyncio.Future[Told | ServiceError] = (
            asyncio.get_running_loop().create_future()
        )

    def __call__(self, told: Told | ServiceError) -> None:
        if not self._future.done():
            self._future.set_result(told)

    async def told(self) -> Told:
        """What became of it. Raises the :class:`ServiceError` that it was."""
        told = await self._future
        if isinstance(told, Told):
            return told
        raise told

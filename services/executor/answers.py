"""What is told to whoever sent a letter, where it is not simply what became of it."""

from __future__ import annotations

from services.errors import AlreadyExists, Conflict, NotFound, ServiceError, Unavailable
from services.executor.actors import Letter, Reply, Told
from services.executor.core.model import Refused
from services.executor.rows import Origin


def answer(letter: Letter, told: Told | ServiceError) -> None:
    """Tell whoever sent ``letter``, if somebody waits to hear."""
    if letter.reply is not None:
        letter.reply(told)


def attaching(workflow: str, origin: Origin, reply: Reply | None) -> Reply:
    """``reply``, told AlreadyExists if the execution came from another start."""

    def same(told: Told) -> bool:
        ours, theirs = origin.fingerprint, told.origin.fingerprint
        return bool(ours) and ours == theirs and told.after.workflow.name == workflow

    def attach(told: Told | ServiceError) -> None:
        if reply is None:
            return
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


def stopping() -> Unavailable:
    """What is said to whoever asks for something now that the executor ends."""
    return Unavailable("The executor is stopping; try again in a moment.")


def refusal(refused: Refused) -> ServiceError:
    """What is said where the core does not take an event."""
    return (NotFound if refused.missing else Conflict)(refused.detail)

"""What becomes of letters that could not be decided, or not be stored."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from services.errors import InvalidRequest, Overloaded, ServiceError, Unavailable, Unwritable
from services.executor.actors import Actor, Letter
from services.executor.answers import answer, refusal
from services.executor.core.events import Terminated
from services.executor.core.model import Refused
from services.javascript import NoWorker
from services.storage import is_unwritable

logger = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 5.0
# An event that cannot be stored, for no fault of the disk, ends its execution.
_MOST_BREAKAGES = 3


class Setbacks:
    """Tells callers; tries again what nobody else would say again.

    Args:
        deliver: Gives an execution a letter.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[str, Letter], None]
    ) -> None:
        self._loop = loop
        self._deliver = deliver

    def part(self, actor: Actor, letter: Letter) -> None:
        """Together they could not be decided or stored: each is tried alone."""
        letters = letter.all
        letter.more = []
        for each in letters:
            each.alone = True
        actor.mail.extendleft(reversed(letters))

    def failed(self, actor: Actor, letter: Letter, error: BaseException) -> None:
        """It was not stored, computed or even loaded; a caller may try again, others are."""
        if letter.reply is not None:
            letter.reply(error if isinstance(error, ServiceError) else _told(error))
            return
        delay = min(_FIRST_RETRY_SECONDS * 2**letter.tries, _LONGEST_RETRY_SECONDS)
        letter.tries += 1
        self._loop.call_later(delay, self._deliver, actor.id, letter)

    def unreadable(self, actor: Actor, error: BaseException) -> None:
        """The execution cannot be loaded: nothing of its mail is decided."""
        logger.error("Execution %s cannot be loaded.", actor.id, exc_info=error)
        letters, actor.mail = actor.mail, deque()
        for letter in letters:
            self.failed(actor, letter, error)

    def not_decided(self, actor: Actor, letter: Letter, error: Exception) -> None:
        """Its decision, or what was to be computed for it, failed."""
        if letter.more:
            self.part(actor, letter)
            return
        match error:
            case Refused():
                answer(letter, refusal(error))
            case InvalidRequest():
                answer(letter, error)
            case Overloaded() | Unavailable():
                self.failed(actor, letter, error)
            case NoWorker():
                self.failed(actor, letter, Overloaded(f"{error.detail} Try again in a moment."))
            case _:
                # The outermost loop of an execution: its fault must not end every other one.
                logger.error("Execution %s broke.", actor.id, exc_info=error)
                self.broke(actor, letter, error)

    def broke(self, actor: Actor, letter: Letter, error: Exception) -> None:
        """It can never be stored as it is: whoever asked is told; else the execution ends."""
        if letter.reply is not None:
            letter.reply(ServiceError("Something went wrong inside; the executor's log says what."))
        elif isinstance(letter.event, Terminated):
            logger.error("Execution %s cannot even be ended; it stays as it is.", actor.id)
        elif letter.breakages < _MOST_BREAKAGES:
            letter.breakages += 1
            self.failed(actor, letter, error)
        else:
            reason = f"The executor could not go on: {type(error).__name__}."
            actor.mail.appendleft(Letter(Terminated(reason)))


def _told(error: BaseException) -> ServiceError:
    text = f"The executor's database cannot be used just now: {error}."
    return Unwritable(text) if is_unwritable(error) else Unavailable(text)

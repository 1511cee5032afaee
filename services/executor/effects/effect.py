"""What an effect is: something that a task does outside, begun after its command was committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from services.tracing import Trace


@dataclass(frozen=True, slots=True)
class HandOff:
    """What is put into a request at the last moment and never stored.

    Attributes:
        secrets: The value of the secret of that name; None: there is none.
        former: The values that the secret of that name had before, as long as they are masked.
        callback_url: The attempt's callback URL; asked again, it gives the same one.
        trace: What the call belongs to.
    """

    execution_id: str
    task_id: str
    secrets: Callable[[str], str | None]
    callback_url: Callable[[], str]
    trace: Trace | None = None
    former: Callable[[str], Iterable[str]] = lambda name: ()


class Effect(Protocol):
    """Does what a :class:`~services.executor.core.model.Perform` asks for."""

    async def perform(self, request: object, handoff: HandOff) -> object:
        """The outcome, with nothing in it that ``handoff`` put into the request.

        Whatever goes wrong outside is an outcome too. Cancelled, it lets go of what it holds;
        the remote may have acted by then.
        """
        ...

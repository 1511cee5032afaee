"""Tasks that wait for their turn, or have it, as queues know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.executor.core.attempts import OWN_TURN
from services.executor.hands import Seen, Taker


class Entry(NamedTuple):
    """A task that waits; the first of several is the one whose turn comes first.

    Attributes:
        behind: The priority of its execution, below 0.
        at: Since when, in microseconds since the epoch.
        number: Tells apart those that are since the same moment, in order.
    """

    behind: int
    at: int
    number: int
    task_id: str
    execution_id: str
    queue: str
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """A task that somebody has.

    Attributes:
        taker: None: nobody is connected who has it, or none is needed.
        poll_count: How often it has been given to a worker, with this time.
    """

    execution_id: str
    queue: str
    name: str
    worker_id: str
    taker: Taker | None
    poll_count: int


class HeldTasks(dict[str, Held]):
    """The tasks that somebody has, by id."""

    def by(self, worker_id: str) -> list[tuple[str, Held]]:
        """Those that a worker has."""
        return [(id, held) for id, held in self.items() if held.worker_id == worker_id]

    def of(self, queue: str) -> list[tuple[str, Held]]:
        """Those of a queue."""
        return [(id, held) for id, held in self.items() if held.queue == queue]


class Standing(NamedTuple):
    """How a queue stands; ``oldest`` in microseconds since the epoch, None: it is empty."""

    queue: str
    size: int
    oldest: int | None
    running: int
    workers: Sequence[Seen]


def limited_by(queue: str, name: str) -> str:
    """The definition whose limits a task has taken its turn by; it may be another one by now."""
    return queue.removeprefix(OWN_TURN) if queue.startswith(OWN_TURN) else name

"""In whose hands a task is: its worker, its queue, and until when it is the worker's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tui.views.task_words import SKELETONS
from tui.views.visible import in_one_line

# Whatever else a task's type is called, workers do it.
_DONE_HERE = frozenset(SKELETONS) - {"SIMPLE"}


class Hand(NamedTuple):
    """What an execution's own document tells of a task that a worker does.

    Attributes:
        queue: The type of its queue, with its domain before it.
        lease_until: When others get it unless its worker is heard of, epoch milliseconds; None: it
            stays the worker's.
    """

    queue: str = ""
    lease_until: int | None = None


NO_HAND = Hand()


def by_worker(kind: str) -> bool:
    """Whether tasks of a type are done by workers."""
    return bool(kind) and kind not in _DONE_HERE


def hands_of(document: Mapping[str, Any]) -> dict[str, Hand]:
    """By task id, of those that workers do; what is malformed is left out.

    Args:
        document: As ``GetExecution`` has it: Conductor's JSON.
    """
    tasks = document.get("tasks")
    return {
        task["taskId"]: _hand(task)
        for task in (tasks if isinstance(tasks, list) else ())
        if isinstance(task, dict)
        and isinstance(task.get("taskId"), str)
        and by_worker(str(task.get("taskType") or ""))
    }


def _hand(task: Mapping[str, Any]) -> Hand:
    kind, domain = str(task["taskType"]), str(task.get("domain") or "")
    name = str(task.get("taskDefName") or kind) if kind == "SIMPLE" else kind
    return Hand(f"{domain}:{name}" if domain else name, _lease(task))


def _lease(task: Mapping[str, Any]) -> int | None:
    """It begins anew with each word of the worker."""
    heard, seconds = task.get("updateTime"), task.get("responseTimeoutSeconds")
    if not isinstance(heard, int) or not isinstance(seconds, int) or not seconds:
        return None
    return heard + 1000 * seconds


def told_of_hand(kind: str, worker: str, given: int, hand: Hand) -> list[str]:
    """Who has a task, of which queue, and how often it was given away; in a few words each."""
    if not by_worker(kind):
        return [f"by {in_one_line(worker)}"] if worker else []
    queue = in_one_line(hand.queue)
    if not worker:
        return [f"waits for a worker of {queue}" if queue else "waits for a worker"]
    parts = [f"worker {in_one_line(worker)}"]
    parts += [f"queue {queue}"] if ":" in queue else []
    return [*parts, f"given {given} times"] if given > 1 else parts

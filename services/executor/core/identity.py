"""What is derived from ids instead of drawn: other ids, idempotency keys, chance.

The core has no randomness: deciding the same event twice names the same things.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

from immutables import Map

if TYPE_CHECKING:
    from services.executor.core.model import Task

_SEPARATOR = "\x1f"


def _hash(*parts: object) -> str:
    text = _SEPARATOR.join(map(str, parts))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def derived_id(*parts: object) -> str:
    """The id of what ``parts`` name, shaped as a UUID (version 8, RFC 9562)."""
    digest = _hash(*parts)
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


# The first 12 of the 32 digits of an execution's id.
_SHARED = 13
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def attempt_id(execution_id: str, restarts: int, ref: str, attempt: int) -> str:
    """The id of one attempt of one task, shaped as a UUID.

    It begins as the execution's does: by it alone, the execution is found (:func:`shared_with`).
    """
    derived = derived_id(execution_id, restarts, ref, attempt)
    if not _UUID.match(execution_id):
        return derived
    return execution_id[:_SHARED] + derived[_SHARED:]


def shared_with(task_id: str) -> tuple[str, str]:
    """Between which ids, the last not among them, the execution is that has the attempt.

    Those that earlier versions gave begin otherwise. Both are empty for what is no id.
    """
    if not _UUID.match(task_id):
        return "", ""
    first = task_id[:_SHARED]
    return first, first + "."


def attempt_ids(execution_id: str, restarts: int, ref: str, attempts: int) -> Iterator[str]:
    """The ids of the first ``attempts`` of a task, also as earlier versions gave them."""
    for attempt in range(attempts):
        yield attempt_id(execution_id, restarts, ref, attempt)
        yield derived_id(execution_id, restarts, ref, attempt)


def refs_of(execution_id: str, restarts: int, latest: Iterable[Task]) -> Map[str, str]:
    """By the id of every attempt that may still be spoken of, its ref.

    Args:
        latest: The latest attempt of every ref; the ids of those before it are derived.

    Of what a rerun has kept the earlier attempts have other ids: those are known that somebody
    may still speak of.
    """
    refs: dict[str, str] = {}
    for task in latest:
        refs[task.id] = task.ref
        if task.retried_id:
            refs[task.retried_id] = task.ref
            earlier = task.memory.get("earlier")
            refs.update(dict.fromkeys(earlier, task.ref) if isinstance(earlier, dict) else {})
        if task.attempt:
            earlier_ids = attempt_ids(execution_id, restarts, task.ref, task.attempt)
            refs.update(dict.fromkeys(earlier_ids, task.ref))
    return Map(refs)


def idempotency_key(
    execution_id: str, restarts: int, ref: str, iteration: int, generation: int, poll: int
) -> str:
    """The key under which a remote may tell a call that is repeated from one that is new."""
    return _hash("key", execution_id, restarts, ref, iteration, generation, poll)


def fraction(*parts: object) -> float:
    """A number from 0 up to and including 1, spread evenly over different ``parts``."""
    return int(_hash("chance", *parts)[:12], 16) / 0xFFFF_FFFF_FFFF


def digest(text: str) -> str:
    """A short stand-in for ``text``, to tell whether it came before."""
    return _hash("text", text)

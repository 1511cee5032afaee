"""A start that may be made: what it begins, and what it needs to begin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from services.executor.core.model import Execution
from services.executor.rows import Origin
from services.executor.slots import Slot
from services.executor.snapshots import Snapshot


class Strategy(StrEnum):
    """What becomes of a start whose key is known; the words are Conductor's."""

    FAIL = "FAIL"
    RETURN_EXISTING = "RETURN_EXISTING"
    FAIL_ON_RUNNING = "FAIL_ON_RUNNING"


@dataclass(frozen=True, slots=True)
class Order:
    """A start that may be made.

    Attributes:
        key: Of all starts with it, one begins an execution and the others attach; empty: none.
        refs: The tasks that are awaited by it, and by whoever comes with the same key.
        slot: What the execution holds until its end; None: nothing.
        again: It may have been sent before.
        size: Characters of its input.
        strategy: Of a ``key`` that is the workflow's; None: it is the caller's own, and by it a
            start is the same one again.
    """

    execution: Execution
    origin: Origin
    snapshot: Snapshot
    key: bytes = b""
    refs: tuple[str, ...] = ()
    slot: Slot | None = None
    again: bool = False
    size: int = 0
    strategy: Strategy | None = None


def workflow_key(workflow: str, key: str) -> bytes:
    """The idempotency key that all starts of a workflow share: no caller's own is the same."""
    text = f"{len(workflow)} {workflow} {key}"
    # What comes of a task may hold half a surrogate pair.
    return b"workflow " + sha256(text.encode("utf-8", "surrogatepass")).digest()

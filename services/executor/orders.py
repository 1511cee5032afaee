"""A start that may be made: what it begins, and what it needs to begin."""

from __future__ import annotations

from dataclasses import dataclass

from services.executor.core.model import Execution
from services.executor.rows import Origin
from services.executor.slots import Slot
from services.executor.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Order:
    """A start that may be made.

    Attributes:
        key: Of all starts with it, one begins an execution and the others attach; empty: none.
        refs: The tasks that are awaited by it, and by whoever comes with the same key.
        slot: What the execution holds until its end; None: nothing.
        again: It may have been sent before.
        size: Characters of its input.
    """

    execution: Execution
    origin: Origin
    snapshot: Snapshot
    key: bytes = b""
    refs: tuple[str, ...] = ()
    slot: Slot | None = None
    again: bool = False
    size: int = 0

"""What a task says of a workflow that it starts: its key with a strategy, its version, priority."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from services.executor.core.model import Json
from services.executor.kinds.whole import whole

MOST_VERSION = 2**31 - 1
MOST_PRIORITY = 99
STRATEGIES = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")
_MOST_CHARS = 1000


class Key(NamedTuple):
    """Of the workflow's starts with it one begins; an empty one is none."""

    text: str
    strategy: str

    @classmethod
    def of(cls, param: Mapping[str, Json]) -> Key:
        """Raises ValueError for what is no key, or no strategy; it begins with the field's name."""
        key, strategy = param.get("idempotencyKey"), param.get("idempotencyStrategy")
        if key is None or key == "":
            return cls("", STRATEGIES[0])
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise ValueError("idempotencyKey must be text.")
        if len(text := str(key)) > _MOST_CHARS:
            raise ValueError(f"idempotencyKey is longer than {_MOST_CHARS} characters.")
        if strategy is not None and strategy not in STRATEGIES:
            raise ValueError(f"idempotencyStrategy must be one of {', '.join(STRATEGIES)}.")
        return cls(text, str(strategy or STRATEGIES[0]))

    @property
    def attaches(self) -> bool:
        return self.strategy == "RETURN_EXISTING"

    @property
    def anew(self) -> bool:
        return self.strategy == "FAIL_ON_RUNNING"

    def refusal(self, holder: str) -> str:
        """Why it is not started: ``holder`` has the key."""
        return f"There is an execution {holder} of this workflow with the same idempotency key."


def version_of(param: Mapping[str, Json]) -> int:
    """The version that is said; 0: the latest. Raises ValueError as :func:`whole` does."""
    return whole(param, "version", MOST_VERSION) or 0


def priority_of(param: Mapping[str, Json]) -> int | None:
    """The priority that is said; None: none. Raises ValueError as :func:`whole` does."""
    return whole(param, "priority", MOST_PRIORITY)

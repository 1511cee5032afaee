"""The state of a service as a line of text."""

from __future__ import annotations

from collections.abc import Mapping

_COLUMNS = ("service", "address", "status")


def service_line(row: Mapping[str, object]) -> str:
    """Name, address, status, then every other fact of ``row`` with its name before it."""
    facts = "  ".join(f"{key} {_shown(row[key])}" for key in row if key not in _COLUMNS)
    return f"{row['service']:<11} {row['address']:<22} {row['status']:<8} {facts}".rstrip()


def restored_lines(at: str, made_at: str, waiting: int) -> tuple[str, ...]:
    """That the suite waits since it was restored, and what to do about it.

    Args:
        at, made_at: When it was restored, and when its backup was made.
        waiting: How many executions are paused by that; 0: that is not told.
    """
    many = "Its executions" if not waiting else f"{waiting:,} execution{'s' * (waiting != 1)}"
    are = "is" if waiting == 1 else "are"
    return (
        f"RESTORED {at} from a backup of {made_at}.",
        f"{many} {are} PAUSED since; schedules, event handlers and completion",
        "webhooks wait until each was resumed or has ended:",
        "  podium executions status:paused",
        "  podium resume --query status:paused",
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)

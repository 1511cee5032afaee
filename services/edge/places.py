"""The ``id`` of an event: which execution it tells of, and what its reader knows by then. No IO."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_WRITTEN = re.compile(
    r"([0-9a-f-]{36}):([A-Za-z0-9_.-]{0,400}):([A-Za-z0-9]{0,64}):([0-9]{0,18})"
    r":([A-Z_]{0,32}):([0-9.e+-]{0,32}):(|over|end)\Z"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody has been told of an execution, so that the rest can follow.

    Attributes:
        link: The ``t`` of the ``Location``, where only the link lets its reader in.
        epoch: With ``revision`` the last change that was told; empty: none was.
        status: The last that was told.
        progress: Also.
        over: Only the answer is left to tell.
        ended: Nothing is.
    """

    execution_id: str
    link: str = ""
    epoch: str = ""
    revision: int = 0
    status: str = ""
    progress: float | None = None
    over: bool = False
    ended: bool = False

    def __str__(self) -> str:
        number = "" if self.progress is None else repr(self.progress)
        last = "end" if self.ended else "over" if self.over else ""
        told = (self.execution_id, self.link, self.epoch, self.revision, self.status, number, last)
        return ":".join(map(str, told))


def read_place(header: bytes | None) -> Place | None:
    """What ``Last-Event-ID`` says; None: it is no id of ours."""
    found = _WRITTEN.match((header or b"").decode("latin-1"))
    if found is None:
        return None
    execution_id, link, epoch, revision, status, number, last = found.groups()
    try:
        progress = float(number) if number else None
    except ValueError:
        return None
    if progress is not None and not math.isfinite(progress):
        return None
    over, ended = last == "over", last == "end"
    return Place(
        execution_id, link, epoch, int(revision or 0), status, progress, over=over, ended=ended
    )

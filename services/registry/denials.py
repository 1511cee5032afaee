"""Refusals that handlers write down themselves, since they alone know of whom."""

from __future__ import annotations

from services.auditing import Entry, calling
from services.auditing.noting import Noting


class Denials:
    """Keeps refusals in the audit log, few enough that they never push the rest out of it."""

    def __init__(self, noting: Noting) -> None:
        self._noting = noting

    async def write_down(self, call: str, entry: Entry) -> None:
        """Keep ``entry`` of a call, unless its principal was refused at ``call`` a moment ago."""
        told = calling.current.get()
        whole = entry
        if told is not None:
            told.noted = True
            whole = told.completed(entry)
        await self._noting.refused(whole, f"{call} {entry.principal or whole.source}")

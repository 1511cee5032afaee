"""An execution that somebody follows, as values. No IO."""

from __future__ import annotations

from dataclasses import dataclass

from services.edge.half import Response


@dataclass(frozen=True, slots=True)
class Followed:
    """What is followed.

    Attributes:
        await_refs: The tasks of which the first to end is the end.
        application_id: Whose right to EXECUTE counts.
    """

    execution_id: str
    await_refs: tuple[str, ...]
    application_id: str


@dataclass(frozen=True, slots=True)
class Watched:
    """An execution as a caller may see it.

    Attributes:
        location: Where it, and its answer, is to be had.
        public: Only the link of ``location`` leads there.
    """

    followed: Followed
    response: Response
    location: str
    public: bool

"""What was put by way of this edge: what is started behind it runs it, and nothing older."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.replica import Replica
    from services.replica.copy import Place


class Written:
    """How far the registry was at the last put or removal.

    Args:
        replica: This edge's copy of the definitions.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._revision = 0
        self._at: Place = replica.place

    def note(self, revision: int) -> None:
        """The registry's after a change that it has taken."""
        self._revision, self._at = max(revision, self.revision), self._replica.place

    @property
    def revision(self) -> int:
        """What an executor must have, to know all that was put here, and all that is known here."""
        # A registry that was restored counts anew: nobody is to wait for what it had before.
        known = self._at.epoch == self._replica.place.epoch
        return max(self._revision if known else 0, self._replica.revision)

"""What happens to an execution as the progress that a client of tools is told. No IO."""

from __future__ import annotations

from dataclasses import dataclass

from services.edge.progress import Step, Update

_PERCENT = 100.0
# Where nothing says how far it is, the number grows all the same, as it must (MCP, progress).
_A_LITTLE = 0.01


@dataclass(frozen=True, slots=True)
class Progress:
    """One notification.

    Attributes:
        value: Larger than in the last one.
        total: What ``value`` is at the end; None: nobody knows.
    """

    value: float
    total: float | None
    sentence: str


class Reporter:
    """Makes notifications for one call; what says nothing new makes none."""

    def __init__(self) -> None:
        self._value = 0.0
        self._measured = False
        self._status = ""
        self._number: float | None = None

    def report(self, update: Update, *, exposed: bool) -> Progress | None:
        """The next one; with the tasks that changed, where details are ``exposed``."""
        number = self._number if update.progress is None else update.progress
        same = (update.status, number) == (self._status, self._number)
        if same and not (exposed and update.steps):
            return None
        self._status, self._number = update.status, number
        measured = number is not None and 0 <= number <= _PERCENT
        self._measured = self._measured or measured
        further = measured and number is not None and number > self._value
        self._value = number if further and number is not None else self._value + _A_LITTLE
        total = _PERCENT if self._measured and self._value <= _PERCENT else None
        return Progress(self._value, total, self._sentence(update, exposed=exposed))

    def _sentence(self, update: Update, *, exposed: bool) -> str:
        told = [update.status if self._number is None else f"{update.status}, {self._number:g}"]
        if exposed:
            told += map(_told, update.steps[-1:])
        return "; ".join(told)


def _told(step: Step) -> str:
    polls = f", poll {step.poll}" if step.poll else ""
    reason = f": {step.reason}" if step.reason else ""
    return f"{step.ref} {step.status}{polls}{reason}"

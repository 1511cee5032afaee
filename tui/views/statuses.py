"""How a status looks: a glyph, a word and a tone, never one of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from podium.executor.v1 import executor_pb2 as pb

TONES = ("text", "muted", "primary", "accent", "success", "warning", "error")


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown of a status.

    Attributes:
        glyph: One cell wide.
        word: The status as the RPCs have it, e.g. ``TIMED_OUT``.
        tone: One of :data:`TONES`; which colour that is the theme says.
        plain: The glyph of terminals that have ASCII only.
    """

    glyph: str
    word: str
    tone: str
    plain: str

    @property
    def label(self) -> str:
        """The word as it is read: ``timed out``."""
        return self.word.replace("_", " ").lower()


def _looks(*rows: tuple[str, str, str, str]) -> dict[str, Look]:
    return {word: Look(glyph, word, tone, plain) for word, glyph, plain, tone in rows}


EXECUTION_LOOKS: Mapping[str, Look] = _looks(
    ("RUNNING", "●", "*", "primary"),
    ("PAUSED", "‖", "=", "warning"),
    ("COMPLETED", "✔", "v", "success"),
    ("FAILED", "✘", "x", "error"),
    ("TIMED_OUT", "⧖", "t", "error"),
    ("TERMINATED", "⊘", "o", "muted"),
)

TASK_LOOKS: Mapping[str, Look] = _looks(
    ("SCHEDULED", "·", ".", "muted"),
    ("IN_PROGRESS", "●", "*", "primary"),
    ("COMPLETED", "✔", "v", "success"),
    ("COMPLETED_WITH_ERRORS", "✔", "v", "warning"),
    ("SKIPPED", "↷", ">", "muted"),
    ("FAILED", "✘", "x", "error"),
    ("TIMED_OUT", "⧖", "t", "error"),
    ("FAILED_WITH_TERMINAL_ERROR", "✘", "x", "error"),
    ("CANCELED", "⊘", "o", "muted"),
)

# What came of what the engine did by itself: the runs of schedules, and of event handlers.
RUN_LOOKS: Mapping[str, Look] = _looks(
    ("DUE", "·", ".", "muted"),
    ("STARTED", "✔", "v", "success"),
    ("COMPLETED", "✔", "v", "success"),
    ("UNDER_WAY", "●", "*", "primary"),
    ("SKIPPED", "↷", ">", "warning"),
    ("MISSED", "!", "!", "warning"),
    ("FAILED", "✘", "x", "error"),
)

_UNKNOWN = Look("?", "UNKNOWN", "muted", "?")


def look_of_execution(status: int | str) -> Look:
    """Of ``EXECUTION_STATUS_FAILED``, as a number or by its short name ``FAILED``."""
    return EXECUTION_LOOKS.get(_name(status, "EXECUTION_STATUS_"), _UNKNOWN)


def look_of_task(status: int | str) -> Look:
    """Of ``TASK_STATUS_FAILED``, as a number or by its short name ``FAILED``."""
    return TASK_LOOKS.get(_name(status, "TASK_STATUS_"), _UNKNOWN)


def look_of_run(outcome: str) -> Look:
    """Of what came of a run of a schedule or of an event handler: ``STARTED``."""
    return RUN_LOOKS.get(outcome, _UNKNOWN)


def _name(status: int | str, prefix: str) -> str:
    if isinstance(status, str):
        return status.removeprefix(prefix)
    return _NAMES[prefix].get(status, "")


_NAMES: dict[str, dict[int, str]] = {
    "EXECUTION_STATUS_": {
        number: name.removeprefix("EXECUTION_STATUS_")
        for name, number in pb.ExecutionStatus.items()
    },
    "TASK_STATUS_": {
        number: name.removeprefix("TASK_STATUS_") for name, number in pb.TaskStatus.items()
    },
}

"""What is done to the course of executions: begun again from a task, gone by one, told, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.resources.execution_actions import (
    COMPLETES,
    OPEN,
    commands,
    ended_badly,
    operation,
    subject,
)
from tui.resources.execution_row import Execution
from tui.resources.model import Action, Danger, Question
from tui.views.timeline import task_status

SIGNALS = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED", "IN_PROGRESS")
ALONE, WITH_CHILDREN = "it alone", "with its sub-workflows"

Answers = Mapping[str, str]


def _given(answers: Answers, **options: str) -> tuple[str, ...]:
    """``--option value`` for each answer that is there, by its name."""
    pairs = ((option, answers.get(name, "")) for name, option in options.items())
    return tuple(part for option, value in pairs if value for part in (f"--{option}", value))


def _rerun(answers: Answers) -> tuple[str, ...]:
    return _given(answers, ref="from", input="input")


def _skip(answers: Answers) -> tuple[str, ...]:
    return ("--ref", answers.get("ref") or "REF", *_given(answers, result="result"))


def _signal(answers: Answers) -> tuple[str, ...]:
    return _given(answers, status="status", result="result", reason="reason")


def _set(answers: Answers) -> tuple[str, ...]:
    return "--set", answers.get("variables") or "{}"


def _remove(answers: Answers) -> tuple[str, ...]:
    return ("--with-children",) if answers.get("children") == WITH_CHILDREN else ()


def _begins_again(rows: Sequence[Execution]) -> str:
    return (
        f"{subject(rows)} will run again from that task, or from the beginning where none is "
        "named: what comes after it is void, and its calls go out again."
    )


def _goes_by(rows: Sequence[Execution]) -> str:
    return f"The task will not be done{_each(rows)}; what is behind it has this output of it."


def _told(rows: Sequence[Execution]) -> str:
    return (
        f"The first task that waits for somebody takes this as their word{_each(rows)}, in "
        "running sub-workflows too."
    )


def _varies(rows: Sequence[Execution]) -> str:
    return f"These variables get other values{_each(rows)}; the others stay as they are."


def _hurries(rows: Sequence[Execution]) -> str:
    return f"What waits for a delay, of its start or of a retry, begins at once{_each(rows)}."


def _goes(rows: Sequence[Execution]) -> str:
    stored = "it" if len(rows) == 1 else "them"
    return (
        f"{subject(rows)} will be deleted with all that is stored of {stored}; nothing brings "
        f"{stored} back."
    )


def _resumes_within(rows: Sequence[Execution]) -> str:
    return f"{subject(rows)} will go on from what failed, in the sub-workflows where that was."


def _each(rows: Sequence[Execution]) -> str:
    return "" if len(rows) == 1 else f", in each of {len(rows):,}"


CHANGES: tuple[Action[Execution], ...] = (
    Action(
        "executions.retry_resume", "U", "Retry within",
        "Retry, with sub-workflows that failed retried in their place.",
        operation("Retry", resume_sub_workflows=lambda _: True),
        **commands("retry", lambda _: ("--resume",)), doing="retrying",
        applies=ended_badly, effect=_resumes_within, danger=Danger.SEVERAL, outcome=COMPLETES,
    ),
    Action(
        "executions.rerun", "B", "Rerun", "Run it again from one of its tasks, or on other input.",
        operation(
            "Rerun",
            ref=lambda answers: answers.get("ref", ""),
            input=lambda answers: answers.get("input", ""),
        ),
        **commands("rerun", _rerun), doing="rerunning",
        applies=lambda row: row.status not in OPEN,
        effect=_begins_again, danger=Danger.ASKS, outcome=COMPLETES,
        questions=(
            Question("ref", "From task (none: from the beginning)"),
            Question("input", "Input (a JSON object; none: as it was)"),
        ),
    ),
    Action(
        "executions.skip_task", "K", "Skip task", "Have a task that is not reached yet not done.",
        operation(
            "Skip_task",
            ref=lambda answers: answers.get("ref", ""),
            output=lambda answers: answers.get("result", ""),
        ),
        **commands("skip-task", _skip), doing="skipping",
        applies=lambda row: row.status == "RUNNING", effect=_goes_by, danger=Danger.ASKS,
        questions=(Question("ref", "Task"), Question("result", "Output (a JSON object)", "{}")),
    ),
    Action(
        "executions.signal", "I", "Signal", "Complete the first task that waits for somebody.",
        operation(
            "Signal",
            status=lambda answers: task_status(answers.get("status") or SIGNALS[0]),
            output=lambda answers: answers.get("result", ""),
            reason=lambda answers: answers.get("reason", ""),
        ),
        **commands("signal", _signal), doing="signalling",
        applies=lambda row: row.status in OPEN, effect=_told, danger=Danger.ASKS,
        questions=(
            Question("status", "Status", SIGNALS[0], SIGNALS),
            Question("result", "Output (a JSON object)", "{}"),
            Question("reason", "Reason"),
        ),
    ),
    Action(
        "executions.set_variables", "E", "Variables", "Set variables of it: all or none.",
        operation("Update_variables", variables=lambda answers: answers.get("variables", "")),
        **commands("set-variables", _set), doing="setting",
        applies=lambda row: row.status in OPEN, effect=_varies, danger=Danger.ASKS,
        questions=(Question("variables", "Variables (a JSON object)", "{}"),),
    ),
    Action(
        "executions.reset_callbacks", "H", "Hurry", "Begin now what waits for a delay.",
        operation("Reset_callbacks"), **commands("reset-callbacks"), doing="hurrying",
        applies=lambda row: row.status in OPEN, effect=_hurries, danger=Danger.SEVERAL,
    ),
    Action(
        "executions.remove", "X", "Remove", "Delete it, with all that is stored of it.",
        operation(
            "Delete", with_children=lambda answers: answers.get("children") == WITH_CHILDREN
        ),
        **commands("remove", _remove), doing="removing",
        applies=lambda row: row.status not in OPEN, effect=_goes, danger=Danger.ASKS,
        questions=(Question("children", "What goes", ALONE, (ALONE, WITH_CHILDREN)),),
    ),
)  # fmt: skip

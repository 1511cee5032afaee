"""What is done to tasks of whichever executions: to each by hand, or to those executions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tui.resources.execution_actions import operation
from tui.resources.execution_tasks import QUESTIONS, options_of, updating
from tui.resources.model import Action, Danger, ItemResult, Perform, Question
from tui.views.command_lines import command_line
from tui.views.found_tasks import FoundTask

if TYPE_CHECKING:
    from tui.clients import Clients

_OPEN = frozenset(("RUNNING", "PAUSED"))
_ENDED_BADLY = frozenset(("FAILED", "TIMED_OUT", "TERMINATED"))
Answers = Mapping[str, str]


class _Meant(NamedTuple):
    """An execution that rows are of."""

    id: str


def _to_executions(perform: Perform) -> Perform:
    """Does it once to each execution; what comes of that counts for all of its rows."""

    async def done(
        clients: Clients, rows: Sequence[FoundTask], answers: Answers
    ) -> AsyncIterator[ItemResult]:
        of: dict[str, list[str]] = {}
        for row in rows:
            of.setdefault(row.execution_id, []).append(row.id)
        async for result in perform(clients, [_Meant(each) for each in of], answers):
            for id_ in of.get(result.id, ()):
                yield replace(result, id=id_)

    return done


async def _rerun(
    clients: Clients, rows: Sequence[FoundTask], answers: Answers
) -> AsyncIterator[ItemResult]:
    ref = rows[0].ref
    again = operation("Rerun", ref=lambda _: ref, input=lambda given: given.get("input", ""))
    async for result in _to_executions(again)(clients, rows, answers):
        yield result


def _executions(rows: Sequence[FoundTask]) -> list[str]:
    return list(dict.fromkeys(row.execution_id for row in rows))


def _in(rows: Sequence[FoundTask]) -> str:
    count = len(_executions(rows))
    return "1 execution" if count == 1 else f"{count:,} executions"


def _complete_lines(rows: Sequence[FoundTask], answers: Answers) -> str:
    return " && ".join(
        command_line(["complete-task", f"--task={row.id}", *options_of(answers)], row.execution_id)
        for row in rows
    )


def _reason(answers: Answers) -> list[str]:
    return ["--reason", answers["reason"]] if answers.get("reason") else []


def _rerun_line(rows: Sequence[FoundTask], answers: Answers) -> str:
    given = ["--input", answers["input"]] if answers.get("input") else []
    return command_line(["rerun", f"--from={rows[0].ref}", *given], rows[0].execution_id)


ACTIONS: tuple[Action[FoundTask], ...] = (
    Action(
        "task_runs.complete", "m", "Complete by hand",
        "Say how it ended, or how far it is.",
        updating(by_id=True), _complete_lines, doing="completing",
        applies=lambda row: row.open and row.execution_status in _OPEN, danger=Danger.ASKS,
        effect=lambda rows: "What is said here counts as the word of whoever each waits for.",
        questions=QUESTIONS,
    ),
    Action(
        "task_runs.retry", "r", "Retry", "Have their executions go on from what failed.",
        _to_executions(operation("Retry")),
        lambda rows, answers: command_line(["retry"], *_executions(rows)), doing="retrying",
        applies=lambda row: row.execution_status in _ENDED_BADLY, danger=Danger.SEVERAL,
        effect=lambda rows: f"{_in(rows)} will go on from what failed: that is done again, calls "
        "go out again.",
    ),
    Action(
        "task_runs.rerun", "B", "Rerun from here", "Run its execution again from this task.",
        _rerun, _rerun_line, doing="rerunning", many=False, danger=Danger.ASKS,
        applies=lambda row: row.execution_status not in _OPEN,
        effect=lambda rows: "What comes after it is void, and its calls go out again.",
        questions=(Question("input", "Its input (a JSON object; none: as it was)"),),
    ),
    Action(
        "task_runs.terminate", "t", "Terminate", "End their executions.",
        _to_executions(
            operation("Terminate", reason=lambda answers: answers.get("reason", ""))
        ),
        lambda rows, answers: command_line(["terminate", *_reason(answers)], *_executions(rows)),
        doing="terminating",
        applies=lambda row: row.execution_status in _OPEN, danger=Danger.ASKS,
        effect=lambda rows: f"{_in(rows)} will end; open tasks are cancelled.",
        questions=(Question("reason", "Reason"),),
    ),
)  # fmt: skip

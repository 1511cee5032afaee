"""What is done to executions: one by one or many, in as few calls as there can be."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.executor.v1 import executor_pb2 as pb
from services.rpc import raising_ours
from tui.live.results import Outcome
from tui.resources.execution_row import Execution
from tui.resources.model import Action, Danger, ItemResult, Question
from tui.views.statuses import look_of_execution

if TYPE_CHECKING:
    from tui.clients import Clients

# As many as one call takes, and how long it may take for them.
MOST_AT_ONCE = 10_000
LONGEST_SECONDS = 600.0
AS_IT_RAN, LATEST = "as it ran", "latest"
OPEN = frozenset(("RUNNING", "PAUSED"))


def operation(
    name: str, **fields: Callable[[Mapping[str, str]], Any]
) -> Callable[[Clients, Sequence[Execution], Mapping[str, str]], AsyncIterator[ItemResult]]:
    """Does ``name`` to rows in as few calls as there can be; ``fields`` are made of the answers."""

    async def perform(
        clients: Clients, rows: Sequence[Execution], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        given = {field: value(answers) for field, value in fields.items()}
        operation = pb.Operation.Value(f"OPERATION_{name.upper()}")
        for start in range(0, len(rows), MOST_AT_ONCE):
            ids = [row.id for row in rows[start : start + MOST_AT_ONCE]]
            request = pb.OperateExecutionsRequest(operation=operation, execution_ids=ids, **given)
            with raising_ours():
                async for response in clients.executor.OperateExecutions(
                    request, timeout=LONGEST_SECONDS
                ):
                    for result in response.results:
                        yield _result(result)

    return perform


def _result(result: pb.OperationResult) -> ItemResult:
    label = look_of_execution(result.state.status).label
    match result.outcome:
        case pb.OPERATION_OUTCOME_REFUSED:
            return ItemResult(result.execution_id, False, result.detail)
        case pb.OPERATION_OUTCOME_ALREADY:
            return ItemResult(result.execution_id, True, f"already {label}")
    return ItemResult(result.execution_id, True, label, open=True)


def comes_to(*wanted: str, until: frozenset[str]) -> Callable[[Execution], Outcome | None]:
    """What came of it: well at one of ``wanted``, not yet at one of ``until``."""

    def outcome(row: Execution) -> Outcome | None:
        if row.status in until and row.status not in wanted:
            return None
        label = look_of_execution(row.status).label
        good = row.status in wanted
        return good, label if good else f"{label}: {row.why}".removesuffix(": ")

    return outcome


COMPLETES = comes_to("COMPLETED", until=OPEN)
# Whatever becomes of it then, it was resumed.
_RESUMED = comes_to(
    "RUNNING", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED", until=frozenset(("PAUSED",))
)


def ended_badly(row: Execution) -> bool:
    """Whether it can be retried."""
    return row.status in ("FAILED", "TIMED_OUT", "TERMINATED")


def _line(command: str, rows: Sequence[Execution], *options: str) -> str:
    return shlex.join(["podium", command, *(row.id for row in rows), *options])


def _reason(answers: Mapping[str, str]) -> tuple[str, ...]:
    return ("--reason", answers["reason"]) if answers.get("reason") else ()


def _latest(answers: Mapping[str, str]) -> tuple[str, ...]:
    return ("--latest",) if answers.get("definition") == LATEST else ()


def commands(
    command: str, options: Callable[[Mapping[str, str]], tuple[str, ...]] = lambda answers: ()
) -> dict[str, Any]:
    """The same as command lines: by ids, and by a query."""
    return {
        "command": lambda rows, answers: _line(command, rows, *options(answers)),
        "by_query": lambda query, answers: _line(command, (), "--query", query, *options(answers)),
    }


def _ends(rows: Sequence[Execution]) -> str:
    running = sum(row.status == "RUNNING" for row in rows)
    parts = ((running, "running"), (len(rows) - running, "paused"))
    which = " and ".join(f"{count:,} {word}" for count, word in parts if count)
    return f"{which} will end; open tasks are cancelled."


def subject(rows: Sequence[Execution]) -> str:
    """What something is done to, at the beginning of a sentence."""
    return "It" if len(rows) == 1 else f"{len(rows):,} executions"


def _runs_again(rows: Sequence[Execution]) -> str:
    did = "it" if len(rows) == 1 else "they"
    return f"{subject(rows)} will run from the beginning; what {did} did is done again."


def _goes_on(rows: Sequence[Execution]) -> str:
    return f"{subject(rows)} will go on from what failed: that is done again, calls go out again."


def _holds(rows: Sequence[Execution]) -> str:
    return f"{subject(rows)} will start no new tasks until resumed."


def _resumes(rows: Sequence[Execution]) -> str:
    return f"{subject(rows)} will start the tasks held back."


ACTIONS: tuple[Action[Execution], ...] = (
    Action(
        "executions.retry", "r", "Retry", "Run the failed tasks again and go on from there.",
        operation("Retry"), **commands("retry"), doing="retrying",
        applies=ended_badly,
        effect=_goes_on, danger=Danger.SEVERAL, outcome=COMPLETES,
    ),
    Action(
        "executions.pause", "P", "Pause", "Let running tasks end and start no new ones.",
        operation("Pause"), **commands("pause"), doing="pausing",
        applies=lambda row: row.status == "RUNNING",
        effect=_holds, danger=Danger.SEVERAL, outcome=comes_to("PAUSED", until=OPEN),
    ),
    Action(
        "executions.resume", "u", "Resume", "Go on with what is paused.",
        operation("Resume"), **commands("resume"), doing="resuming",
        applies=lambda row: row.status == "PAUSED",
        effect=_resumes, danger=Danger.SEVERAL, outcome=_RESUMED,
    ),
    Action(
        "executions.terminate", "t", "Terminate", "End it; its open tasks are cancelled.",
        operation("Terminate", reason=lambda answers: answers.get("reason", "")),
        **commands("terminate", _reason), doing="terminating",
        applies=lambda row: row.status in OPEN,
        effect=_ends, danger=Danger.ASKS, outcome=comes_to("TERMINATED", until=OPEN),
        questions=(Question("reason", "Reason"),),
    ),
    Action(
        "executions.restart", "R", "Restart", "Run it again from its beginning, under its id.",
        operation(
            "Restart",
            use_latest_definitions=lambda answers: answers.get("definition") == LATEST,
        ),
        **commands("restart", _latest), doing="restarting",
        applies=lambda row: row.status not in OPEN,
        effect=_runs_again, danger=Danger.ASKS, outcome=COMPLETES,
        questions=(Question("definition", "Definition", AS_IT_RAN, (AS_IT_RAN, LATEST)),),
    ),
)  # fmt: skip

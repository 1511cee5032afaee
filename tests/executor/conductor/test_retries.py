"""How often a task is tried, and after how long; what its last failure comes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.executor.core.events import Retried
from services.executor.core.identity import attempt_id
from services.executor.core.model import Json, TaskStatus
from services.executor.core.policy import LONGEST, Policy
from tests.executor.conductor.rows import (
    MENDED,
    Act,
    Fields,
    Part,
    Row,
    answered,
    check,
    fires,
    happens,
    ids,
    played,
    said,
    taken,
    worker_says,
)
from tests.executor.core.simulator import ID, http, task, workflow

Shows = Mapping[str, Json | Part]
FAILS = answered("a", status=500)
GIVEN_UP = "FAILED_WITH_TERMINAL_ERROR"


def tried(rule: str, shows: Shows, *after: Act, definition: Json = None, kind: str = "HTTP",
          record: str = "", inputs: Fields | None = None, **more: Json) -> Row:  # fmt: skip
    """A task ``a``, an HTTP call unless it is said, with a definition."""
    given = {"uri": "http://x", "method": "GET", **(inputs or {})}
    flow = workflow(task("a", kind, given, **more), task("next", "NOOP"),
                    definitions={} if definition is None else {"a": definition})  # fmt: skip
    return Row(rule, flow, shows, after, record)


AT_ONCE: dict[str, Json] = {"retryDelaySeconds": 0}
# What the attempt is scheduled after its failure: it waits, or it has begun.
COUNTS = (
    tried("a definition's retryCount bounds it", {"a": "FAILED", "a.attempts": 3}, FAILS, FAILS,
          FAILS, definition={**AT_ONCE, "retryCount": 2}),
    tried("it is three where the definition has none", {"a": "FAILED", "a.attempts": 4}, FAILS,
          FAILS, FAILS, FAILS, definition=AT_ONCE),
    tried("the task's own wins", {"a": "FAILED", "a.attempts": 2}, FAILS, FAILS, retryCount=1,
          definition={**AT_ONCE, "retryCount": 5}),
    tried("also where it says never", {"a": "FAILED", "a.attempts": 1}, FAILS, retryCount=0,
          definition={**AT_ONCE, "retryCount": 5}),
    tried("without a definition there is no other attempt", {"a.attempts": 1, "a": "FAILED"},
          FAILS),
    # There a retryCount of the task alone is heeded for workers' tasks only.
    tried("a count of its own needs no definition", {"a.attempts": 2}, FAILS, fires, retryCount=1,
          record=MENDED),
    tried("but for what workers do: three times, after a minute", {"a.attempts": 2,
          "a.callback_after": timedelta(seconds=60)},  # type: ignore[dict-item]
          taken("a"), worker_says("a", "FAILED"), kind="SIMPLE"),
    tried("a definition may stand in the task", {"a.attempts": 2, "a": "IN_PROGRESS"}, FAILS,
          taskDefinition={**AT_ONCE, "retryCount": 1}, definition={"retryCount": 0}),
    *(
        tried(f"{status} is tried again", {"a.attempts": 2}, taken("a"), worker_says("a", status),
              kind="SIMPLE", definition=AT_ONCE)
        for status in ("FAILED",)
    ),
    *(
        tried(f"{status} is not", {"a.attempts": 1, "workflow": ended}, taken("a"),
              worker_says("a", status), kind="SIMPLE", definition=AT_ONCE)
        for status, ended in ((GIVEN_UP, "FAILED"), ("CANCELED", "TERMINATED"))
    ),
    *(
        tried(f"{kind} is never tried again", {"a": status, "a.attempts": 1}, kind=kind,
              definition=AT_ONCE, **more)
        for kind, status, more in (
            ("SWITCH", "FAILED", {"evaluatorType": "none", "expression": "x"}),
            ("DECISION", "FAILED", {}),
            ("DO_WHILE", GIVEN_UP, {"items": 7, "loopOver": [task("say", "NOOP")]}),
            ("FORK_JOIN_DYNAMIC", GIVEN_UP, {}),
        )
    ),
)  # fmt: skip


def delayed(rule: str, definition: dict[str, Json], *delays: float) -> Row:
    """The last of ``delays`` is that before the attempt that waits in the end."""
    acts: list[Act] = [FAILS]
    for _ in delays[1:]:
        acts += [fires, FAILS]
    shown = {"a": "SCHEDULED", "a.waits": [delays[-1]],
             "a.callback_after": timedelta(seconds=delays[-1])}  # fmt: skip
    return tried(rule, shown, *acts, definition={"retryCount": 9, **definition})  # type: ignore[arg-type]


LINEAR: dict[str, Json] = {"retryLogic": "LINEAR_BACKOFF", "retryDelaySeconds": 2}
DOUBLED: dict[str, Json] = {"retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 5}
DELAYS = (
    delayed("FIXED is the delay itself", {"retryDelaySeconds": 3}, 3, 3, 3),
    delayed("which is a minute where nothing is said", {}, 60, 60),
    delayed("LINEAR_BACKOFF grows with the attempts", LINEAR, 2, 4, 6),
    delayed("and with its factor", {**LINEAR, "backoffScaleFactor": 3}, 6, 12, 18),
    delayed("EXPONENTIAL_BACKOFF doubles", DOUBLED, 5, 10, 20, 40),
    delayed("maxRetryDelaySeconds caps it", {**DOUBLED, "maxRetryDelaySeconds": 12}, 5, 10, 12),
    delayed("0 caps nothing", {**DOUBLED, "maxRetryDelaySeconds": 0}, 5, 10, 20),
)

OUTCOMES = (
    tried("the last failure fails the whole, and is its reason", {"workflow": "FAILED",
          "next": None, "workflow.failed_refs": ["a"], "workflow.reason": Part(
          f"Task {attempt_id(ID, 0, 'a', 0)} failed with status: FAILED and reason: '")}, FAILS),
    tried("a cancelled task terminates it", {"workflow": "TERMINATED"}, said("a", "CANCELED"),
          kind="HUMAN"),
    tried("an optional one is completed with errors, and passed", {
          "a": "COMPLETED_WITH_ERRORS", "next": "COMPLETED", "workflow": "COMPLETED",
          "a.output.statusCode": 500}, FAILS, optional=True),
    tried("after all its attempts", {"a": "COMPLETED_WITH_ERRORS", "a.attempts": 2}, FAILS, FAILS,
          optional=True, definition={**AT_ONCE, "retryCount": 1}),
    tried("a permissive one stays failed and is passed; the whole fails at its end", {
          "a": "FAILED", "next": "COMPLETED", "workflow": "FAILED",
          "workflow.reason": Part("failed with status: FAILED and reason: '")}, FAILS,
          permissive=True),
    tried("optional wins over permissive", {"a": "COMPLETED_WITH_ERRORS",
          "workflow": "COMPLETED"}, FAILS, permissive=True, optional=True),
    # There the next attempt still has the reason of the one before.
    tried("another attempt has no reason yet", {"a": "SCHEDULED", "a.reason": "",
          "a.output": None, "a.poll_count": 0, "a.attempt": 1,
          "a.retried_id": attempt_id(ID, 0, "a", 0)}, FAILS, definition={"retryCount": 1},
          record=MENDED),
    tried("its input is resolved anew", {"a.request.uri": "http://x/1"}, FAILS,
          inputs={"uri": "http://x/${a.retryCount}"}, definition={**AT_ONCE, "retryCount": 1}),
    tried("an operator's retry takes what failed for good, too", {"a.attempts": 2,
          "workflow": "RUNNING"}, said("a", GIVEN_UP), happens(Retried()), kind="HUMAN"),
)  # fmt: skip


@pytest.mark.parametrize("row", [*COUNTS, *DELAYS, *OUTCOMES], ids=ids)
def test_retries(row: Row) -> None:
    check(row)


def test_several_permissive_failures_are_told_together() -> None:
    flow = workflow(*(http(ref, None, permissive=True) for ref in ("a", "b")), task("c", "NOOP"))
    run = played(Row("two", flow, {}, (answered("a", status=500), answered("b", status=404))))
    told = run.execution.reason.split(". Task ")
    assert len(told) == 2
    assert run.execution.failed_refs == ("a", "b")


def test_a_delay_beyond_any_measure_is_the_longest() -> None:
    # There a number of 32 bits overflows to the largest of them.
    policy = Policy.of({}, DOUBLED)
    assert policy.delay_after(10_000) == LONGEST


def test_jitter_is_added_behind_the_cap_and_not_shown() -> None:
    jittered = delayed("jitter", {"retryDelaySeconds": 5, "backoffJitterMs": 800}, 5)
    run = played(jittered)
    assert run.task("a").callback_after == timedelta(seconds=5)
    assert 5 <= run.until("a") <= 5.8


def test_an_attempt_is_a_row_of_its_own() -> None:
    run = played(tried("row", {}, FAILS, definition={"retryCount": 1}))
    first, second = sorted(run.rows.values(), key=lambda row: row.sequence)
    assert (first.status, first.attempt) == (TaskStatus.FAILED, 0)
    assert (second.id != first.id, second.retried_id, second.attempt) == (True, first.id, 1)

"""How long a task may take, wait and be silent, and what comes of it when it does not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.events import Paused, Resumed, TimerFired, TimerKey
from services.executor.core.model import Json
from tests.executor.conductor.rows import (
    MENDED,
    WORKERS,
    Act,
    Fields,
    Part,
    Row,
    answered,
    check,
    fires,
    happens,
    ids,
    passes,
    taken,
    worker_says,
)
from tests.executor.core.simulator import Simulator, http, task, workflow

Shows = Mapping[str, Json | Part]
ONCE: dict[str, Json] = {"retryCount": 1, "retryDelaySeconds": 0}


def timed(rule: str, shows: Shows, *after: Act, record: str = "", kind: str = "SIMPLE",
          more: Fields | None = None, **definition: Json) -> Row:  # fmt: skip
    """A task ``a``, of workers unless it is said, with that definition."""
    given: Json = {"uri": "http://x", "method": "GET"}
    flow = workflow(task("a", kind, given, **(more or {})), task("next", "NOOP"),
                    definitions={"a": {**ONCE, **definition}})  # fmt: skip
    return Row(rule, flow, shows, after, record)


HAD = (taken("a"), fires)


TIME_OUTS = (
    timed("by default the end of its time ends the whole, at once", {"a": "TIMED_OUT",
          "a.attempts": 1, "workflow": "TIMED_OUT", "next": None}, *HAD, timeoutSeconds=10),
    timed("and says so", {"a.reason": "Task timed out after 10 seconds. Timeout configured as 10 "
          "seconds. Timeout policy configured to TIME_OUT_WF"}, *HAD, timeoutSeconds=10),
    timed("RETRY has it tried again", {"a": "SCHEDULED", "a.attempts": 2, "workflow": "RUNNING"},
          *HAD, timeoutSeconds=10, timeoutPolicy="RETRY"),
    timed("until there is no further attempt", {"a": "TIMED_OUT", "a.attempts": 2,
          "workflow": "TIMED_OUT"}, *HAD, *HAD, timeoutSeconds=10, timeoutPolicy="RETRY"),
    timed("ALERT_ONLY lets it go on", {"a": "IN_PROGRESS", "workflow": "RUNNING"},
          *HAD, timeoutSeconds=10, timeoutPolicy="ALERT_ONLY"),
    timed("its time begins when a worker has it", {"a": "SCHEDULED", "a.waits": []}, passes(60),
          timeoutSeconds=10),
    timed("a call's when it begins", {"a": "IN_PROGRESS", "a.waits": [10.0]}, kind="HTTP",
          timeoutSeconds=10),
    timed("and not while it waits for its startDelay", {"a": "SCHEDULED", "a.waits": [30.0]},
          kind="HTTP", timeoutSeconds=10, more={"startDelay": 30}),
    timed("an optional one that runs out of its time is passed", {"a": "COMPLETED_WITH_ERRORS",
          "next": "COMPLETED"}, *HAD, timeoutSeconds=10, timeoutPolicy="RETRY", retryCount=0,
          more={"optional": True}),
    timed("nobody comes for it in pollTimeoutSeconds", {"a": "TIMED_OUT", "workflow": "TIMED_OUT",
          "a.reason": Part("Task poll timed out after 7 seconds")}, fires, pollTimeoutSeconds=7),
    timed("RETRY puts it in its queue again", {"a": "SCHEDULED", "a.attempts": 2}, fires,
          pollTimeoutSeconds=7, timeoutPolicy="RETRY"),
    timed("ALERT_ONLY lets it wait", {"a": "SCHEDULED", "a.attempts": 1}, fires,
          pollTimeoutSeconds=7, timeoutPolicy="ALERT_ONLY"),
    timed("that time ends when a worker has it", {"a": "IN_PROGRESS", "a.waits": [3600.0]},
          taken("a"), pollTimeoutSeconds=7),
    *(
        timed(f"a silent worker loses it, whatever {policy} says", {"a": "SCHEDULED",
              "a.attempts": 2, "workflow": "RUNNING"}, *HAD, responseTimeoutSeconds=5,
              timeoutPolicy=policy)
        for policy in ("RETRY", "TIME_OUT_WF", "ALERT_ONLY")
    ),
    timed("and what it had is tried again by the rules of retries", {"a": "TIMED_OUT",
          "a.attempts": 1, "workflow": "TIMED_OUT", "a.reason": Part("responseTimeout: 5 exceeded "
          "for the taskId: ")}, *HAD, responseTimeoutSeconds=5, retryCount=0),
    timed("an hour is the default", {"a.waits": [3600.0]}, taken("a")),
    timed("a word of the worker counts, and nothing else changes", {"a": "IN_PROGRESS",
          "a.worker_id": "w1", "a.waits": [4.0]}, taken("a"), passes(4),
          worker_says("a", "IN_PROGRESS"), fires, responseTimeoutSeconds=5),
    timed("a call is silent, too", {"a.attempts": 2}, fires, kind="HTTP",
          responseTimeoutSeconds=5),
    timed("given back for later it waits that long", {"a": "SCHEDULED", "a.waits": [30.0]},
          taken("a"), worker_says("a", "IN_PROGRESS", back=30)),
    timed("and is in its queue again then", {"a": "SCHEDULED", "a.waits": [], "a.queue": ":a",
          "a.attempts": 1}, taken("a"), worker_says("a", "IN_PROGRESS", {"k": 1}, back=30), fires),
    timed("with what it had given", {"a.output": {"k": 1}, "a.poll_count": 2}, taken("a"),
          worker_says("a", "IN_PROGRESS", {"k": 1}, back=30), fires, taken("a")),
    timed("the total time ends all attempts", {"a": "TIMED_OUT", "a.attempts": 2,
          "workflow": "TIMED_OUT", "a.reason": Part("exceeded total timeout of 20 seconds (elapsed "
          "20 seconds across all attempts). No further retries will be attempted.")},
          taken("a"), passes(8), worker_says("a", "FAILED"), taken("a"), fires,
          totalTimeoutSeconds=20, retryCount=9),
    # There a time-out is seen when the sweeper comes, and a task that waits for a worker only then.
    timed("a deadline is a timer at its time", {"a.waits": [10.0, 3600.0]}, taken("a"),
          record=MENDED, timeoutSeconds=10),
    timed("what is with a worker is not tried again while its stream is broken",
          {"a": "IN_PROGRESS", "a.attempts": 1}, taken("a"), passes(120), record=WORKERS),
)  # fmt: skip


def whole(rule: str, shows: Shows, *after: Act, **more: Json) -> Row:
    flow = workflow(http("a"), **more)
    return Row(rule, flow, shows, after)


DUE = happens(TimerFired(TimerKey("", "timeout")))
WHOLE = (
    whole("a workflow's time ends it, where it says so", {"workflow": "TIMED_OUT",
          "a": "CANCELED", "workflow.reason": "Workflow timed out after 30 seconds. Timeout "
          "configured as 30 seconds. Timeout policy configured to TIME_OUT_WF"}, fires,
          timeoutSeconds=30, timeoutPolicy="TIME_OUT_WF"),
    whole("its failure workflow runs then", {"started": ["mourn"]}, fires, timeoutSeconds=30,
          timeoutPolicy="TIME_OUT_WF", failureWorkflow="mourn"),
    whole("and not before", {"workflow": "RUNNING"}, passes(20), DUE, timeoutSeconds=30,
          timeoutPolicy="TIME_OUT_WF"),
    whole("a resume begins it anew", {"workflow": "RUNNING"}, passes(20), happens(Paused()),
          happens(Resumed()), passes(20), DUE, timeoutSeconds=30, timeoutPolicy="TIME_OUT_WF"),
)  # fmt: skip


@pytest.mark.parametrize("row", [*TIME_OUTS, *WHOLE], ids=ids)
def test_time_outs(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("more", [{}, {"timeoutPolicy": "ALERT_ONLY"}])
def test_a_workflows_time_only_alerts_unless_it_says_otherwise(more: dict[str, Json]) -> None:
    run = Simulator(workflow(http("a"), timeoutSeconds=30, **more)).begin()
    assert not run.timers


def test_a_time_out_of_its_own_is_told_with_the_status_of_the_whole() -> None:
    flow = workflow(task("a", "SIMPLE"), definitions={"a": {"timeoutSeconds": 10}})
    check(Row("told", flow, {"workflow.reason": Part("failed with status: TIMED_OUT and reason: "
          "'Task timed out after 10 seconds")}, HAD))  # fmt: skip


def test_an_answer_in_time_ends_the_waiting() -> None:
    row = timed("in time", {"a": "COMPLETED", "a.waits": []}, answered("a"), kind="HTTP",
                timeoutSeconds=10, responseTimeoutSeconds=10)  # fmt: skip
    check(row)

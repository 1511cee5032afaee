"""That no input, answer or script result, however odd, is more than a task's failure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from services.executor.core.http import HttpAnswer, HttpFailure, HttpOutcome
from services.executor.core.model import Json
from services.executor.kinds import KINDS
from tests.executor.core.simulator import MOMENT, Simulator, task, workflow

NAMES = (
    "http_request", "uri", "method", "headers", "body", "accept", "contentType", "encode",
    "acceptedStatusCodes", "connectionTimeOut", "readTimeOut", "terminationCondition",
    "pollingInterval", "pollingStrategy", "maxPollCount", "maxPollInterval", "maxDuration",
    "tolerateErrors", "asyncComplete", "onInterrupted", "callbackTimeoutSeconds", "expression",
    "evaluatorType", "terminationStatus", "terminationReason", "workflowOutput", "duration",
    "until", "forkTaskInputs", "forkTaskName", "forkTaskType", "forkTaskWorkflow", "startWorkflow",
    "_items", "keepLastN", "maxIterations", "scriptExpression", "name", "version", "input",
)  # fmt: skip
TEXTS = st.sampled_from(
    ("http://x", "GET", "POST", "javascript", "value-param", "expression", "COMPLETED", "1", "0.5",
     "nan", "9" * 400, "true", "1s", "2027-01-31 10:00 CET", "\ud800", "4xx", "FAIL", "",
     " " * 10_000 + "x", "1 h" + " " * 150 + "x", "2027-01-31 10:00 America",
     "2027-01-31 10:00 Etc/", "2027-01-31 10:00 " + "A" * 300, "2027-01-31 10:00 ../zoneinfo")
)  # fmt: skip
NUMBERS = st.sampled_from((0, 1, -1, 3, 0.5, 10**400, 1e308, -1e-300, 600))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
GIVEN: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {}, optional={"uri": st.just("http://x"), "method": st.sampled_from(("GET", "POST")),
                  "terminationCondition": st.sampled_from(("$.output", "1", "0")),
                  "duration": TEXTS, "until": TEXTS}
)  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(("retry-after", "x")), st.lists(st.text(max_size=9), min_size=1), max_size=2
)
OUTCOMES: st.SearchStrategy[HttpOutcome] = st.builds(
    HttpAnswer, st.integers(100, 599), st.text(max_size=3), HEADERS, VALUES, st.just(MOMENT)
) | st.builds(HttpFailure, st.just("No."), st.booleans(), st.booleans(), st.just(MOMENT))


def waits_for_something(run: Simulator, ref: str) -> bool:
    """Whether the open task has a call under way, a timer, or waits for a word."""
    row = run.task(ref)
    if row.pending or any(key.task_id == row.id for key in run.timers):
        return True
    if row.kind in ("HUMAN", "SUB_WORKFLOW") or row.queue:
        return True
    given = row.input if isinstance(row.input, dict) else {}
    return row.kind == "WAIT" and all(
        given.get(each) in (None, "") for each in ("duration", "until")
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(FIELDS, GIVEN, st.lists(OUTCOMES, max_size=3), VALUES)
def test_odd_values_are_never_more_than_a_failure(
    kind: str, fields: dict[str, Json], given: dict[str, Json], outcomes: list[HttpOutcome],
    result: Json,
) -> None:  # fmt: skip
    inputs: Json = {name: f"${{workflow.input.{name}}}" for name in {**fields, **given}}
    more: dict[str, Json] = {}
    if kind == "SWITCH":
        more = {"evaluatorType": "value-param", "expression": "body",
                "decisionCases": {"1": [task("b", "NOOP")]}}  # fmt: skip
    elif kind == "EVENT":
        more = {"sink": "${workflow.input.expression}"}
    elif kind == "DYNAMIC":
        more = {"dynamicTaskNameParam": "expression"}
    elif kind == "DO_WHILE":
        more = {"loopOver": [task("b", "NOOP")], "loopCondition": "false"}
    flow = workflow(task("a", kind, inputs, **more))
    run = Simulator(flow, {**fields, **given}, judge=lambda source, scope: result).begin()
    for outcome in (None, *outcomes):
        if outcome is not None and run.task("a").pending:
            run.answers("a", outcome)
        if outcome is not None and run.timers and not run.status.final:
            run.fires()
        run.crash()

        # A fork of its input may have made tasks for workers.
        left = [ref for ref, row in run.execution.tasks.items() if not row.status.final]
        assert run.status.final == (not left)
        assert run.status.final or all(waits_for_something(run, ref) for ref in left)

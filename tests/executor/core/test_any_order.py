"""Random workflows: events in any order, doubled, with crashes after any commit: one outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from hypothesis import HealthCheck, given, settings, strategies as st

from services.executor.core.http import HttpOutcome
from services.executor.core.identity import fraction
from services.executor.core.model import (
    Event,
    Json,
    Paused,
    Performed,
    Refused,
    Resumed,
    Task,
    TimerFired,
)
from services.executor.core.workflow import Workflow
from tests.executor.core.simulator import Simulator, answer, failure, http, task, workflow
from tests.executor.core.test_later_kinds import MORE, forked

# What the world says depends on what it is asked, never on when: so an outcome can be compared.
OUTCOMES: tuple[HttpOutcome, ...] = (
    answer({"n": 1, "done": True}),
    answer({"n": 2, "done": False}, 202),
    answer({"n": 0, "done": True}, 200, retry_after="3"),
    answer({"error": "busy"}, 503, retry_after="120"),
    answer({"error": "no"}, 404),
    failure("Refused.", unknown=False),
    failure("Timed out."),
)


def judged(source: str, scope: Mapping[str, Json]) -> Json:
    """The few scripts that these workflows hold."""
    if source == "throws":
        raise ArithmeticError("it throws")
    if source == "parity":
        return len(json.dumps(dict(scope), sort_keys=True)) % 2
    output = scope.get("output")
    body = output.get("body") if isinstance(output, dict) else None
    return body.get("done") if isinstance(body, dict) else "nothing"


@st.composite
def flows(draw: st.DrawFn) -> Workflow:
    numbers = count()
    definitions: Json = {"policed": draw(policies())}
    block = draw(blocks(numbers, depth=2))
    more: dict[str, Json] = {}
    if draw(st.booleans()):
        more = {"timeoutSeconds": 60, "timeoutPolicy": "TIME_OUT_WF"}
    if draw(st.booleans()):
        more["outputParameters"] = {"first": "${t0.output}", "all": "${workflow.variables}"}
    return workflow(*block, definitions=definitions, failureWorkflow="mend", **more)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Json]:
    logics = ("FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF")
    return {
        "retryCount": draw(st.integers(0, 2)),
        "retryLogic": draw(st.sampled_from(logics)),
        "retryDelaySeconds": draw(st.integers(0, 9)),
        "backoffJitterMs": draw(st.sampled_from((0, 500))),
        "timeoutSeconds": draw(st.sampled_from((0, 40))),
        "timeoutPolicy": draw(st.sampled_from(("RETRY", "TIME_OUT_WF", "ALERT_ONLY"))),
        "responseTimeoutSeconds": 40,
        "totalTimeoutSeconds": draw(st.sampled_from((0, 100))),
    }


@st.composite
def blocks(draw: st.DrawFn, numbers: count[int], depth: int) -> list[dict[str, Json]]:
    return [draw(steps(numbers, depth)) for _ in range(draw(st.integers(1, 3)))]


@st.composite
def steps(draw: st.DrawFn, numbers: count[int], depth: int) -> dict[str, Json]:
    ref = f"t{next(numbers)}"
    kind = draw(st.sampled_from(KINDS if depth else KINDS[1:]))
    step = _step(draw, ref, kind, numbers, depth)
    step["optional"] = kind != "TERMINATE" and draw(st.booleans())
    if draw(st.booleans()):
        step["name"] = "policed"
    if draw(st.integers(0, 5)) == 0:
        step["startDelay"] = 5
    return step


KINDS = ("SWITCH", "HTTP", "ASYNC", "HTTP_POLL", "INLINE", "SET_VARIABLE", "WAIT", "NOOP",
         "TERMINATE")  # fmt: skip


def _step(draw: st.DrawFn, ref: str, kind: str, numbers: count[int], depth: int) -> dict[str, Json]:
    match kind:
        case "SWITCH":
            cases: Json = {
                key: list[Json](draw(blocks(numbers, depth - 1)))
                for key in draw(st.sets(st.sampled_from("01"), min_size=1))
            }
            evaluator = draw(st.sampled_from(("value-param", "javascript")))
            source = "x" if evaluator == "value-param" else "parity"
            default = list[Json](draw(blocks(numbers, 0))) if draw(st.booleans()) else []
            return task(ref, kind, {"x": "${t0.output.body.n}"}, evaluatorType=evaluator,
                        expression=source, decisionCases=cases, defaultCase=default)  # fmt: skip
        case "ASYNC":
            return http(ref, {"body": "${task.callbackUrl}"}, asyncComplete=True)
        case "HTTP":
            return http(
                ref, {"body": {"before": "${t0.output.body}", "v": "${workflow.variables}"}}
            )
        case "HTTP_POLL":
            inputs: Json = {"uri": "http://x", "pollingInterval": draw(st.integers(1, 9)),
                            "pollingStrategy": draw(st.sampled_from(("FIXED", "LINEAR_BACKOFF"))),
                            "maxPollCount": 4, "tolerateErrors": draw(st.integers(0, 2)),
                            "terminationCondition": draw(CONDITIONS)}  # fmt: skip
            return task(ref, kind, inputs)
        case "INLINE":
            return task(ref, kind, {"expression": draw(st.sampled_from(("parity", "throws"))),
                                    "x": "${t0.output}"})  # fmt: skip
        case "SET_VARIABLE":
            return task(ref, kind, {"count": "${t0.output.body.n}", ref: 1})
        case "WAIT":
            return task(ref, kind, {"duration": draw(st.sampled_from(("7s", "x")))})
        case "TERMINATE":
            status = draw(st.sampled_from(("COMPLETED", "FAILED")))
            return task(ref, kind, {"terminationStatus": status})
    return task(ref, kind)


CONDITIONS = st.sampled_from(("$.output.body.done", "true", "throws"))


@dataclass
class World:
    """Runs an execution to its end; what it does besides must make no difference.

    Attributes:
        choices: Numbers that choose what happens besides; used up, nothing does.
        seed: Chooses what the world answers.
    """

    flow: Workflow
    seed: int
    choices: list[int] = field(default_factory=list)
    past: list[Event] = field(default_factory=list)

    def outcome(self) -> dict[str, Json]:
        run = Simulator(self.flow, {"order": 1}, judge=judged)
        run.begin()
        for _ in range(2_000):
            if run.status.final:
                return _outcome(run)
            self._disturb(run)
            if not run.status.final:
                self._go_on(run)
        raise AssertionError("it never ends")

    def _disturb(self, run: Simulator) -> None:
        match self.choices.pop() if self.choices else 0:
            case 1:
                run.crash()
            case 2 if self.past:
                before = run.execution
                assert run.happens(self.past[-1]).execution == before
            case 3 if self.past:
                self._again(run, self.past[len(self.past) // 2])
            # A resume sets the clock of the whole back: there it makes a difference.
            case 4 if self.flow.timeout is None:
                run.happens(Paused())
                run.crash()
                if run.performs:
                    self._perform(run)
                run.happens(Resumed())

    def _again(self, run: Simulator, event: Event) -> None:
        before = run.execution
        try:
            assert run.happens(event).execution == before
        except Refused:
            assert run.execution is before

    def _go_on(self, run: Simulator) -> None:
        """The world's next step: an answer, else a word that is awaited, else time."""
        awaited = [row for row in run.execution.tasks.values() if _is_awaited(row)]
        if run.performs:
            self._perform(run)
        elif awaited:
            ref = min(row.ref for row in awaited)
            status = "COMPLETED" if self._chance(run.task(ref)) < 0.7 else "FAILED"
            run.says(ref, status, {"word": ref})
        elif run.timers:
            key = run.fires()
            self.past.append(TimerFired(key))

    def _perform(self, run: Simulator) -> None:
        task_id = min(run.performs)
        perform = run.performs.pop(task_id)
        chance = self._chance(run.rows[task_id])
        event = Performed(task_id, perform.number, OUTCOMES[int(chance * len(OUTCOMES) * 0.999)])
        run.happens(event)
        self.past.append(event)

    def _chance(self, row: Task) -> float:
        return fraction(self.seed, row.ref, row.attempt, row.poll_count)


def _is_awaited(row: Task) -> bool:
    return row.kind == "HTTP" and row.status == "IN_PROGRESS" and not row.pending


def _outcome(run: Simulator) -> dict[str, Json]:
    assert not run.timers
    assert all(row.status.final for row in run.rows.values())
    return {
        "status": run.status.value,
        "output": run.execution.output,
        "reason": run.execution.reason,
        "variables": dict(run.execution.variables),
        "rows": [
            [row.id, row.status.value, row.reason, row.output, row.input, row.poll_count,
             row.generation]
            for row in sorted(run.rows.values(), key=lambda row: row.sequence)
        ],
        "told": [[start.id, start.workflow] for start in run.started],
    }  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flows(), st.integers(0, 1 << 20), st.lists(st.integers(1, 4), max_size=30))
def test_the_outcome_is_the_same_whatever_happens_besides(
    flow: Workflow, seed: int, choices: list[int]
) -> None:
    assert World(flow, seed, choices).outcome() == World(flow, seed).outcome()


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_branches_may_end_in_any_order(order: list[int], crashes: list[bool]) -> None:
    run = Simulator(workflow(*forked(6)), kinds=MORE).begin()
    for step, ref in enumerate([f"{half}{branch}" for half in "ab" for branch in order]):
        perform = run.performs.pop(run.task(ref).id)
        event = Performed(perform.task_id, perform.number, answer({"ref": ref}))
        run.happens(event)
        if crashes[step]:
            run.crash()
        after = run.execution
        assert run.happens(event).execution == after

    assert run.status == "COMPLETED"
    output = run.task("join").output
    assert isinstance(output, dict)
    assert output == {f"b{branch}": run.task(f"b{branch}").output for branch in range(6)}
    assert len(run.rows) == 15

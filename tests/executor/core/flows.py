"""Workflows drawn at random, and the few scripts that they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count

from hypothesis import strategies as st

from services.executor.core.model import Json
from services.executor.core.workflow import Workflow
from tests.executor.core.simulator import http, task, workflow


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
        "responseTimeoutSeconds": draw(st.sampled_from((20, 40))),
        "totalTimeoutSeconds": draw(st.sampled_from((0, 100))),
        "pollTimeoutSeconds": draw(st.sampled_from((0, 30))),
        "concurrentExecLimit": draw(st.sampled_from((0, 1))),
    }


@st.composite
def blocks(draw: st.DrawFn, numbers: count[int], depth: int) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = []
    for _ in range(draw(st.integers(1, 3))):
        step = draw(steps(numbers, depth))
        found.append(step)
        if step["type"] == "FORK_JOIN":
            found.append(draw(joins(numbers, step)))
        elif step["type"] == "FORK_JOIN_DYNAMIC":
            found.append(task(f"t{next(numbers)}", "JOIN"))
    return found


@st.composite
def joins(draw: st.DrawFn, numbers: count[int], fork: Mapping[str, Json]) -> dict[str, Json]:
    """A JOIN on some of the tasks in the branches of ``fork``."""
    ends = [str(ref) for ref in (_last_ref(branch) for branch in fork["forkTasks"])]  # type: ignore[union-attr]
    joined: Json = list[Json](draw(st.lists(st.sampled_from(ends), unique=True)))
    return task(f"t{next(numbers)}", "JOIN", joinOn=joined)


def _last_ref(branch: Json) -> Json:
    assert isinstance(branch, list)
    last = branch[-1]
    assert isinstance(last, dict)
    return last["taskReferenceName"]


@st.composite
def steps(draw: st.DrawFn, numbers: count[int], depth: int) -> dict[str, Json]:
    ref = f"t{next(numbers)}"
    kind = draw(st.sampled_from(KINDS if depth else KINDS[4:]))
    step = _step(draw, ref, kind, numbers, depth)
    if kind != "TERMINATE":
        step |= draw(st.sampled_from(({}, {"optional": True}, {"permissive": True})))
    if draw(st.booleans()):
        step["name"] = "policed"
    if draw(st.integers(0, 5)) == 0:
        step["startDelay"] = 5
    return step


KINDS = ("SWITCH", "FORK_JOIN", "DO_WHILE", "FORK_JOIN_DYNAMIC", "HTTP", "DYNAMIC", "ASYNC",
         "HTTP_POLL", "INLINE", "JSON_JQ_TRANSFORM", "SET_VARIABLE", "WAIT", "NOOP", "EVENT",
         "SIMPLE", "TERMINATE")  # fmt: skip


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
        case "FORK_JOIN":
            branches: Json = [
                list[Json](draw(blocks(numbers, depth - 1))) for _ in range(draw(st.integers(1, 3)))
            ]
            return task(ref, kind, forkTasks=branches)
        case "FORK_JOIN_DYNAMIC":
            made = (draw(steps(numbers, depth - 1)) for _ in range(draw(st.integers(0, 3))))
            # Its JOIN would be no branch of it.
            listed: Json = [each for each in made if not str(each["type"]).startswith("FORK")]
            return task(ref, kind, {"tasks": listed, "inputs": {}},
                        dynamicForkTasksParam="tasks",
                        dynamicForkTasksInputParamName="inputs")  # fmt: skip
        case "DYNAMIC":
            call: Json = {"which": draw(st.sampled_from(("HTTP", "SIMPLE", "gone"))),
                          "uri": "http://x", "method": "POST", "n": "${t0.output}"}  # fmt: skip
            return task(ref, kind, call, dynamicTaskNameParam="which")
        case "DO_WHILE":
            return _loop(draw, ref, numbers, depth)
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
        case "EVENT":
            return task(ref, kind, {"n": "${t0.output.body.n}"}, sink="conductor")
        case "INLINE":
            return task(ref, kind, {"expression": draw(st.sampled_from(("parity", "throws"))),
                                    "x": "${t0.output}"})  # fmt: skip
        case "JSON_JQ_TRANSFORM":
            # Held against schemas: one that its input and output keep to, or that one breaks.
            wanted = draw(st.sampled_from(("queryExpression", "result", "missing")))
            schema: Json = {"data": {"anyOf": [{"required": ["queryExpression"]},
                                               {"required": [wanted]}]}}  # fmt: skip
            return task(ref, kind, {"queryExpression": draw(st.sampled_from(("parity", "throws")))},
                        taskDefinition={"enforceSchema": True, "retryCount": 1,
                                        "retryDelaySeconds": 1, "inputSchema": schema,
                                        "outputSchema": schema})  # fmt: skip
        case "SET_VARIABLE":
            return task(ref, kind, {"count": "${t0.output.body.n}", ref: 1})
        case "WAIT":
            return task(ref, kind, {"duration": draw(st.sampled_from(("7s", "x")))})
        case "TERMINATE":
            status = draw(st.sampled_from(("COMPLETED", "FAILED")))
            return task(ref, kind, {"terminationStatus": status})
    return task(ref, kind)


def _loop(draw: st.DrawFn, ref: str, numbers: count[int], depth: int) -> dict[str, Json]:
    more: dict[str, Json] = {}
    if draw(st.booleans()):
        lists: list[list[Json]] = [[], ["a"], ["a", "b"]]
        more["items"] = draw(st.sampled_from(lists))
    if not more or draw(st.booleans()):
        conditions: list[Json] = [f"$.{ref}.iteration < 2", "parity", "throws"]
        more["loopCondition"] = draw(st.sampled_from(conditions))
        more["maxIterations"] = 3
    if draw(st.booleans()):
        more["keepLastN"] = draw(st.integers(1, 2))
    body: Json = list[Json](draw(blocks(numbers, depth - 1)))
    return task(ref, "DO_WHILE", {"x": "${t0.output.body.n}"}, loopOver=body, **more)


CONDITIONS = st.sampled_from(("$.output.body.done", "true", "throws"))

"""Workflows drawn at random from a seed: nested, one starting another."""

from __future__ import annotations

from itertools import count
from random import Random

from services.executor.core.model import Json

Step = dict[str, Json]

WORKFLOWS = ("root", "middle", "leaf")
"""Each may start those behind it, and none before it."""

_DEPTH = 2


def definitions(random: Random) -> list[Step]:
    """Documents of all workflows and of the task definitions that they use."""
    found: list[Step] = [
        {"kind": "task", "name": name, **policy(random)} for name in ("careful", "hasty")
    ]
    for number, name in enumerate(WORKFLOWS):
        drawing = Drawing(random, WORKFLOWS[number + 1 :])
        document: Step = {"kind": "workflow", "name": name, "version": 1}
        document["tasks"] = list[Json](drawing.block(_DEPTH))
        if random.random() < 0.3:
            document |= {"timeoutSeconds": 400, "timeoutPolicy": "TIME_OUT_WF"}
        if name != WORKFLOWS[-1] and random.random() < 0.3:
            document["failureWorkflow"] = WORKFLOWS[-1]
        found.append(document)
    return found


def policy(random: Random) -> Step:
    return {
        "retryCount": random.choice((0, 1, 2)),
        "retryLogic": random.choice(("FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF")),
        "retryDelaySeconds": random.choice((0, 1, 5)),
        "backoffJitterMs": random.choice((0, 300)),
        "timeoutSeconds": random.choice((0, 60)),
        "timeoutPolicy": random.choice(("RETRY", "TIME_OUT_WF", "ALERT_ONLY")),
        "responseTimeoutSeconds": 30,
    }


class Drawing:
    """One workflow while it is drawn.

    Attributes:
        small: Types of the tasks that hold no others, by how often they are drawn.
        others: The workflows that it may start.
    """

    small: tuple[str, ...] = ("HTTP", "HTTP", "HTTP_POLL", "INLINE", "SET_VARIABLE", "WAIT",
                              "HUMAN", "NOOP", "DYNAMIC", "TERMINATE")  # fmt: skip

    def __init__(self, random: Random, others: tuple[str, ...]) -> None:
        self.random = random
        self.others = others
        self._numbers = count()

    def block(self, depth: int) -> list[Step]:
        steps: list[Step] = []
        for _ in range(self.random.choice((1, 1, 2, 2, 3))):
            steps.extend(self._some(depth))
        return steps

    def _some(self, depth: int) -> list[Step]:
        """A step, or a fork with its join."""
        names = [*self.small, *(("SUB_WORKFLOW", "START_WORKFLOW") if self.others else ())]
        if depth:
            names += ["SWITCH", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "DO_WHILE", "FORK_JOIN"]
        kind = self.random.choice(names)
        ref = f"t{next(self._numbers)}"
        step: Step = {"name": ref, "taskReferenceName": ref, "type": kind}
        step |= getattr(self, f"_{kind.lower()}")(ref, depth)
        if kind != "TERMINATE":
            step |= self.random.choice(({}, {}, {"optional": True}, {"permissive": True}))
        if self.random.random() < 0.4:
            self.named(step, self.random.choice(("careful", "hasty")))
        if self.random.random() < 0.15:
            step["startDelay"] = self.random.choice((1, 5))
        self.dressed(step)
        if kind in ("FORK_JOIN", "FORK_JOIN_DYNAMIC"):
            return [step, self._join(step)]
        return [step]

    def named(self, step: Step, name: str) -> None:
        """Have ``step`` be one of that task definition."""
        step["name"] = name

    def dressed(self, step: Step) -> None:
        """What else a step may have."""

    def _join(self, fork: Step) -> Step:
        ref = f"t{next(self._numbers)}"
        branches = fork.get("forkTasks")
        ends = [branch[-1] for branch in branches if branch] if isinstance(branches, list) else []  # type: ignore[index]
        refs: list[Json] = [str(end["taskReferenceName"]) for end in ends]  # type: ignore[call-overload,index]
        joined = self.random.sample(refs, self.random.randint(0, len(refs)))
        return {"name": ref, "taskReferenceName": ref, "type": "JOIN", "joinOn": joined}

    def _http(self, ref: str, depth: int) -> Step:
        request: Step = {"uri": f"http://upstream/{ref}", "method": "POST",
                         "body": {"n": "${workflow.input.n}"}}  # fmt: skip
        if self.random.random() < 0.25:
            request["body"] = "${task.callbackUrl}"
            return {"inputParameters": {"http_request": request}, "asyncComplete": True}
        return {"inputParameters": {"http_request": request}}

    def _http_poll(self, ref: str, depth: int) -> Step:
        return {"inputParameters": {
            "uri": f"http://upstream/{ref}", "method": "GET", "pollingInterval": 2,
            "maxPollCount": 4, "tolerateErrors": self.random.choice((0, 2)),
            "pollingStrategy": self.random.choice(("FIXED", "LINEAR_BACKOFF")),
            "terminationCondition": self.random.choice(("$.output.body.done", "true")),
        }}  # fmt: skip

    def _inline(self, ref: str, depth: int) -> Step:
        return {"inputParameters": {
            "expression": self.random.choice(("parity", "parity", "throws")),
            "x": "${workflow.input.n}",
        }}  # fmt: skip

    def _set_variable(self, ref: str, depth: int) -> Step:
        return {"inputParameters": {ref: "${workflow.input.n}"}}

    def _wait(self, ref: str, depth: int) -> Step:
        return {"inputParameters": {"duration": self.random.choice(("3s", "20s"))}}

    def _human(self, ref: str, depth: int) -> Step:
        return {"inputParameters": {"question": ref}}

    def _noop(self, ref: str, depth: int) -> Step:
        return {}

    def _terminate(self, ref: str, depth: int) -> Step:
        status = self.random.choice(("COMPLETED", "FAILED"))
        return {"inputParameters": {"terminationStatus": status}}

    def _dynamic(self, ref: str, depth: int) -> Step:
        name = self.random.choice(("NOOP", "HTTP", "nobody"))
        return {"inputParameters": {"which": name, "uri": f"http://upstream/{ref}",
                                    "method": "POST"},
                "dynamicTaskNameParam": "which"}  # fmt: skip

    def _switch(self, ref: str, depth: int) -> Step:
        cases: Step = {key: list[Json](self.block(depth - 1)) for key in ("0", "1")}
        default: list[Json] = [*self.block(0)] if self.random.random() < 0.5 else []
        return {"inputParameters": {"x": "${workflow.input.n}"}, "evaluatorType": "value-param",
                "expression": "x", "decisionCases": cases, "defaultCase": default}  # fmt: skip

    def _fork_join(self, ref: str, depth: int) -> Step:
        number = self.random.choice((1, 2, 3))
        return {"forkTasks": [list[Json](self.block(depth - 1)) for _ in range(number)]}

    def _fork_join_dynamic(self, ref: str, depth: int) -> Step:
        kind = self.random.choice(("HTTP", "NOOP", "WORKFLOW"))
        items: list[Json] = [
            {"uri": f"http://upstream/{ref}.{number}", "method": "POST"}
            for number in range(self.random.choice((0, 2, 3)))
        ]
        if kind == "WORKFLOW" and self.others:
            workflow = self.random.choice(self.others)
            return {"inputParameters": {"forkTaskInputs": items, "forkTaskWorkflow": workflow}}
        task: Step = {
            "forkTaskName": f"{ref}x",
            "forkTaskType": "NOOP" if kind == "NOOP" else "HTTP",
        }
        return {"inputParameters": {"forkTaskInputs": items, **task}}

    def _do_while(self, ref: str, depth: int) -> Step:
        more: Step = {}
        if self.random.random() < 0.5:
            lists: list[list[Json]] = [[], ["a"], ["a", "b"]]
            more["items"] = self.random.choice(lists)
        else:
            more["loopCondition"] = f"$.{ref}.iteration < 2"
        if self.random.random() < 0.5:
            more["keepLastN"] = 1
        return {"loopOver": list[Json](self.block(depth - 1)), **more}

    def _sub_workflow(self, ref: str, depth: int) -> Step:
        name = self.random.choice(self.others)
        return {"subWorkflowParam": {"name": name},
                "inputParameters": {"n": self.random.choice((0, 1, 2))}}  # fmt: skip

    def _start_workflow(self, ref: str, depth: int) -> Step:
        name = self.random.choice(self.others)
        return {"inputParameters": {"startWorkflow": {"name": name, "input": {"n": 1}}}}

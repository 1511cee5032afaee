"""Workflows with all that goes on beside executions: workers, events, webhooks, keys, limits."""

from __future__ import annotations

import json
from random import Random

from services.executor.core.model import Json
from tests.simulation.workflows import WORKFLOWS, Drawing, Step, policy

WEBHOOK = "orders"
# Types of tasks that workers do: two by their names, one of its own.
WORKED = ("charge", "ship", "PACK")

_BY_WORKERS = ("SIMPLE", "PACK")
_CACHED = ("HTTP", "INLINE", "SIMPLE", "PACK")


def wider_definitions(random: Random, *, loose: bool) -> list[Step]:
    """As :func:`workflows.definitions`.

    Args:
        loose: With what may come otherwise after a crash: how often something begins in a time.
    """
    found: list[Step] = [
        {"kind": "task", "name": name, **policy(random)} for name in ("careful", "hasty")
    ]
    found += [_worked(random, name, loose=loose) for name in (*WORKED[:2], "narrow")]
    found.append({"kind": "task", "name": "strict", **policy(random), **_schemas(random)})
    handlers: list[Step] = []
    for number, name in enumerate(WORKFLOWS):
        drawing = WideDrawing(random, WORKFLOWS[number + 1 :])
        document: Step = {"kind": "workflow", "name": name, "version": 1}
        document["tasks"] = list[Json](drawing.block(2))
        if random.random() < 0.2:
            document |= {"timeoutSeconds": 400, "timeoutPolicy": "TIME_OUT_WF"}
        if name != WORKFLOWS[-1]:
            if random.random() < 0.3:
                document["failureWorkflow"] = WORKFLOWS[-1]
        elif random.random() < 0.3:
            document["rateLimitConfig"] = {"concurrentExecutionLimit": 1, "rateLimitKey": "one"}
        handlers += drawing.handlers(name)
        found.append(document)
    # Else each request would start one that waits for a request.
    asks = any("WAIT_FOR_WEBHOOK" in json.dumps(each["tasks"]) for each in found[-1:])
    found.append(_on_webhook(active=not asks and random.random() < 0.5))
    return [*found, *handlers]


def _worked(random: Random, name: str, *, loose: bool) -> Step:
    limits: Step = {"concurrentExecLimit": 1} if random.random() < 0.4 or name == "narrow" else {}
    rate: Step = {"rateLimitPerFrequency": 1, "rateLimitFrequencyInSeconds": 10}
    if random.random() < 0.3 and loose:
        limits |= rate
    waits: Step = {"pollTimeoutSeconds": random.choice((0, 0, 90))}
    return {"kind": "task", "name": name, **policy(random), **limits, **waits}


def _schemas(random: Random) -> Step:
    """Some inputs and outputs keep to them, and some do not."""
    wanted = random.choice(("n", "response", "result", "missing"))
    kept: Step = {"data": {"type": "object"}}
    held: Step = {"data": {"type": "object", "required": [wanted]}}
    first, last = random.choice(((kept, held), (held, kept), (kept, kept)))
    return {"enforceSchema": True, "inputSchema": first, "outputSchema": last}


def _on_webhook(*, active: bool) -> Step:
    start: Step = {"action": "start_workflow",
                   "start_workflow": {"name": WORKFLOWS[-1], "input": {"n": "${n}"}}}  # fmt: skip
    return {"kind": "event", "name": "on-orders", "event": f"webhook:{WEBHOOK}",
            "active": active, "actions": [start]}  # fmt: skip


class WideDrawing(Drawing):
    """One workflow while it is drawn, with the handlers of its events."""

    small = (*Drawing.small, "SIMPLE", "SIMPLE", "SIMPLE", "PACK", "EVENT", "WAIT_FOR_WEBHOOK")

    def __init__(self, random: Random, others: tuple[str, ...]) -> None:
        super().__init__(random, others)
        # Those that handlers may end.
        self._waiting: list[str] = []
        self._events: list[str] = []

    def named(self, step: Step, name: str) -> None:
        if step["type"] not in _BY_WORKERS:
            step["name"] = self.random.choice((name, "narrow", "strict"))
        # One that holds others of the same name would wait for itself.
        if step["name"] == "narrow" and step["type"] not in self.small:
            step["name"] = name

    def dressed(self, step: Step) -> None:
        if step["type"] in _CACHED and self.random.random() < 0.2:
            step["cacheConfig"] = {"key": "${n}", "ttlInSecond": 10_000_000}
        if step["type"] in ("HUMAN", "WAIT", "EVENT"):
            self._waiting.append(str(step["taskReferenceName"]))

    def handlers(self, workflow: str) -> list[Step]:
        """What is done on the events of its tasks."""
        return [
            self._handler(f"{workflow}-{name}-{number}", f"conductor:{workflow}:{name}")
            for name in dict.fromkeys(self._events)
            for number in range(self.random.choice((0, 1, 1, 2)))
        ]

    def _handler(self, name: str, event: str) -> Step:
        actions: list[Json] = [self._action() for _ in range(self.random.choice((1, 1, 2)))]
        handler: Step = {"kind": "event", "name": name, "event": event, "active": True}
        if self.random.random() < 0.3:
            handler["condition"] = self.random.choice(("parity", "throws"))
        return {**handler, "actions": actions}

    def _action(self) -> Step:
        if self.others and self.random.random() < 0.4:
            start: Step = {"name": self.random.choice(self.others), "input": {"n": "${n}"}}
            return {"action": "start_workflow", "start_workflow": start}
        name = self.random.choice(("complete_task", "complete_task", "fail_task"))
        about: Step = {"workflowId": "${workflowInstanceId}",
                       "taskRefName": self.random.choice(self._waiting),
                       "output": {"told": "${n}"}}  # fmt: skip
        return {"action": name, name: about}

    def _simple(self, ref: str, depth: int) -> Step:
        name = self.random.choice(WORKED[:2])
        return {"name": name, "inputParameters": {"n": "${workflow.input.n}", "ref": ref}}

    def _pack(self, ref: str, depth: int) -> Step:
        return {"name": "careful", "inputParameters": {"n": "${workflow.input.n}"}}

    def _event(self, ref: str, depth: int) -> Step:
        named = self.random.choice((ref, "ping"))
        self._events.append(named)
        sink = "conductor" if named == ref else f"conductor:{named}"
        step: Step = {"sink": sink, "inputParameters": {"n": "${workflow.input.n}"}}
        if self.random.random() < 0.4:
            step["asyncComplete"] = True
        return step

    def _wait_for_webhook(self, ref: str, depth: int) -> Step:
        matches = self.random.choice(({"$.order": "${workflow.input.n}"}, {"$.order": ref}, {}))
        return {"inputParameters": {"webhook": WEBHOOK, "matches": dict[str, Json](matches)}}

    def _sub_workflow(self, ref: str, depth: int) -> Step:
        step = super()._sub_workflow(ref, depth)
        param = step["subWorkflowParam"]
        assert isinstance(param, dict)
        param.update(self._key())
        return step

    def _start_workflow(self, ref: str, depth: int) -> Step:
        step = super()._start_workflow(ref, depth)
        given = step["inputParameters"]
        assert isinstance(given, dict)
        request = given["startWorkflow"]
        assert isinstance(request, dict)
        request.update(self._key())
        return step

    def _key(self) -> Step:
        if self.random.random() < 0.7:
            return {}
        strategies = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")
        return {"idempotencyKey": self.random.choice(("a", "b")),
                "idempotencyStrategy": self.random.choice(strategies)}  # fmt: skip

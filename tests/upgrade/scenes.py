"""What is under way in a home of an earlier version: a workflow for each way to wait.

Each ends when the upstream says ``COMPLETED``, a callback comes, somebody completes the task that
is named here, or by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scene:
    """A workflow, and how its execution is brought to its end.

    Attributes:
        waits_at: The task that waits, when the suite is killed.
        complete: Tasks that somebody has to complete.
        more: Definitions that it needs besides.
    """

    name: str
    tasks: tuple[dict[str, Any], ...]
    waits_at: str
    complete: tuple[str, ...] = ()
    more: tuple[dict[str, Any], ...] = ()

    def documents(self) -> list[dict[str, Any]]:
        """All that is to be put for it."""
        done = _task("done", "SET_VARIABLE", ended=True)
        tasks = [*self.tasks, done] if self.name != "called" else list(self.tasks)
        workflow = {"name": self.name, "version": 1, "tasks": tasks,
                    "outputParameters": {"given": "${workflow.input.given}"}}  # fmt: skip
        return [*self.more, workflow]


def _task(ref: str, kind: str, **inputs: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": inputs}


def _poll(ref: str) -> dict[str, Any]:
    return _task(
        ref, "HTTP_POLL", uri="${workflow.input.upstream}/job", method="GET", pollingInterval=1,
        terminationCondition="$.output.body.status === 'COMPLETED'",
    )  # fmt: skip


def _called(ref: str) -> dict[str, Any]:
    body = {"callbackUrl": "${task.callbackUrl}"}
    task = _task(ref, "HTTP", uri="${workflow.input.upstream}/start", method="POST", body=body)
    return {**task, "asyncComplete": True}


_CHILD = {"name": "child", "version": 1, "tasks": [_task("wait", "HUMAN")]}
SCENES = (
    Scene("timer", (_task("wait", "WAIT", duration="1 minutes"),), "wait"),
    Scene("poll", (_poll("wait"),), "wait"),
    Scene("called", (_called("wait"),), "wait"),
    Scene("human", (_task("wait", "HUMAN"),), "wait", ("wait",)),
    Scene("work", (_task("wait", "SIMPLE"),), "wait", ("wait",)),
    Scene(
        "fork",
        (
            {
                **_task("fork", "FORK_JOIN"),
                "forkTasks": [
                    [_task("left", "HUMAN")],
                    [_task("right", "WAIT", duration="1 minutes")],
                ],
            },
            {**_task("join", "JOIN"), "joinOn": ["left", "right"]},
        ),
        "left",
        ("left",),
    ),
    Scene(
        "sub",
        ({**_task("wait", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "child", "version": 1}},),
        "wait",
        more=(_CHILD,),
    ),
    Scene(
        "loop",
        (
            {
                **_task("loop", "DO_WHILE"),
                "loopCondition": "$.loop['iteration'] < 2",
                "loopOver": [_task("each", "HUMAN")],
            },
        ),
        "each__1",
        ("each__1", "each__2"),
    ),
)
SCHEDULE: tuple[dict[str, Any], ...] = (
    {"name": "brief", "version": 1, "tasks": [_task("done", "SET_VARIABLE", ended=True)]},
    {
        "kind": "schedule",
        "name": "often",
        "cronExpression": "*/2 * * * * *",
        "startWorkflowRequest": {"name": "brief", "version": 1, "input": {}},
    },
)
GATEWAY: tuple[dict[str, Any], ...] = (
    {"name": "echo", "version": 1, "tasks": [_task("done", "SET_VARIABLE", ended=True)],
     "outputParameters": {"said": "${workflow.input.say}"}},
    {"kind": "application", "id": "shop",
     "permissions": [{"target": {"type": "workflow", "id": "echo"}, "access": ["EXECUTE"]}]},
    {"kind": "auth", "id": "shop", "authenticationType": "API_KEY", "applicationId": "shop"},
    {"kind": "service", "id": "shop", "name": "Shop", "path": "/shop", "authConfigId": "shop",
     "routes": [{"httpMethod": "POST", "path": "/echo", "mappedWorkflow": {"name": "echo"}}]},
    {"kind": "secret", "name": "password", "value": "hunter2"},
)  # fmt: skip

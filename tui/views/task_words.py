"""What tasks of each type take and give, for those who write workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ANSWER = (
    "output.response.body",
    "output.response.statusCode",
    "output.response.headers",
    "output.error",
)

# Beside ``output``, by task type.
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "HTTP": _ANSWER,
    "HTTP_POLL": (*_ANSWER, "pollCount"),
    "SWITCH": ("output.selectedCase", "output.evaluationResult"),
    "INLINE": ("output.result", "output.error"),
    "JSON_JQ_TRANSFORM": ("output.result", "output.error"),
    "LAMBDA": ("output.result", "output.error"),
    "DECISION": ("output.caseOutput",),
    "DO_WHILE": ("output.iteration", "output.loopIndex", "output.loopItem"),
    "SUB_WORKFLOW": ("output.subWorkflowId",),
    "START_WORKFLOW": ("output.workflowId",),
}
OF_A_TASK = ("output", "input", "status", "reasonForIncompletion", "retryCount", "taskId")
OF_THE_EXECUTION = (
    "input",
    "variables",
    "workflowId",
    "correlationId",
    "workflowType",
    "version",
    "status",
)
# What asks for the outside may name secrets, and where an answer is to go.
CALLING = frozenset(("HTTP", "HTTP_POLL"))

# The least that a task of each type takes, beside its name, reference and type.
SKELETONS: Mapping[str, Mapping[str, Any]] = {
    "HTTP": {"inputParameters": {"uri": "https://", "method": "GET"}},
    "HTTP_POLL": {
        "inputParameters": {
            "uri": "https://",
            "method": "GET",
            "terminationCondition": "$.output.body.status === 'done'",
            "pollingInterval": 5,
        }
    },
    "SWITCH": {
        "inputParameters": {"case": "${workflow.input.}"},
        "evaluatorType": "value-param",
        "expression": "case",
        "decisionCases": {"yes": []},
        "defaultCase": [],
    },
    "FORK_JOIN": {"forkTasks": [[], []]},
    "JOIN": {"joinOn": []},
    "FORK_JOIN_DYNAMIC": {
        "inputParameters": {
            "forkTaskInputs": "${workflow.input.}",
            "forkTaskName": "",
            "forkTaskType": "HTTP",
        }
    },
    "EXCLUSIVE_JOIN": {"joinOn": [], "defaultExclusiveJoinTask": []},
    "DO_WHILE": {"loopCondition": "$.loop.iteration < 3", "loopOver": []},
    "SUB_WORKFLOW": {"inputParameters": {}, "subWorkflowParam": {"name": ""}},
    "START_WORKFLOW": {"inputParameters": {"startWorkflow": {"name": "", "input": {}}}},
    "DYNAMIC": {"inputParameters": {"task": "${workflow.input.}"}, "dynamicTaskNameParam": "task"},
    "EVENT": {"sink": "conductor", "inputParameters": {}},
    "HUMAN": {"inputParameters": {}},
    "SIMPLE": {"inputParameters": {}},
    "DECISION": {
        "inputParameters": {"case": "${workflow.input.}"},
        "caseValueParam": "case",
        "decisionCases": {"yes": []},
        "defaultCase": [],
    },
    "JSON_JQ_TRANSFORM": {"inputParameters": {"queryExpression": ".value", "value": ""}},
    "LAMBDA": {"inputParameters": {"scriptExpression": "return $.value;", "value": ""}},
    "INLINE": {
        "inputParameters": {
            "evaluatorType": "javascript",
            "expression": "(function () { return $.value; })()",
            "value": "",
        }
    },
    "SET_VARIABLE": {"inputParameters": {"name": ""}},
    "TERMINATE": {"inputParameters": {"terminationStatus": "COMPLETED", "terminationReason": ""}},
    "WAIT": {"inputParameters": {"duration": "10 seconds"}},
    "WAIT_FOR_WEBHOOK": {"inputParameters": {"webhook": "", "matches": {}}},
    "NOOP": {},
}

"""Which RPCs are written into the audit log: every RPC of the suite is in one of these tables.

A new RPC that changes something is a row of ``CHANGES``; one that only tells is a name in
``READS``. ``UNTOLD`` are those that change something and are not written down, each with its
reason; whoever is refused one of them is in the log as with all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """An RPC that changes something.

    Attributes:
        action: What it is, in a word.
        kind: Of what it changes; ``=field``: the request's field says it.
        name: The field of the request that names that.
        dry: The field by which the request changes nothing.
        of_work: Workers do it all the time: of those who may only work it is not written down.
        does: The field of the request that says what is done.
        many: The field that names those that it is done to; ``query`` may say it, too.
    """

    action: str
    kind: str = ""
    name: str = ""
    dry: str = ""
    of_work: bool = False
    does: str = ""
    many: str = ""

    def word(self, request: Any) -> str:
        """What ``request`` does, as the same done to one is called."""
        if not self.does:
            return self.action
        kinds = request.DESCRIPTOR.fields_by_name[self.does].enum_type.values_by_number
        value = getattr(request, self.does)
        # Of an enum that has 0 for none.
        if not value or value not in kinds:
            return self.action
        word = str(kinds[value].name).removeprefix(f"{self.does.upper()}_").lower()
        return _SHORTER.get(word, word.replace("_", "-"))

    def subject(self, request: Any) -> tuple[str, str]:
        """Kind and name of what ``request`` is about, as far as it says."""
        kind = getattr(request, self.kind[1:], "") if self.kind.startswith("=") else self.kind
        if self.many and len(names := getattr(request, self.many)) == 1:
            return str(kind), str(names[0])
        return str(kind), str(getattr(request, self.name, "")) if self.name else ""

    def only_tries(self, request: Any) -> bool:
        """Whether ``request`` changes nothing."""
        return bool(self.dry) and bool(getattr(request, self.dry, False))


# Called as the operation on one is, where the words differ.
_SHORTER = {"skip_task": "skip", "update_variables": "set-variables"}


def _of_execution(action: str, **more: Any) -> Change:
    return Change(action, "execution", "execution_id", **more)


_REGISTRY = {
    "PutDefinitions": Change("put", dry="dry_run"),
    "RollbackDefinition": Change("rollback", "=kind", "name", dry="dry_run"),
    "DeleteDefinition": Change("delete", "=kind", "name"),
    "CreateApiKey": Change("create-key", "auth", "auth_id"),
    "RollApiKey": Change("roll-key", "auth", "auth_id"),
    "RevokeApiKey": Change("revoke-key", "auth", "auth_id"),
    "CreateAccessKey": Change("create-key", "application", "application_id"),
    "RollAccessKey": Change("roll-key", "access-key", "key_id"),
    "RevokeAccessKey": Change("revoke-key", "access-key", "key_id"),
    "RotateSigningKeys": Change("rotate-signing-key"),
}

_EXECUTOR = {
    "PauseExecution": _of_execution("pause"),
    "ResumeExecution": _of_execution("resume"),
    "TerminateExecution": _of_execution("terminate"),
    "RestartExecution": _of_execution("restart"),
    "RetryExecution": _of_execution("retry"),
    "RerunExecution": _of_execution("rerun"),
    "SkipTask": _of_execution("skip"),
    "SignalExecution": _of_execution("signal", of_work=True),
    "UpdateVariables": _of_execution("set-variables"),
    "ResetCallbacks": _of_execution("reset-callbacks"),
    "DecideExecution": _of_execution("decide"),
    "DeleteExecution": _of_execution("delete"),
    "OperateExecutions": Change(
        "operate", "execution", dry="dry_run", does="operation", many="execution_ids"
    ),
    "UpdateTask": _of_execution("update-task", of_work=True),
    "SetBreaker": Change("set-breaker", "breaker", "host"),
}

_WORKER = {"RequeueTasks": Change("requeue", "queue", "task_type")}

_EDGE = {
    "PurgeCache": Change("purge-cache", "service", "service_id"),
    "ResetLimits": Change("reset-limits", "service", "service_id"),
}

_SERVICES = {"registry": "Registry", "executor": "Executor", "worker": "Worker", "edge": "Edge"}


def _full(service: str, method: str) -> str:
    return f"/podium.{service}.v1.{_SERVICES[service]}Service/{method}"


CHANGES: Mapping[str, Change] = {
    _full(service, method): change
    for service, table in (
        ("registry", _REGISTRY),
        ("executor", _EXECUTOR),
        ("worker", _WORKER),
        ("edge", _EDGE),
    )
    for method, change in table.items()
}

_OF_ITSELF = "an execution says itself who started it, and there are thousands a second"
_WORK = "what workers do is what executions are made of, and is told with them"
_FROM_OUTSIDE = "what came is told with the execution that it came for; no caller of ours did it"

UNTOLD: Mapping[str, str] = {
    _full("registry", "IssueToken"): "keys tell when they were last used; failures are written",
    _full("registry", "RecordAuditEntries"): "it is the log itself",
    _full("executor", "Session"): _OF_ITSELF,
    _full("executor", "StartExecution"): _OF_ITSELF,
    _full("executor", "RunExecution"): _OF_ITSELF,
    _full("executor", "CompleteCallback"): _FROM_OUTSIDE,
    _full("executor", "ReceiveWebhook"): _FROM_OUTSIDE,
    _full("worker", "Work"): _WORK,
    _full("worker", "PollTask"): _WORK,
    _full("worker", "PollTasks"): _WORK,
    _full("worker", "UpdateTask"): _WORK,
    _full("worker", "AddTaskLog"): _WORK,
    _full("worker", "Relay"): _WORK,
}

_READS = {
    "registry": (
        "GetDefinition ListDefinitions ListDefinitionHistory WatchDefinitions WatchCatalog "
        "ListReferences ListKinds CheckSample ListAccessKeys ListSigningKeys ListApiKeys "
        "ListAuditEntries "
        "GetAuditEntry CheckAuditLog WatchAuditEntries ListHolders GetAccess GetOwnAccess "
        "WatchOwnAccess GetRegistryStatus"
    ),
    "executor": (
        "AttachExecution GetExecution WatchExecution ListExecutionEvents ListExecutions "
        "SearchTasks WatchExecutions TestWorkflow ListSlots ListWorkflowLimits ListBreakers "
        "ListSchedules ListScheduleRuns PreviewSchedule ListEventExecutions GetEngineMetrics "
        "WatchEngineMetrics GetExecutorStatus"
    ),
    "worker": "ListTaskLogs ListQueues GetTask",
    "edge": (
        "GetEdgeStatus TestScript TestRoute GetOpenApi GetCacheStatus ListCacheEntries "
        "GetCacheEntry ListLimits GetGatewayMetrics WatchGatewayMetrics ListKeyUse"
    ),
}

READS = frozenset(
    (
        "/podium.common.v1.LogService/WatchLog",
        "/podium.common.v1.SecretsService/GetSealing",
        "/podium.common.v1.SecretsService/ListVariables",
        *(
            _full(service, method)
            for service, methods in _READS.items()
            for method in methods.split()
        ),
    )
)

# What a call of the others is called, where it is refused.
_ELSE = {"Session": "start", "StartExecution": "start", "RunExecution": "start",
         "IssueToken": "issue-token", "Work": "work", "PollTask": "work", "PollTasks": "work",
         "AddTaskLog": "work", "CompleteCallback": "call-back", "ReceiveWebhook": "call-back",
         "RecordAuditEntries": "record"}  # fmt: skip


def action_of(method: str) -> str:
    """The word for a call of ``/package.Service/Method``."""
    if (change := CHANGES.get(method)) is not None:
        return change.action
    if method in UNTOLD:
        return _ELSE.get(short(method), "work")
    return "read"


def short(method: str) -> str:
    """Its own name: ``/podium.edge.v1.EdgeService/PurgeCache`` → ``PurgeCache``."""
    return method.rpartition("/")[2]

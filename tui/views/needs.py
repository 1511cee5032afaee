"""What every action of the console and every command calls, and thereby which rights it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.rights import RIGHTS, Right, rpc
from tui.views.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Needs:
    """The RPCs that something calls, as ``registry.GetDefinition``.

    Attributes:
        calls: Without one of them it does nothing.
        also: Called for some options, or for what is told besides. What needs no more than a token
            is left out of both.
        access: Of the accesses whose grants are enough for a call, that which it is about; empty:
            any of them.
        as_for: RPCs that it does not call, whose rights its service wants as well.
    """

    calls: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    access: str = ""
    as_for: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[str, ...]:
        """The RPCs whose rights it takes."""
        return self.calls + self.as_for

    def rights(self) -> tuple[Right, ...]:
        """All of them must let the caller through."""
        return tuple(RIGHTS[rpc(name)] for name in self.takes)


_PUT = Needs(("registry.PutDefinitions",))
_CREATE = Needs(("registry.PutDefinitions",), access="CREATE")
_UPDATE = Needs(("registry.PutDefinitions",), access="UPDATE")
_CHANGE = Needs(("registry.GetDefinition", "registry.PutDefinitions"))
# To stop a schedule takes no more than to change it.
_RESUME = Needs(
    ("registry.GetDefinition", "registry.PutDefinitions"), as_for=("executor.StartExecution",)
)
_DELETE = Needs(("registry.DeleteDefinition",), access="DELETE")
_OPERATE = Needs(("executor.OperateExecutions",))
_COMPLETE = Needs(("executor.UpdateTask",))
_BREAKER = Needs(("executor.SetBreaker",))
_PURGE = Needs(("edge.PurgeCache",))
_TASKS = Needs(("executor.SearchTasks",))
_QUEUES = Needs(("worker.ListQueues",))

# By their ids, as in descriptors.
ACTIONS: Mapping[str, Needs] = {
    **{f"{kind}.delete": _DELETE for kind in KINDS},
    **{
        f"executions.{verb}": _OPERATE
        for verb in (
            "pause", "remove", "rerun", "reset_callbacks", "restart", "resume", "retry",
            "retry_resume", "set_variables", "signal", "skip_task", "terminate",
        )
    },
    **{f"task_runs.{verb}": _OPERATE for verb in ("rerun", "retry", "terminate")},
    "task_runs.complete": _COMPLETE,
    "execution.complete_task": _COMPLETE,
    "versions.delete": _DELETE,
    "history.rollback": Needs(("registry.RollbackDefinition",)),
    "service.switch": _UPDATE,
    "application.switch": _UPDATE,
    "schedules.pause": _CHANGE,
    "schedules.resume": _RESUME,
    "keys.revoke": Needs(("registry.RevokeApiKey",)),
    "access_keys.revoke": Needs(("registry.RevokeAccessKey",)),
    "signing_keys.rotate": Needs(("registry.RotateSigningKeys",)),
    "signing_keys.revoke": Needs(("registry.RotateSigningKeys",)),
    "workflows.test": Needs(("executor.TestWorkflow",)),
    "queues.requeue": Needs(("worker.RequeueTasks",)),
    "limits.reset": Needs(("edge.ResetLimits",)),
    **{f"breakers.{verb}": _BREAKER for verb in ("open", "close", "reset")},
    **{f"cache.{verb}": _PURGE for verb in ("purge", "purge_all", "purge_entry")},
}  # fmt: skip

OPENINGS: Mapping[str, Needs] = {
    "access_keys.open": Needs(("registry.ListAccessKeys",)),
    **{f"{kind}.create": _CREATE for kind in KINDS if kind != "workflow"},
    **{f"{kind}.edit": _UPDATE for kind in KINDS if kind != "workflow"},
    **{f"{kind}.write": _UPDATE for kind in KINDS if kind not in ("workflow", "secret")},
    "workflows.create": _CREATE,
    "workflows.edit": _UPDATE,
    "workflows.run": Needs(("executor.StartExecution",)),
    "route.create": _UPDATE,
    "route.edit": _UPDATE,
    "routes.test": Needs(("edge.TestRoute",)),
    "routes.scripts": Needs(("edge.TestScript",), ("registry.PutDefinitions",)),
    "executions.diff": Needs(("executor.GetExecution",)),
    "queues.tasks": _TASKS,
    "workers.tasks": _TASKS,
}

# Keys of tabs that are no actions and no openings, by the ids of their bindings.
TABS: Mapping[str, Needs] = {
    **{f"grants.{verb}": _UPDATE for verb in ("add", "remove", "undo", "save")},
    "keys.create": Needs(("registry.CreateApiKey",)),
    "keys.roll": Needs(("registry.RollApiKey",)),
    "access_keys.create": Needs(("registry.CreateAccessKey",)),
    "access_keys.roll": Needs(("registry.RollAccessKey",)),
    "service.route_create": _UPDATE,
    "service.route_edit": _UPDATE,
    "service.route_test": Needs(("edge.TestRoute",)),
}

_SECRETS = Needs(("registry.ListDefinitions", "registry.ListReferences"), ("secrets.GetSealing",))

# By their words; what is not here calls nothing that takes more than a token.
COMMANDS: Mapping[str, Needs] = {
    "apply": _PUT,
    "diff": Needs(("registry.PutDefinitions",), ("executor.GetExecution",)),
    "export": Needs(("registry.ListDefinitions",)),
    "get": Needs(
        ("registry.GetDefinition",), ("registry.ListDefinitions", "registry.WatchCatalog")
    ),
    "delete": _DELETE,
    "history": Needs(("registry.ListDefinitionHistory",)),
    "rollback": Needs(("registry.RollbackDefinition",)),
    "keys list": Needs(("registry.ListApiKeys",), ("registry.GetDefinition", "edge.ListKeyUse")),
    "keys create": Needs(("registry.CreateApiKey",)),
    "keys roll": Needs(("registry.RollApiKey",)),
    "keys revoke": Needs(("registry.RevokeApiKey",)),
    "access-keys list": Needs(("registry.ListAccessKeys",)),
    "access-keys create": Needs(("registry.CreateAccessKey",)),
    "access-keys roll": Needs(("registry.RollAccessKey",)),
    "access-keys revoke": Needs(("registry.RevokeAccessKey",)),
    "access who-can": Needs(("registry.ListHolders",)),
    "access may": Needs(("registry.GetAccess",)),
    "signing-keys": Needs(("registry.ListSigningKeys",)),
    "signing-keys list": Needs(("registry.ListSigningKeys",)),
    "signing-keys rotate": Needs(("registry.RotateSigningKeys",)),
    "secrets": _SECRETS,
    "secrets list": _SECRETS,
    "secrets set": Needs(("registry.PutDefinitions",), ("registry.GetDefinition",)),
    "secrets delete": Needs(("registry.DeleteDefinition",)),
    "secrets variables": Needs(("secrets.ListVariables",)),
    "secrets keys": Needs(("secrets.GetSealing",)),
    "secrets rotate-key": Needs(("secrets.GetSealing",)),
    "secrets drop-keys": Needs(("secrets.GetSealing",)),
    "run": Needs(
        ("executor.StartExecution",),
        (
            "executor.AttachExecution", "executor.GetExecution", "executor.WatchExecution",
            "registry.PutDefinitions",
        ),
    ),
    "watch": Needs(("executor.WatchExecution",), ("executor.GetExecution",)),
    "executions": Needs(("executor.ListExecutions",)),
    "tasks": _TASKS,
    "events": Needs(("executor.ListExecutionEvents",), ("executor.WatchExecution",)),
    "graph": Needs(("registry.GetDefinition",), ("executor.GetExecution",)),
    **dict.fromkeys(
        (
            "pause", "resume", "terminate", "retry", "restart", "rerun", "skip-task", "signal",
            "set-variables", "reset-callbacks", "decide", "remove",
        ),
        _OPERATE,
    ),
    "complete-task": _COMPLETE,
    "routes": Needs(("registry.ListDefinitions",)),
    "routes curl": Needs(("registry.GetDefinition",), ("registry.ListDefinitions",)),
    "routes mcp": Needs(("registry.GetDefinition",)),
    "routes openapi": Needs(("edge.GetOpenApi",)),
    "test-route": Needs(("edge.TestRoute",)),
    "schedules": Needs(("executor.ListSchedules",)),
    "schedules next": Needs(("executor.PreviewSchedule",)),
    "schedules runs": Needs(("executor.ListScheduleRuns",)),
    "schedules pause": _CHANGE,
    "schedules resume": _RESUME,
    "event-runs": Needs(("executor.ListEventExecutions",)),
    "queues": _QUEUES,
    "workers": _QUEUES,
    "requeue": Needs(("worker.RequeueTasks",)),
    "task-logs": Needs(("worker.ListTaskLogs",)),
    "breakers": Needs(("executor.ListBreakers",)),
    "breakers list": Needs(("executor.ListBreakers",)),
    **{f"breakers {verb}": _BREAKER for verb in ("open", "close", "reset")},
    "cache": Needs(("edge.GetCacheStatus",)),
    "cache entries": Needs(("edge.ListCacheEntries",)),
    "cache entry": Needs(("edge.GetCacheEntry",)),
    "cache purge": _PURGE,
    "limits list": Needs(("edge.ListLimits",), ("executor.ListWorkflowLimits",)),
    "limits reset": Needs(("edge.ResetLimits",)),
    "metrics": Needs(
        ("edge.GetGatewayMetrics",),
        ("edge.WatchGatewayMetrics", "registry.GetDefinition", "registry.ListApiKeys"),
    ),
    "pulse": Needs(
        ("edge.GetGatewayMetrics", "executor.GetEngineMetrics", "executor.ListExecutions")
    ),
    "engine": Needs(("executor.GetEngineMetrics",), ("executor.WatchEngineMetrics",)),
    "audit list": Needs(("registry.ListAuditEntries",), ("registry.WatchAuditEntries",)),
    "audit show": Needs(("registry.GetAuditEntry",), ("registry.GetDefinition",)),
    "audit check": Needs(("registry.CheckAuditLog",)),
    "log": Needs(("log.WatchLog",)),
    "test-script": Needs(("edge.TestScript",)),
    "test-workflow": Needs(("executor.TestWorkflow",)),
    "demo": Needs((), ("executor.WatchExecutions",)),
}  # fmt: skip

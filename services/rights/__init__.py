"""Which right every RPC needs: one table for the three services.

A role holds everywhere. Where a grant on one definition can be enough, the table says which:
whoever has none like it is refused at once; for the others the handler, which knows what the call
is about, looks whether it covers that (:func:`services.access.require`).
"""

from __future__ import annotations

from collections.abc import Mapping

from services.rights.model import (
    ADMIN,
    EDGE,
    EDITOR,
    EXECUTOR,
    OPERATOR,
    REGISTRY,
    ROLES,
    SERVICES,
    VIEWER,
    WORKER,
    Right,
    Wanted,
    right as _right,
)

__all__ = [
    "ADMIN",
    "EDGE",
    "EDITOR",
    "EXECUTOR",
    "OPEN_PREFIXES",
    "OPERATOR",
    "REGISTRY",
    "RIGHTS",
    "ROLES",
    "SERVICES",
    "VIEWER",
    "WORKER",
    "Right",
    "Wanted",
    "right_to",
    "rpc",
]

_READ = _right(EDITOR, OPERATOR, VIEWER)
_OPERATE = _right(OPERATOR)
_ADMINISTER = _right()
# It tells nothing that a caller with any valid token may not know: the handler refuses nobody.
_ANYONE = Right(frozenset(ROLES), frozenset(SERVICES), anyone=True)

# Grants that can be enough, and the handler's to check.
_READS = (Wanted("READ"),)
_READS_WORKFLOW = (Wanted("READ", "workflow"),)
_CHANGES_AUTH = (Wanted("UPDATE", "auth"),)
_LENDS = "the caller has all rights of the application that the auth acts as"
_WRITES_SCHEMA = (Wanted("CREATE", "schema"), Wanted("UPDATE", "schema"))
_STARTS = (Wanted("EXECUTE", "workflow"),)
_ON_SERVICE = (Wanted("READ", "service"),)
_SEE_SERVICES = _right(EDITOR, OPERATOR, VIEWER, grants=_ON_SERVICE)
# Of what there is, a grant shows its own.
_SEE_EXECUTIONS = _right(EDITOR, OPERATOR, VIEWER, services=(EDGE,), grants=_READS_WORKFLOW)
_OPERATE_EXECUTION = _right(OPERATOR, grants=_STARTS)

_REGISTRY = {
    # CREATE, UPDATE and DELETE on a definition.
    "PutDefinitions": _right(EDITOR, grants=(Wanted("CREATE"), Wanted("UPDATE"), Wanted("DELETE"))),
    "RollbackDefinition": _right(EDITOR, grants=(Wanted("UPDATE"), Wanted("CREATE"))),
    "DeleteDefinition": _right(EDITOR, grants=(Wanted("DELETE"),)),
    # UPDATE on the auth definition.
    "CreateApiKey": _right(EDITOR, grants=_CHANGES_AUTH, where=_LENDS),
    "RollApiKey": _right(EDITOR, grants=_CHANGES_AUTH, where=_LENDS),
    "RevokeApiKey": _right(EDITOR, grants=_CHANGES_AUTH),
    # READ on it.
    "ListApiKeys": _right(EDITOR, OPERATOR, VIEWER, grants=(Wanted("READ", "auth"),)),
    "GetDefinition": _right(EDITOR, OPERATOR, VIEWER, grants=_READS),
    "ListDefinitionHistory": _right(EDITOR, OPERATOR, VIEWER, grants=_READS),
    # READ on anything: both tell of nothing else.
    "ListDefinitions": _right(EDITOR, OPERATOR, VIEWER, grants=_READS),
    "WatchCatalog": _right(EDITOR, OPERATOR, VIEWER, grants=_READS),
    # It carries hashes of keys and ciphertexts of secrets.
    "WatchDefinitions": _right(services=(EXECUTOR, EDGE)),
    # READ on the definition, and on every user that is told.
    "ListReferences": _right(EDITOR, OPERATOR, VIEWER, grants=_READS),
    # The same for everybody, and published.
    "ListKinds": _ANYONE,
    # It takes a process's time: for those who write schemas.
    "CheckSample": _right(EDITOR, OPERATOR, grants=_WRITES_SCHEMA),
    "IssueToken": Right(open=True),
    "CreateAccessKey": _ADMINISTER,
    "ListAccessKeys": _ADMINISTER,
    "RollAccessKey": _ADMINISTER,
    "RevokeAccessKey": _ADMINISTER,
    "ListSigningKeys": _ADMINISTER,
    "RotateSigningKeys": _ADMINISTER,
    # READ on the definition; holders are told that the caller may READ, too.
    "ListHolders": _right(EDITOR, OPERATOR, VIEWER, grants=_READS),
    # READ on the application.
    "GetAccess": _right(EDITOR, OPERATOR, VIEWER, grants=(Wanted("READ", "application"),)),
    # Whoever calls may know who they are.
    "GetOwnAccess": _ANYONE,
    "WatchOwnAccess": _ANYONE,
    # Who did what is for those who do, not for all who look on.
    "ListAuditEntries": _right(EDITOR, OPERATOR),
    "WatchAuditEntries": _right(EDITOR, OPERATOR, streams=16),
    "GetAuditEntry": _right(EDITOR, OPERATOR),
    # It takes the registry's time.
    "CheckAuditLog": _ADMINISTER,
    # What they tell is believed.
    "RecordAuditEntries": Right(services=frozenset((EXECUTOR, EDGE))),
    "GetRegistryStatus": _ANYONE,
}

_EXECUTOR = {
    # What its frames ask for is checked frame by frame, for whom the edge speaks.
    "Session": Right(services=frozenset((EDGE,))),
    # EXECUTE on the workflow.
    "StartExecution": _right(OPERATOR, services=(EDGE,), grants=_STARTS),
    "RunExecution": _right(OPERATOR, services=(EDGE,), grants=_STARTS),
    "AttachExecution": _right(OPERATOR, services=(EDGE,), grants=_STARTS),
    # READ on the workflow.
    "GetExecution": _right(EDITOR, OPERATOR, VIEWER, services=(EDGE,), grants=_READS_WORKFLOW),
    # Whoever runs many may wait for each.
    "WatchExecution": _right(
        EDITOR, OPERATOR, VIEWER, services=(EDGE,), grants=_READS_WORKFLOW, streams=1_000
    ),
    "ListExecutionEvents": _right(EDITOR, OPERATOR, VIEWER, grants=_READS_WORKFLOW),
    "ListExecutions": _SEE_EXECUTIONS,
    "SearchTasks": _SEE_EXECUTIONS,
    "WatchExecutions": _SEE_EXECUTIONS,
    # EXECUTE on the workflow.
    "PauseExecution": _OPERATE_EXECUTION,
    "ResumeExecution": _OPERATE_EXECUTION,
    # The edge ends executions for clients that delete their Location.
    "TerminateExecution": _right(OPERATOR, services=(EDGE,), grants=_STARTS),
    "RestartExecution": _OPERATE_EXECUTION,
    "RetryExecution": _OPERATE_EXECUTION,
    "RerunExecution": _OPERATE_EXECUTION,
    "SkipTask": _OPERATE_EXECUTION,
    "SignalExecution": _right(OPERATOR, WORKER, grants=_STARTS),
    "UpdateVariables": _OPERATE_EXECUTION,
    "ResetCallbacks": _OPERATE_EXECUTION,
    "DecideExecution": _OPERATE_EXECUTION,
    "DeleteExecution": _OPERATE_EXECUTION,
    "OperateExecutions": _OPERATE_EXECUTION,
    # It takes a thread's time, and tells nothing but what definitions say.
    "TestWorkflow": _right(EDITOR, OPERATOR),
    "UpdateTask": _right(OPERATOR, WORKER, services=(EDGE,), grants=_STARTS),
    # The token in the request is the right; only the gateway takes such requests in.
    "CompleteCallback": Right(services=frozenset((EDGE,))),
    # What verifies the request is the right; only the gateway takes such requests in.
    "ReceiveWebhook": Right(services=frozenset((EDGE,))),
    # It tells who runs, and nothing of what they do.
    "ListSlots": _SEE_EXECUTIONS,
    # It tells who runs, and what they are counted by.
    "ListWorkflowLimits": _right(EDITOR, OPERATOR, VIEWER, grants=_READS_WORKFLOW),
    # It tells of hosts, and of no call.
    "ListBreakers": _READ,
    "SetBreaker": _OPERATE,
    # READ on the schedule; of executions that it has started, READ on their workflow.
    "ListSchedules": _right(EDITOR, OPERATOR, VIEWER, grants=(Wanted("READ", "schedule"),)),
    "ListScheduleRuns": _right(EDITOR, OPERATOR, VIEWER, grants=(Wanted("READ", "schedule"),)),
    # It tells nothing of what is defined.
    "PreviewSchedule": _READ,
    "ListEventExecutions": _right(EDITOR, OPERATOR, VIEWER, grants=(Wanted("READ", "event"),)),
    "GetEngineMetrics": _READ,
    "WatchEngineMetrics": _READ,
    "GetExecutorStatus": _ANYONE,
}

# Who has no role for it may do the tasks whose definition it may EXECUTE.
_WORK = _right(WORKER, OPERATOR, grants=(Wanted("EXECUTE", "task"),), streams=1_000)

_WORKER = {
    "Work": _WORK,
    "PollTask": _WORK,
    "PollTasks": _WORK,
    "UpdateTask": _WORK,
    "AddTaskLog": _WORK,
    # What its asks need is checked one by one, for whom the edge speaks.
    "Relay": Right(services=frozenset((EDGE,))),
    # READ on the workflow, or EXECUTE on the task.
    "GetTask": _right(
        EDITOR,
        OPERATOR,
        VIEWER,
        WORKER,
        grants=(*_READS_WORKFLOW, Wanted("EXECUTE", "task")),
    ),
    # READ on the workflow.
    "ListTaskLogs": _right(EDITOR, OPERATOR, VIEWER, grants=_READS_WORKFLOW),
    "ListQueues": _right(
        EDITOR,
        OPERATOR,
        VIEWER,
        WORKER,
        grants=(Wanted("READ", "task"), Wanted("EXECUTE", "task")),
    ),
    "RequeueTasks": _right(OPERATOR, grants=(Wanted("EXECUTE", "task"),)),
}

_EDGE = {
    "GetEdgeStatus": _ANYONE,
    # It takes a script worker's time.
    "TestScript": _right(EDITOR, OPERATOR),
    # It tells more of what a call comes to than its caller may know.
    "TestRoute": _right(EDITOR, OPERATOR),
    # READ on the service.
    "GetOpenApi": _SEE_SERVICES,
    "GetCacheStatus": _SEE_SERVICES,
    # What follows is that work is done again.
    "PurgeCache": _right(EDITOR, OPERATOR),
    "ListCacheEntries": _SEE_SERVICES,
    # An answer is what executions gave: READ on the route's workflow, too.
    "GetCacheEntry": _SEE_SERVICES,
    "ListLimits": _SEE_SERVICES,
    # What follows is that more is done than was to be.
    "ResetLimits": _right(EDITOR, OPERATOR),
    # They name routes and keys; the page /metrics of the management API takes the same roles, and
    # no grant.
    "GetGatewayMetrics": _SEE_SERVICES,
    "WatchGatewayMetrics": _right(EDITOR, OPERATOR, VIEWER, grants=_ON_SERVICE, streams=16),
    # READ on the auth definition, as for the list of its keys.
    "ListKeyUse": _right(EDITOR, OPERATOR, VIEWER, grants=(Wanted("READ", "auth"),)),
}

_LOG = {
    # What goes wrong inside names what is others' business: as with the audit.
    "WatchLog": _right(EDITOR, OPERATOR),
}

_SECRETS = {
    # Names of secrets and of keys, and nothing of either.
    "GetSealing": _right(OPERATOR),
    "ListVariables": _right(EDITOR, OPERATOR),
}


def rpc(name: str) -> str:
    """``/podium.registry.v1.RegistryService/GetDefinition`` of ``registry.GetDefinition``."""
    service, _, method = name.partition(".")
    package = "common" if service in ("log", "secrets") else service
    return f"/podium.{package}.v1.{service.capitalize()}Service/{method}"


RIGHTS: Mapping[str, Right] = {
    rpc(f"{service}.{method}"): right
    for service, table in (
        ("registry", _REGISTRY),
        ("executor", _EXECUTOR),
        ("worker", _WORKER),
        ("edge", _EDGE),
        ("log", _LOG),
        ("secrets", _SECRETS),
    )
    for method, right in table.items()
}

# Services of gRPC itself that tell nothing worth a token: health, and the published protos
# (docs/decisions/0007).
OPEN_PREFIXES = (
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1alpha.ServerReflection/",
    "/grpc.reflection.v1.ServerReflection/",
)


def right_to(method: str) -> Right:
    """What calling ``/package.Service/Method`` needs; nobody has a right that is not listed."""
    if method.startswith(OPEN_PREFIXES):
        return Right(open=True)
    return RIGHTS.get(method, Right())

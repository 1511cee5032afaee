"""The suite's gRPC services, as the console and the commands call them. Nothing else here does."""

from tui.clients.calling import CALL_SECONDS, SERVICES, Clients, check_serving, connected
from tui.clients.connection import Connection
from tui.clients.streams import (
    audit_changing,
    catalog_changing,
    engine_changing,
    execution_changing,
    executions_changing,
    metrics_changing,
    persistently,
    until_broken,
)

__all__ = [
    "CALL_SECONDS",
    "SERVICES",
    "Clients",
    "Connection",
    "audit_changing",
    "catalog_changing",
    "check_serving",
    "connected",
    "engine_changing",
    "execution_changing",
    "executions_changing",
    "metrics_changing",
    "persistently",
    "until_broken",
]

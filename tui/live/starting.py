"""Starting an execution: once, however often it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from podium.executor.v1 import executor_pb2 as pb
from podium.registry.v1 import registry_pb2
from services.ids import new_execution_id
from tui.views.command_lines import with_text

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run; version 0 is the latest.

    Attributes:
        execution_id: Chosen beforehand, so that asking again after a break is the same start.
    """

    workflow: str
    version: int
    input: Mapping[str, Any]
    correlation_id: str
    execution_id: str
    fingerprint: bytes

    @property
    def command(self) -> str:
        """The same as a command line."""
        names = (self.workflow,)
        first, last = ((), names) if self.workflow.startswith("-") else (names, ())
        words = [
            *("podium", "run", *first),
            *(("--version", str(self.version)) if self.version else ()),
            *(("--correlation-id", self.correlation_id) if self.correlation_id else ()),
        ]
        return with_text(words, "--input", json.dumps(self.input, ensure_ascii=False), *last)


def order(workflow: str, version: int, given: Mapping[str, Any], correlation_id: str = "") -> Order:
    """An order under an id of its own."""
    return Order(workflow, version, given, correlation_id, new_execution_id(), uuid4().bytes)


async def start(clients: Clients, order: Order) -> str:
    """Start it; the execution's id. Raises as the executor does."""
    answer = await clients.executor.StartExecution(
        pb.StartExecutionRequest(
            start=pb.Start(
                execution_id=order.execution_id,
                fingerprint=order.fingerprint,
                workflow_name=order.workflow,
                workflow_version=order.version,
                input=json.dumps(order.input),
                correlation_id=order.correlation_id,
            )
        ),
        timeout=CALL_SECONDS,
    )
    return str(answer.execution_id)


async def schema_named(clients: Clients, name: str, version: int) -> Mapping[str, Any]:
    """The JSON Schema that a schema definition has. Raises as the registry does."""
    answer = await clients.registry.GetDefinition(
        registry_pb2.GetDefinitionRequest(kind="schema", name=name, version=version),
        timeout=CALL_SECONDS,
    )
    document = json.loads(answer.definition.document)
    data = document.get("data")
    return data if isinstance(data, dict) else {}

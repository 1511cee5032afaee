"""Waiting until what was stored is what the services serve."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from services.errors import ServiceError
from services.rpc import raising_ours

if TYPE_CHECKING:
    from tui.clients import Clients

LIVE_SECONDS = 5.0


async def live(clients: Clients, revision: int) -> None:
    """Return when executor and edge serve ``revision``; warn of one that does not in 5 s."""
    until = time.monotonic() + LIVE_SECONDS
    for name, ask in (
        ("executor", _executor_revision),
        ("edge", _edge_revision),
    ):
        try:
            with raising_ours():
                reached = await ask(clients, revision, max(0.2, until - time.monotonic()))
        except ServiceError:
            reached = 0
        if reached < revision:
            click.echo(
                f"warning: the {name} does not serve this yet; it will, once it has it from the"
                " registry.",
                err=True,
            )


async def _executor_revision(clients: Clients, revision: int, seconds: float) -> int:
    request = executor_pb2.GetExecutorStatusRequest(wait_for_revision=revision)
    return (await clients.executor.GetExecutorStatus(request, timeout=seconds)).revision


async def _edge_revision(clients: Clients, revision: int, seconds: float) -> int:
    request = edge_pb2.GetEdgeStatusRequest(wait_for_revision=revision)
    return (await clients.edge.GetEdgeStatus(request, timeout=seconds)).revision

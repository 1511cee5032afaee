"""The three services in the tests' own process, on real ports and files; each can be stopped."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from services import ports, settings as environment
from services.edge.serving import serving as serving_edge
from services.edge.settings import Settings as EdgeSettings
from services.errors import Overloaded
from services.executor.serving import opened as opened_executor
from services.executor.settings import ExecutorSettings
from services.home import Credentials
from services.log_ring import LogRing
from services.registry.serving import serving as serving_registry
from services.registry.settings import RegistrySettings
from services.replica import first_copy
from services.rpc import raising_ours
from tui.clients import connected
from tui.suite import Suite

CREDENTIALS = Credentials("admin", "a-secret-of-the-tests")
PARTS = ("registry", "executor", "edge")
PATIENCE_SECONDS = 60.0


class Services:
    """A suite in one process.

    Attributes:
        suite: Where it is, as commands and console find it.
        rings: What each has logged, by name.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        chosen = dict(zip((*PARTS, "gateway", "management"), _free_ports(5), strict=True))
        self._addresses = {name: f"127.0.0.1:{port}" for name, port in chosen.items()}
        self.suite = Suite(
            registry=self._addresses["registry"],
            executor=self._addresses["executor"],
            edge=self._addresses["edge"],
            gateway=f"http://{self._addresses['gateway']}",
            management=f"http://{self._addresses['management']}",
            credentials=CREDENTIALS,
            home=None,
        )
        self.rings: dict[str, LogRing] = {}
        self._running: dict[str, AsyncExitStack] = {}

    async def start(self, part: str) -> None:
        """Start one of them, at the address that it has for good."""
        stack = AsyncExitStack()
        settings = self._settings(part)
        ring = self.rings[part] = LogRing()
        if part == "registry":
            await stack.enter_async_context(serving_registry(settings, ring))
        elif part == "executor":
            opened = opened_executor(settings, ring)
            _, runtime, replica, scripts, _ = await stack.enter_async_context(opened)
            await first_copy(replica, asyncio.Event())
            scripts.start()
            stack.push_async_callback(runtime.drain, 0.0)
        else:
            edge = await stack.enter_async_context(serving_edge(settings, ring))
            await first_copy(edge.replica, asyncio.Event())
        self._running[part] = stack

    def log(self, part: str, message: str, **fields: str) -> None:
        """Have a service log a warning."""
        line = {
            "time": "2026-01-31T12:00:00.000Z", "level": "warning", "service": part,
            "logger": f"services.{part}.tests", "message": message, **fields,
        }  # fmt: skip
        self.rings[part].append(logging.WARNING, json.dumps(line))

    async def stop(self, part: str) -> None:
        """Stop one of them; its address is refused from then on."""
        await self._running.pop(part).aclose()

    async def aclose(self) -> None:
        """Stop what runs."""
        for part in reversed(PARTS):
            if part in self._running:
                await self.stop(part)

    def _settings(self, part: str) -> Any:
        kind: Any = {
            "registry": RegistrySettings, "executor": ExecutorSettings, "edge": EdgeSettings,
        }[part]  # fmt: skip
        given: dict[str, object] = {"home": self.home, "listen": self._addresses[part]}
        if part == "registry":
            given |= {
                "admin_key_id": CREDENTIALS.key_id,
                "admin_key_secret_file": self.home / "admin.secret",
            }
        if part == "executor":
            given |= {
                "registry": self._addresses["registry"],
                "egress_allow": ("loopback",),
                "public_url": self.suite.gateway,
                "script_workers": 1,
            }
        if part == "edge":
            given |= {
                "registry": self._addresses["registry"],
                "executor": self._addresses["executor"],
                "gateway_listen": self._addresses["gateway"],
                "management_listen": self._addresses["management"],
            }
        return dataclasses.replace(environment.read(kind, {}), **given)


@asynccontextmanager
async def services_in(home: Path) -> AsyncGenerator[Services]:
    """A running suite in ``home``."""
    make_home(home)
    services = Services(home)
    try:
        for part in PARTS:
            await services.start(part)
        yield services
    finally:
        await services.aclose()


def make_home(home: Path) -> None:
    """The keys and secrets that a suite in ``home`` starts with."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "cluster.key").write_text("k" * 40)
    (home / "secret.key").write_text("s" * 40)
    (home / "admin.secret").write_text(CREDENTIALS.key_secret)


async def put(services: Services, *documents: Mapping[str, Any]) -> None:
    """Store definitions, and wait until executor and edge have them."""
    async with connected(services.suite) as clients:
        answer = await clients.registry.PutDefinitions(
            registry_pb2.PutDefinitionsRequest(
                puts=[registry_pb2.DocumentPut(document=json.dumps(each)) for each in documents]
            )
        )
        wanted = {"wait_for_revision": answer.revision}
        await clients.executor.GetExecutorStatus(
            executor_pb2.GetExecutorStatusRequest(**wanted), timeout=PATIENCE_SECONDS
        )
        await clients.edge.GetEdgeStatus(
            edge_pb2.GetEdgeStatusRequest(**wanted), timeout=PATIENCE_SECONDS
        )


async def start(services: Services, workflow: str, **fields: Any) -> str:
    """Start an execution; its id."""
    request = executor_pb2.StartExecutionRequest(
        start=executor_pb2.Start(workflow_name=workflow, **fields)
    )
    async with connected(services.suite) as clients, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                with raising_ours():
                    return str((await clients.executor.StartExecution(request)).execution_id)
            except Overloaded:
                # Its loop is the screen's, which may have been painting: it looks every 0.1 s.
                await asyncio.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    """Ports that no other suite on this machine is given while this process lives.

    A part that is stopped comes back at its address: no connection that somebody makes meanwhile
    may have it by then, nor another test's suite.
    """
    found: list[int] = []
    for port in ports.candidates(1_000):
        if len(found) < count and port not in found and ports.claim(port) and _free(port):
            found.append(port)
    return found


def _free(port: int) -> bool:
    try:
        ports.listening("127.0.0.1", port).close()
    except OSError:
        return False
    return True

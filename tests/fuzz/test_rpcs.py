"""Any message to every RPC: nobody breaks a service by what it is asked, or hears of secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from hypothesis import given

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import RateLimited
from services.rights import RIGHTS, rpc as rpc_of
from tests.access.asking import PATIENCE_SECONDS, Answer, asked, served_at
from tests.fuzz.chance import messages, tries
from tests.rpcs import methods
from tests.tui.services import Services, put, services_in, start
from tui.clients import connected

METHODS = methods()
SECRET = "zq-what-nobody-hears"
# A fault of the service's own, by whatever name it comes.
BROKEN = ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DATA_LOSS")
# Whoever works is given what a task needs.
HANDED = tuple(rpc_of(f"worker.{method}") for method in ("Work", "PollTask", "PollTasks"))
QUIET_SECONDS = 0.02
# Some wait for what does not come, and are let go.
MOST_SECONDS = 0.5


@dataclass
class Target:
    """A suite that is asked, and what it is asked with."""

    services: Services
    channels: Mapping[str, grpc.aio.Channel]
    token: str

    async def ask_as_all_may(self, name: str, message: Message) -> Answer:
        """Ask for an application that may do everything."""
        answer = await self.ask(name, message, self.token)
        if answer.code == "UNAUTHENTICATED" and not RIGHTS[name].open:
            # Its 15 minutes are over, or it was asked that its key or all tokens hold no more.
            self.token = await _issued(self.services)
            answer = await self.ask(name, message, self.token)
        return answer

    async def ask(self, name: str, message: Message, token: str) -> Answer:
        channel = self.channels[served_at(name)[0]]
        # A refusal is waited for; what is let in may have nothing to say.
        quiet = QUIET_SECONDS if token else PATIENCE_SECONDS
        patience = MOST_SECONDS if token else PATIENCE_SECONDS
        return await asked(channel, name, METHODS[name], token, message, quiet, patience)


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Target]:
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(services_in(tmp_path_factory.mktemp("target")))
        await put(services, *_known())
        await start(services, "known", input='{"a": 1}')
        channels = {
            name: await stack.enter_async_context(rpc.channel(address))
            for name, address in (
                ("registry", services.suite.registry),
                ("executor", services.suite.executor),
                ("edge", services.suite.edge),
            )
        }
        yield Target(services, channels, await _issued(services))


async def _issued(services: Services) -> str:
    """A token of a new key. Not the administrator's own: what is asked may revoke its keys."""
    async with connected(services.suite) as clients:
        made = await clients.registry.CreateAccessKey(
            pb.CreateAccessKeyRequest(application_id="fuzzer")
        )
        issued = await clients.registry.IssueToken(
            pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
        )
    return str(issued.token)


def _known() -> list[dict[str, object]]:
    task = {"name": "known", "taskReferenceName": "x", "type": "SIMPLE",
            "inputParameters": {"key": "${workflow.secrets.known}"}}  # fmt: skip
    route = {"httpMethod": "GET", "path": "/x", "mappedWorkflow": {"name": "known"}}
    return [
        {"kind": "application", "id": "fuzzer", "roles": ["ADMIN"]},
        {"kind": "application", "id": "known", "roles": ["VIEWER"]},
        {"kind": "secret", "name": "known", "value": SECRET},
        {"kind": "task", "name": "known", "retryCount": 0},
        {"kind": "schema", "name": "known", "data": {"type": "object"}},
        {"kind": "workflow", "name": "known", "tasks": [task]},
        {"kind": "auth", "id": "known", "authenticationType": "API_KEY", "applicationId": "known"},
        {"kind": "service", "id": "known", "name": "known", "path": "/known",
         "authConfigId": "known", "routes": [route]},
    ]  # fmt: skip


def _any_message_to(name: str) -> Callable[..., Any]:
    # Not parametrized: what is drawn within a coroutine hypothesis cannot take back.
    @tries(8)
    @given(message=messages(METHODS[name].input_type))
    async def any_message(target: Target, message: Message) -> None:
        stranger = await target.ask(name, message, "")
        answer = await target.ask_as_all_may(name, message)

        if not RIGHTS[name].open:
            assert stranger.code == "UNAUTHENTICATED", stranger
            # Else nothing was tried.
            assert answer.code != "UNAUTHENTICATED", answer
        for each in (stranger, answer):
            assert each.code not in BROKEN, each
            assert SECRET not in each.said
        assert SECRET.encode() not in stranger.told
        assert name in HANDED or SECRET.encode() not in answer.told

    return any_message


# Open ones last: whoever has guessed at keys has to wait for a token.
for _name in sorted(METHODS, key=lambda each: RIGHTS[each].open):
    globals()[f"test_any_message_to_{_name.rpartition('.')[2].replace('/', '_')}"] = (
        _any_message_to(_name)
    )


async def _let_in_again(services: Services) -> None:
    """Return once the guesses at keys that came from here are forgiven."""
    async with asyncio.timeout(300):
        while True:
            try:
                await _issued(services)
            except RateLimited:
                # Each second one is.
                await asyncio.sleep(1)
            else:
                return


async def test_after_all_of_it_the_services_serve_and_have_logged_no_fault(target: Target) -> None:
    await _let_in_again(target.services)
    await put(target.services, {"kind": "workflow", "name": "after", "tasks": [
        {"name": "n", "taskReferenceName": "n", "type": "NOOP"}]})  # fmt: skip
    async with asyncio.timeout(60):
        assert await start(target.services, "after")
    for part, ring in target.services.rings.items():
        lines = [json.loads(entry.line) for entry in ring.read(0, 5_000).entries]
        assert [line for line in lines if "exception" in line] == [], part
        assert SECRET not in json.dumps(lines)

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
from services.rights import RIGHTS
from tests.access.asking import PATIENCE_SECONDS, Answer, asked, served_at
from tests.fuzz.chance import messages, tries
from tests.rpcs import methods
from tests.tui.services import Services, put, services_in, start
from tui.clients import connected

METHODS = methods()
SECRET = "zq-what-nobody-hears"
# A fault of the service's own, by whatever name it comes.
BROKEN = ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DATA_LOSS")
QUIET_SECONDS = 0.02
# Some wait for what does not come, and are let go.
MOST_SECONDS = 0.5


@dataclass
class Target:
    """A suite that is asked, and what it is asked with."""

    services: Services
    channels: Mapping[str, grpc.aio.Channel]
    token: str

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
        async with connected(services.suite) as clients:
            # Not the administrator's own: what is asked may revoke its keys.
            made = await clients.registry.CreateAccessKey(
                pb.CreateAccessKeyRequest(application_id="fuzzer")
            )
            issued = await clients.registry.IssueToken(
                pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
            )
        yield Target(services, channels, issued.token)


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
        answer = await target.ask(name, message, target.token)

        if not RIGHTS[name].open:
            assert stranger.code == "UNAUTHENTICATED", stranger
        for each in (stranger, answer):
            assert each.code not in BROKEN, each
            assert SECRET.encode() not in each.told
            assert SECRET not in each.said

    return any_message


for _name in METHODS:
    globals()[f"test_any_message_to_{_name.rpartition('.')[2].replace('/', '_')}"] = (
        _any_message_to(_name)
    )


async def test_after_all_of_it_the_services_serve_and_have_logged_no_fault(target: Target) -> None:
    await put(target.services, {"kind": "workflow", "name": "after", "tasks": [
        {"name": "n", "taskReferenceName": "n", "type": "NOOP"}]})  # fmt: skip
    async with asyncio.timeout(60):
        assert await start(target.services, "after")
    for part, ring in target.services.rings.items():
        lines = [json.loads(entry.line) for entry in ring.read(0, 5_000).entries]
        assert [line for line in lines if "exception" in line] == [], part
        assert SECRET not in json.dumps(lines)

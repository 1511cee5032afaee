"""The edge put together: every listener of it, with and without its neighbours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import EdgeServiceStub
from services import rpc, settings as environment
from services.access import ServiceIdentity
from services.edge.serving import serving
from services.edge.settings import Settings
from services.errors import InvalidRequest, PermissionDenied, TooLarge, Unauthenticated
from services.process import StartupError
from services.settings import LISTENERS
from tests.edge.documents import KEY
from tests.edge.registry import token
from tests.edge.suites import CLUSTER_KEY, Suite, settings_in, status, suite_in


async def test_the_edge_serves_what_the_registry_tells(suite: Suite) -> None:
    response = await suite.gateway.post("/api/orders/7/checkout", headers={"x-api-key": KEY})

    assert response.status_code == 200
    told = await status(suite.addresses)
    assert (told.definitions_stale, told.executor_connected) == (False, True)
    assert told.version
    health = await suite.gateway.get("/-/health")
    assert health.json() == {"status": "ok", "executor": "connected", "definitions": "current"}


async def test_the_status_needs_a_token(suite: Suite) -> None:
    async with rpc.channel(suite.addresses["edge"]) as channel:
        with pytest.raises(Unauthenticated), rpc.raising_ours():
            await EdgeServiceStub(channel).GetEdgeStatus(pb.GetEdgeStatusRequest())


async def tried(suite: Suite, script: str, payload: str = "{}") -> pb.TestScriptResponse:
    async with rpc.channel(suite.addresses["edge"], lambda: token("editors")) as channel:
        request = pb.TestScriptRequest(script=script, payload=payload)
        with rpc.raising_ours():
            return await EdgeServiceStub(channel).TestScript(request)


async def test_a_script_is_tried_without_a_call(suite: Suite) -> None:
    """It starts a worker and lets a script run too long: takes 1.5 s."""
    good = await tried(suite, "$.items.length * 2", '{"items": [1, 2]}')
    bad = await tried(suite, "1;\n2;\n$.a.b")
    wrong = await tried(suite, "(")
    slow = await tried(suite, "while (true) {}")

    assert good.result == "4"
    assert good.took.ToMicroseconds() > 0
    assert (bad.fault.line, bad.fault.timed_out) == (3, False)
    assert "undefined" in bad.fault.message
    assert "not valid JavaScript" in wrong.fault.message
    assert slow.fault.timed_out
    for payload in ("{", '{"a": NaN}'):
        with pytest.raises(InvalidRequest, match="payload"):
            await tried(suite, "1", payload)
    with pytest.raises(TooLarge):
        await tried(suite, "1" * 100_001)
    with pytest.raises(TooLarge, match="payload"):
        await tried(suite, "1", f'"{"a" * (10 << 20)}"')


async def test_who_only_calls_routes_tries_no_scripts(suite: Suite) -> None:
    async with rpc.channel(suite.addresses["edge"], lambda: token("storefront")) as channel:
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await EdgeServiceStub(channel).TestScript(pb.TestScriptRequest(script="1"))


async def test_who_waits_for_a_revision_that_does_not_come_is_answered_in_time(
    suite: Suite,
) -> None:
    identity = ServiceIdentity(CLUSTER_KEY.encode(), "registry")
    async with rpc.channel(suite.addresses["edge"], lambda: identity.token("edge")) as channel:
        told = await EdgeServiceStub(channel).GetEdgeStatus(
            pb.GetEdgeStatusRequest(wait_for_revision=10**9), timeout=0.2
        )

    assert 0 < told.revision < 10**9


async def test_the_copy_is_served_after_a_restart_without_the_registry(tmp_path: Path) -> None:
    async with suite_in(tmp_path):
        pass

    async with serving(settings_in(tmp_path)) as edge:
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://{edge.addresses['gateway']}/api/orders/secret"
            assert (await client.post(url, headers={"x-api-key": KEY})).status_code == 403
            assert (await client.post(url)).status_code == 401
        told = await status(edge.addresses)

    assert (told.definitions_stale, told.executor_connected) == (True, False)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        (
            {
                "anonymous_application": "x",
                "management_listen": "0.0.0.0:0",
                "allow_plaintext": LISTENERS,
            },
            "PODIUM_ANONYMOUS_APPLICATION",
        ),
        ({"management_listen": "0.0.0.0:0"}, "PODIUM_ALLOW_PLAINTEXT"),
        ({"listen": "0.0.0.0:0"}, "PODIUM_ALLOW_PLAINTEXT"),
        ({"gateway_listen": "0.0.0.0:0"}, "PODIUM_GATEWAY_TLS_CERT_FILE .*=gateway"),
        ({"gateway_tls_cert_file": Path("a")}, "PODIUM_GATEWAY_TLS_KEY_FILE is not set"),
    ],
)
async def test_what_is_set_and_unsafe_is_refused(
    tmp_path: Path, fields: dict[str, object], word: str
) -> None:
    with pytest.raises(StartupError, match=word):
        async with serving(settings_in(tmp_path, **fields)):
            pass


@pytest.mark.parametrize("listener", ["listen", "gateway_listen", "management_listen"])
async def test_a_port_that_is_taken_is_told(tmp_path: Path, listener: str) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with taken:
        with pytest.raises(StartupError, match=str(port)):
            async with serving(settings_in(tmp_path, **{listener: f"127.0.0.1:{port}"})):
                pass


def test_headers_that_prove_who_calls_cannot_be_shown() -> None:
    with pytest.raises(StartupError, match=r"PODIUM_METADATA_HEADERS.*cookie"):
        environment.read(Settings, {"PODIUM_METADATA_HEADERS": "accept, Cookie"})

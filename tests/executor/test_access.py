"""Who may start and see what, and whose word is taken for whom."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from podium.executor.v1 import executor_pb2 as pb, executor_pb2_grpc as rpc
from services.errors import AlreadyExists, InvalidRequest, NotFound, PermissionDenied
from services.executor.timers import now
from services.replica.copy import Trust
from services.rpc import channel, on_behalf_of, raising_ours
from tests.executor.rig import Rig, executing, new_id, put, start, step, wait, workflow

if TYPE_CHECKING:
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub

TAGGED = workflow(
    "tagged", step("set", "SET_VARIABLE", n=1), tags=[{"key": "team", "value": "payments"}, "eu"]
)
PLAIN = workflow("plain", step("set", "SET_VARIABLE", n=1))


def application(name: str, *grants: tuple[str, str, str], **fields: Any) -> dict[str, Any]:
    permissions = [
        {"target": {"type": kind, "id": of}, "access": [access]} for kind, of, access in grants
    ]
    return {"kind": "application", "id": name, "permissions": permissions, **fields}


BY_PAIR = application("pair", ("tag", "team:payments", "EXECUTE"), ("tag", "team:payments", "READ"))
BY_WORD = application("word", ("tag", "eu", "EXECUTE"), ("tag", "eu", "READ"))
STRANGER = application("stranger", ("tag", "us", "EXECUTE"), ("tag", "us", "READ"))
SHOP = application("shop", ("workflow", "*", "EXECUTE"))
OTHER = application("other", ("workflow", "*", "EXECUTE"))


@pytest.mark.parametrize("name", ["pair", "word"])
async def test_a_grant_by_tag_is_enough_to_start_attach_read_and_watch(
    tmp_path: Path, name: str
) -> None:
    async with executing(tmp_path / "x.db", [TAGGED, BY_PAIR, BY_WORD]) as rig:
        execution_id = await rig.begin("tagged", on_behalf_of=name)
        attach = pb.Attach(execution_id=execution_id, on_behalf_of=name)
        attached = await rig.stub.AttachExecution(
            pb.AttachExecutionRequest(attach=attach, wait=wait(10))
        )
        told = await rig.stub.GetExecution(
            pb.GetExecutionRequest(execution_id=execution_id), metadata=on_behalf_of(name)
        )
        watch = rig.stub.WatchExecution(
            pb.WatchExecutionRequest(execution_id=execution_id), metadata=on_behalf_of(name)
        )

        assert attached.result.status == pb.EXECUTION_STATUS_COMPLETED
        assert told.state.execution_id == execution_id
        assert await anext(aiter(watch))


async def test_a_grant_by_tag_is_good_for_that_tag_only(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [TAGGED, PLAIN, BY_PAIR, STRANGER]) as rig:
        for flow, name in (("tagged", "stranger"), ("plain", "pair"), ("nope", "pair")):
            with pytest.raises(PermissionDenied), raising_ours():
                await rig.begin(flow, on_behalf_of=name)
        execution_id = await rig.begin("tagged")
        attach = pb.Attach(execution_id=execution_id, on_behalf_of="stranger")
        with pytest.raises(NotFound), raising_ours():
            await rig.stub.AttachExecution(pb.AttachExecutionRequest(attach=attach))
        with pytest.raises(NotFound), raising_ours():
            await rig.stub.GetExecution(
                pb.GetExecutionRequest(execution_id=execution_id), metadata=on_behalf_of("stranger")
            )


async def test_who_may_not_read_a_workflow_is_told_neither_its_name_nor_what_runs(
    tmp_path: Path,
) -> None:
    waiting = workflow("payroll", step("hold", "WAIT"))
    async with (
        executing(tmp_path / "x.db", [waiting, STRANGER]) as rig,
        calling(rig, "stranger") as stranger,
        calling(rig, "admin") as admin,
    ):
        execution_id = await rig.begin("payroll")
        for id_ in (execution_id, "nobody's"):
            attach = pb.Attach(execution_id=id_)
            for refused in (
                stranger.GetExecution(pb.GetExecutionRequest(execution_id=id_)),
                stranger.AttachExecution(pb.AttachExecutionRequest(attach=attach)),
            ):
                # The same, whether it is there or not.
                with pytest.raises(NotFound) as caught, raising_ours():
                    await refused
                assert caught.value.detail == f"There is no execution {id_!r}."
                assert caught.value.metadata == {"execution_id": id_}
        asked = pb.GetExecutorStatusRequest()
        assert (await stranger.GetExecutorStatus(asked)).running == 0
        assert (await admin.GetExecutorStatus(asked)).running == 1


async def test_a_watch_ends_with_the_grant_to_read(tmp_path: Path) -> None:
    waiting = workflow("waiting", step("hold", "WAIT"), tags=["eu"])
    async with executing(tmp_path / "x.db", [waiting, BY_WORD]) as rig:
        execution_id = await rig.begin("waiting")
        watch = rig.stub.WatchExecution(
            pb.WatchExecutionRequest(execution_id=execution_id), metadata=on_behalf_of("word")
        )
        told = aiter(watch)
        await anext(told)
        # Nothing has to happen to the execution for that.
        put(rig.replica, application("word", ("tag", "us", "READ")))
        with pytest.raises(NotFound), raising_ours():
            await anext(told)


@asynccontextmanager
async def calling(rig: Rig, name: str) -> AsyncGenerator[ExecutorServiceAsyncStub]:
    """Calls by that application itself, with a token as the registry signs them."""
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    known = {**rig.replica.trust.public_keys, name: pem.decode()}
    rig.replica.trust = Trust(known, frozenset())
    claims = {"iss": "podium", "aud": "podium", "sub": f"application:{name}", "key": "k"}
    claims["exp"] = int(now().timestamp()) + 900  # type: ignore[assignment]
    token = jwt.encode(claims, private, algorithm="EdDSA", headers={"kid": name})
    async with channel(rig.address, lambda: token) as direct:
        yield rpc.ExecutorServiceStub(direct)


def request(flow: str, **fields: Any) -> pb.RunExecutionRequest:
    return pb.RunExecutionRequest(
        start=start(flow, **{"on_behalf_of": "", **fields}), wait=wait(10)
    )


async def test_only_the_edge_says_who_asked_and_how_to_answer(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [PLAIN, SHOP]) as rig, calling(rig, "shop") as shop:
        said = request("plain", principal="key:partners/first", answer='{"statusCode": 418}')
        direct = (await shop.RunExecution(said)).result
        said.start.on_behalf_of = "shop"
        by_edge = (await rig.stub.RunExecution(said)).result

        assert direct.answer == ""
        assert (await rig.get(direct.execution_id)).state.started_by == "application:shop"
        assert by_edge.answer == '{"statusCode": 418}'
        assert (await rig.get(by_edge.execution_id)).state.started_by == "key:partners/first"


async def test_only_the_edge_asks_on_behalf_of_somebody(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [PLAIN, SHOP]) as rig, calling(rig, "shop") as shop:
        with pytest.raises(InvalidRequest), raising_ours():
            await shop.RunExecution(request("plain", on_behalf_of="admin"))


async def test_a_start_is_repeated_by_its_own_caller_only(tmp_path: Path) -> None:
    async with (
        executing(tmp_path / "x.db", [PLAIN, SHOP, OTHER]) as rig,
        calling(rig, "shop") as shop,
        calling(rig, "other") as other,
    ):
        edges, shops = new_id(), new_id()
        await rig.run("plain", execution_id=edges, on_behalf_of="shop", fingerprint=b"same")
        first = await shop.RunExecution(request("plain", execution_id=shops, fingerprint=b"same"))
        again = await shop.RunExecution(request("plain", execution_id=shops, fingerprint=b"same"))
        for stub, execution_id, fingerprint in (
            (shop, edges, b"same"),
            (other, shops, b"same"),
            (shop, shops, b"different"),
        ):
            with pytest.raises(AlreadyExists), raising_ours():
                await stub.RunExecution(
                    request("plain", execution_id=execution_id, fingerprint=fingerprint)
                )

    assert first.result == again.result


async def test_a_right_that_was_used_before_ends_with_its_grant(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [PLAIN, SHOP]) as rig:
        await rig.run("plain", on_behalf_of="shop")
        put(rig.replica, application("shop"))

        with pytest.raises(PermissionDenied), raising_ours():
            await rig.run("plain", on_behalf_of="shop")

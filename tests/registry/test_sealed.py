"""A new sealing key takes the place of the old one while the registry runs, and nothing is left."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.common.v1 import sealing_pb2 as sealing
from podium.common.v1.sealing_pb2_grpc import SecretsServiceStub
from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import PermissionDenied
from services.registry.settings import RegistrySettings
from services.rpc import raising_ours
from services.sealing import Sealer, Unsealable
from tests.registry.registries import ADMIN_SECRET, Running, put, running, settings

OLD = "the key that seals the secrets of all tests"
NEW = "the-key-that-takes-the-place-of-the-old-one"


def secret(name: str, value: str) -> dict[str, str]:
    return {"kind": "secret", "name": name, "value": value}


async def standing(registry: Running) -> sealing.Sealing:
    issued = await registry.anybody.IssueToken(
        pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
    )
    async with rpc.channel(registry.address, lambda: issued.token) as channel:
        response = await SecretsServiceStub(channel).GetSealing(sealing.GetSealingRequest())
    told: sealing.Sealing = response.sealing
    return told


async def until(registry: Running, holds: Callable[[sealing.Sealing], bool]) -> sealing.Sealing:
    """How it stands once that holds of it."""
    async with asyncio.timeout(30):
        while True:
            told = await standing(registry)
            if holds(told):
                return told
            await asyncio.sleep(0.02)


async def settled(registry: Running, key_id: str) -> sealing.Sealing:
    """How it stands once everything is sealed by that key."""

    def by_it(told: sealing.Sealing) -> bool:
        return not told.unclean and {each.key_id for each in told.things} == {key_id}

    return await until(registry, by_it)


def write_keys(home: Path, *keys: str) -> None:
    (home / "new.key").write_text("\n".join(keys))
    (home / "new.key").replace(home / "secret.key")


def bytes_of(home: Path) -> bytes:
    """All that the files of the database hold."""
    return b"".join(path.read_bytes() for path in home.glob("registry.db*"))


async def sealed_values(registry: Running) -> dict[str, str]:
    """As the executor has them."""
    found = {}
    watch = registry.service("executor").WatchDefinitions(
        pb.WatchDefinitionsRequest(kinds=["secret"])
    )
    async for event in watch:
        if event.HasField("caught_up"):
            break
        if event.HasField("change"):
            document = json.loads(event.change.definition.document)
            found[document["name"]] = document["value"]
    watch.cancel()
    return found


async def test_a_new_key_seals_everything_anew_and_the_old_one_opens_nothing_that_is_left(
    tmp_path: Path,
) -> None:
    old, new = Sealer(OLD.encode()), Sealer(NEW.encode())
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, *(secret(f"S{n}", f"value {n}") for n in range(450)))
        await put(registry.admin, secret("S0", "another value"), secret("GONE", "deleted"))
        await registry.admin.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind="secret", name="GONE")
        )
        wanted = pb.GetDefinitionRequest(kind="secret", name="S0")
        before = await registry.admin.GetDefinition(wanted)
        assert (await settled(registry, old.key_id)).keys[0].seals > 900
        assert old.key_id.encode() in bytes_of(tmp_path)

        write_keys(tmp_path, NEW, OLD)
        told = await settled(registry, new.key_id)

        assert [(each.id, each.line, each.needed) for each in told.keys] == [
            (new.key_id, 1, True),
            (old.key_id, 2, False),
        ]
        # Neither in a table nor in a free page nor in the log; and nothing else of it changed.
        assert old.key_id.encode() not in bytes_of(tmp_path)
        assert await registry.admin.GetDefinition(wanted) == before
        values = await sealed_values(registry)
        assert (new.open(values["S0"]), len(values)) == ("another value", 450)
        with pytest.raises(Unsealable):
            old.open(values["S0"])

        write_keys(tmp_path, NEW)
        await put(registry.admin, secret("S1", "value 1"))
        await until(registry, lambda told: [each.id for each in told.keys] == [new.key_id])
    async with running(with_keys(tmp_path)) as registry:
        assert (await standing(registry)).keys[0].id == new.key_id


async def test_what_was_broken_off_goes_on_at_the_next_start(tmp_path: Path) -> None:
    """As a process leaves it that dies between two pages, or before the file is written anew."""
    old, new = Sealer(OLD.encode()), Sealer(NEW.encode())
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, *(secret(f"S{n}", f"value {n}") for n in range(5)))
    with sqlite3.connect(tmp_path / "registry.db") as db:
        text = db.execute("SELECT document FROM definitions WHERE name = 'S3'").fetchone()[0]
        document = json.loads(text)
        document["value"] = new.seal(old.open(document["value"]))
        db.execute("UPDATE definitions SET document = ? WHERE name = 'S3'", [json.dumps(document)])
        db.execute("PRAGMA user_version = 1")
    db.close()
    write_keys(tmp_path, NEW, OLD)

    async with running(with_keys(tmp_path)) as registry:
        await settled(registry, new.key_id)

        values = await sealed_values(registry)
        assert [new.open(values[f"S{n}"]) for n in range(5)] == [f"value {n}" for n in range(5)]
        assert old.key_id.encode() not in bytes_of(tmp_path)


async def test_what_no_key_opens_is_told_and_holds_up_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = Sealer(b"a key that nobody has any more, so long")
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, secret("LOST", "hunter2"), secret("KEPT", "hunter3"))
    with sqlite3.connect(tmp_path / "registry.db") as db:
        document = json.dumps({"kind": "secret", "name": "LOST", "value": lost.seal("hunter2")})
        db.execute("UPDATE definitions SET document = ? WHERE name = 'LOST'", [document])
    db.close()
    write_keys(tmp_path, NEW, OLD)

    async with running(with_keys(tmp_path)) as registry:
        told = await until(registry, lambda told: told.keys[1].seals == 0 and not told.unclean)

        left = [each for each in told.keys if each.id == lost.key_id]
        assert [(each.line, each.seals, each.needed) for each in left] == [(0, 1, True)]
        assert (told.things[0].name, told.things[0].key_id) == ("LOST", lost.key_id)
        assert "No key opens the secret 'LOST'." in caplog.text


async def test_who_may_not_operate_is_not_told_how_secrets_are_sealed(registry: Running) -> None:
    await registry.application("viewer", roles=["VIEWER"])
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="viewer"))
    issued = await registry.anybody.IssueToken(
        pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
    )
    async with rpc.channel(registry.address, lambda: issued.token) as channel:
        with pytest.raises(PermissionDenied), raising_ours():
            await SecretsServiceStub(channel).GetSealing(sealing.GetSealingRequest())


HTTP = {
    "name": "send",
    "taskReferenceName": "send",
    "type": "HTTP",
    "inputParameters": {"uri": "http://h.example/", "method": "GET",
                        "headers": {"X": "${workflow.secrets.TOKEN.field}"}},
}  # fmt: skip
USERS = [
    {"name": "sends", "tasks": [HTTP]},
    {"name": "works", "tasks": [{**HTTP, "type": "SIMPLE"}]},
    {
        "name": "far behind spaces",
        "tasks": [{**HTTP, "inputParameters": {
            "uri": f"http://127.0.0.1:9/${{{' ' * 600}workflow.secrets.TOKEN.field}}",
                        "method": "GET",
        }}],
    },
    {"kind": "task", "name": "given", "runtimeMetadata": ["TOKEN"]},
    {
        "name": "gives",
        "tasks": [{"name": "n", "taskReferenceName": "n", "type": "SIMPLE",
                   "taskDefinition": {"name": "n", "runtimeMetadata": ["TOKEN"]}}],
    },
    {"kind": "webhook", "name": "hook", "verifier": {"type": "GITHUB", "secretName": "TOKEN"}},
]  # fmt: skip


@pytest.mark.parametrize("document", USERS, ids=lambda each: str(each["name"]))
async def test_who_has_a_secret_sent_somewhere_needs_read_on_it(
    registry: Running, document: dict[str, object]
) -> None:
    await put(registry.admin, secret("TOKEN", '{"field": "hunter2-hunter2"}'))
    every = [
        {"target": {"type": kind, "id": "*"}, "access": ["CREATE", "UPDATE", "READ"]}
        for kind in ("workflow", "task", "webhook")
    ]
    without = await registry.application("without", permissions=every)
    read = {"target": {"type": "secret", "id": "TOKEN"}, "access": ["READ"]}
    having = await registry.application("having", permissions=[*every, read])

    with pytest.raises(PermissionDenied, match="uses the secret 'TOKEN'"), raising_ours():
        await put(without, document)
    await put(having, document)
    with pytest.raises(PermissionDenied), raising_ours():
        await put(without, document)


async def test_who_says_where_the_secret_of_a_task_definition_goes_needs_read_on_it(
    registry: Running,
) -> None:
    given = {"headers": {"X": "${workflow.secrets.TOKEN}"}}
    await put(registry.admin, secret("TOKEN", "hunter2-hunter2"))
    await put(registry.admin, {"kind": "task", "name": "send", "inputTemplate": given})
    every = {"target": {"type": "workflow", "id": "*"}, "access": ["CREATE", "UPDATE", "READ"]}
    without = await registry.application("without", permissions=[every])
    call = {**HTTP, "inputParameters": {"uri": "http://elsewhere.example/", "method": "GET"}}

    with pytest.raises(PermissionDenied, match="uses the secret 'TOKEN'"), raising_ours():
        await put(without, {"name": "calls", "tasks": [call]})
    # To the workers of that task only, whoever has it done.
    await put(without, {"name": "works", "tasks": [{**call, "type": "SIMPLE"}]})


async def test_who_puts_a_secret_without_its_value_needs_read_to_use_it(registry: Running) -> None:
    await put(registry.admin, secret("TOKEN", '{"field": "hunter2-hunter2"}'))
    every = [
        {"target": {"type": kind, "id": "*"}, "access": ["CREATE", "UPDATE"]}
        for kind in ("workflow", "secret")
    ]
    writer = await registry.application("writer", permissions=every)
    sends = {"name": "sends", "tasks": [HTTP]}

    with pytest.raises(PermissionDenied, match="uses the secret 'TOKEN'"), raising_ours():
        await put(writer, {"kind": "secret", "name": "TOKEN", "description": "mine?"}, sends)
    await put(writer, secret("TOKEN", '{"field": "another one"}'), sends)


async def test_a_secret_keeps_its_last_three_values_for_those_who_mask(registry: Running) -> None:
    for number in range(5):
        await put(registry.admin, secret("S", f"value {number}"))
        await put(registry.admin, secret("S", f"value {number}"))
    watch = registry.service("executor").WatchDefinitions(
        pb.WatchDefinitionsRequest(kinds=["secret"])
    )
    async for event in watch:
        if event.HasField("change"):
            document = json.loads(event.change.definition.document)
            break
    watch.cancel()
    got = await registry.admin.GetDefinition(pb.GetDefinitionRequest(kind="secret", name="S"))

    opened = Sealer(OLD.encode()).open
    assert opened(document["value"]) == "value 4"
    assert [opened(each["value"]) for each in document["formerValues"]] == [
        "value 3", "value 2", "value 1",
    ]  # fmt: skip
    assert json.loads(got.definition.document) == {"kind": "secret", "name": "S"}


@pytest.mark.parametrize(
    ("value", "said"), [("abc", "not masked"), ("abcdefg", "within longer base64"), ("a" * 8, "")]
)
async def test_a_value_too_short_to_be_masked_is_told(
    registry: Running, value: str, said: str
) -> None:
    (result,) = await put(registry.admin, secret("S", value))

    warned = result.warnings
    assert (len(warned) == 1 and said in warned[0]) if said else not warned
    assert value not in str(warned) or len(value) < 4


def with_keys(home: Path) -> RegistrySettings:
    """The settings of a registry in ``home`` with the keys that are there."""
    kept = (home / "secret.key").read_text()
    told = settings(home)
    (home / "secret.key").write_text(kept)
    return told

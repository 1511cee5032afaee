"""Starting and ending the registry: its first administrator, and one line where it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services import rpc
from services.errors import Unauthenticated
from services.process import StartupError
from services.registry.serving import serving
from tests.registry.registries import (
    ADMIN_SECRET,
    WORKFLOW,
    document,
    get,
    put,
    running,
    settings,
)


async def refused(told: object) -> str:
    """The line with which a registry of those settings does not start."""
    with pytest.raises(StartupError) as caught:
        async with serving(told):  # type: ignore[arg-type]
            pass
    line = str(caught.value)
    assert "\n" not in line
    return line


async def test_a_new_registry_needs_the_key_of_its_administrator(tmp_path: Path) -> None:
    line = await refused(settings(tmp_path, admin_key_id="", admin_key_secret_file=None))

    assert "PODIUM_ADMIN_KEY_ID" in line
    # And the next start, with the key, is as new.
    async with running(settings(tmp_path)) as registry:
        application = await document(registry.admin, "application", "admin")
    assert application["roles"] == ["ADMIN"]


async def test_half_a_key_and_a_short_secret_are_refused(tmp_path: Path) -> None:
    assert "go together" in await refused(settings(tmp_path, admin_key_id=""))
    assert "go together" in await refused(settings(tmp_path, admin_key_secret_file=None))
    missing = settings(tmp_path, admin_key_secret_file=tmp_path / "nowhere")
    assert "nowhere" in await refused(missing)
    told = settings(tmp_path)
    (tmp_path / "admin.secret").write_text("short\n")
    assert "16 characters" in await refused(told)


async def test_an_old_registry_starts_without_a_key_and_keeps_what_it_has(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, WORKFLOW)
        before = await get(registry.admin, "workflow", "checkout")
        token = await registry.anybody.IssueToken(
            pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
        )

    told = settings(tmp_path, admin_key_id="", admin_key_secret_file=None)
    # A token from before holds: the signing key is the store's.
    async with (
        serving(told) as address,
        rpc.channel(address, lambda: token.token) as channel,
    ):
        after = await get(RegistryServiceStub(channel), "workflow", "checkout")

    assert after == before


async def test_a_key_that_is_not_known_is_the_administrators_and_a_revoked_one_is_not(
    tmp_path: Path,
) -> None:
    async with running(settings(tmp_path)) as registry:
        pass
    async with serving(settings(tmp_path, admin_key_id="second")) as address:
        async with rpc.channel(address) as channel:
            anybody = RegistryServiceStub(channel)
            request = pb.IssueTokenRequest(key_id="second", key_secret=ADMIN_SECRET)
            token = (await anybody.IssueToken(request)).token
        async with rpc.channel(address, lambda: token) as channel:
            admin = RegistryServiceStub(channel)
            await admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id="admin-key"))

    with pytest.raises(Unauthenticated), rpc.raising_ours():
        async with running(settings(tmp_path)) as registry:
            assert not registry.channels


async def test_another_secret_key_than_the_databases_is_told(tmp_path: Path) -> None:
    async with running(settings(tmp_path)):
        pass
    told = settings(tmp_path)
    (tmp_path / "secret.key").write_text("quite another key that seals nothing here")

    assert "PODIUM_SECRET_KEY_FILE" in await refused(told)


async def test_plain_text_is_not_served_to_a_network(tmp_path: Path) -> None:
    assert "PODIUM_ALLOW_PLAINTEXT" in await refused(settings(tmp_path, listen="0.0.0.0:0"))


async def test_a_database_from_a_later_version_is_refused(tmp_path: Path) -> None:
    async with running(settings(tmp_path)):
        pass
    database = Database(tmp_path / "registry.db")
    database.table("_sqlite_migrations").insert(
        {"migration_set": "registry", "name": "m999", "applied_at": "2030-01-01"}
    )
    database.close()

    assert "later version" in await refused(settings(tmp_path))


async def test_a_file_that_is_no_database_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"this is no database" * 100)

    assert "registry.db" in await refused(settings(tmp_path))
    assert (tmp_path / "registry.db").read_bytes() == b"this is no database" * 100


async def test_a_torn_database_is_told(tmp_path: Path) -> None:
    async with running(settings(tmp_path)):
        pass
    path = tmp_path / "registry.db"
    content, lines = path.read_bytes(), list[str]()
    for page in range(4096, len(content), 4096):
        path.write_bytes(content[:page] + b"\xff" * 4096 + content[page + 4096 :])
        try:
            # A page that nothing has looked at yet keeps nobody from starting.
            async with serving(settings(tmp_path)):
                pass
        except StartupError as error:
            lines.append(str(error))

    assert len(lines) > 5
    assert all("registry.db is corrupt" in line and "\n" not in line for line in lines)


async def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    told = settings(tmp_path, database=tmp_path / "secret.key" / "registry.db")

    assert "secret.key/registry.db" in await refused(told)


# The process itself


@dataclass
class Process:
    """``python -m services.registry`` in ``home``."""

    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        told = settings(self.home)
        return {
            **os.environ,
            "PODIUM_HOME": str(self.home),
            "PODIUM_REGISTRY_LISTEN": told.listen,
            "PODIUM_ADMIN_KEY_ID": told.admin_key_id,
            "PODIUM_ADMIN_KEY_SECRET_FILE": str(told.admin_key_secret_file),
            **more,
        }

    def fails(self, **more: str) -> str:
        """What it says when it cannot start; it exits with 1."""
        done = subprocess.run(
            [sys.executable, "-m", "services.registry"],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert done.stdout == ""
        return done.stderr

    @contextmanager
    def runs(self) -> Generator[tuple[subprocess.Popen[bytes], str]]:
        """The process, once it serves, and its address."""
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-m", "services.registry"],
            env=self.environment(PODIUM_READY_FD=str(writing)),
            pass_fds=(writing,),
        )
        os.close(writing)
        try:
            with os.fdopen(reading) as ready:
                address = json.loads(ready.readline())["registry"]
            yield process, address
        finally:
            process.kill()
            process.wait()


async def test_what_was_put_outlives_a_kill(tmp_path: Path) -> None:
    """Starts two processes: takes a second."""
    process = Process(tmp_path)
    with process.runs() as (first, address):
        async with rpc.channel(address) as channel:
            request = pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
            token = (await RegistryServiceStub(channel).IssueToken(request)).token
        async with rpc.channel(address, lambda: token) as channel:
            await put(RegistryServiceStub(channel), WORKFLOW)
            first.kill()
            first.wait()

    with process.runs() as (second, address):
        async with rpc.channel(address, lambda: token) as channel:
            await get(RegistryServiceStub(channel), "workflow", "checkout")
            second.send_signal(signal.SIGTERM)
            assert second.wait(10) == 0


async def test_a_port_that_is_taken_and_a_database_in_use_are_one_line_each(
    tmp_path: Path,
) -> None:
    """Starts two processes, one of which waits 2 s for the database."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        told = Process(tmp_path).fails(PODIUM_REGISTRY_LISTEN=address)
    assert told.startswith(f"podium-registry: {address} cannot be served on: ")
    assert told.count("\n") == 1

    async with running(settings(tmp_path)):
        told = Process(tmp_path).fails()
    assert f"process {os.getpid()}" in told
    assert told.count("\n") == 1

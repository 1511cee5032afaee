"""Backups as files: whole or not at all, and never taken for what they are not."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from services.backups import archive, making, manifest as manifests
from services.backups.parts import BackupError, places
from services.home import KEYS
from services.sealing import sealer_of
from tests.backups.homes import made, rows, small_disk
from tests.system.running import podium
from tui.cli.backup import quietly

NO_DATABASES: dict[str, Path | None] = {}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("backup") / "home")


@pytest.fixture(scope="module")
def backup(home: Path) -> Path:
    making.to_file(wanted(home), home.parent / "podium.backup")
    return home.parent / "podium.backup"


def wanted(home: Path, *, with_keys: bool = False) -> making.Wanted:
    found = places(home, NO_DATABASES, None)
    return making.Wanted(found, with_keys, lambda: datetime.now(UTC))


def test_a_backup_has_what_was_committed_and_says_how_it_stood(
    home: Path, backup: Path, tmp_path: Path
) -> None:
    manifest = archive.unpack(backup, tmp_path)

    for name in ("executor.db", "registry.db"):
        entry = manifest.entry(name)
        assert entry is not None
        assert (tmp_path / name).stat().st_size == entry.bytes
        assert entry.revision > 0
        assert all((entry.epoch, entry.schema, entry.written_by))
    for table in ("executions", "tasks", "timers", "snapshots", "changes"):
        every = f"SELECT * FROM {table}"
        assert rows(tmp_path / "executor.db", every) == rows(home / "executor.db", every)
    assert manifest == archive.manifest_of(backup)
    assert manifest.keys == sealer_of(home / "secret.key").key_ids


def test_executions_are_copied_before_definitions(backup: Path) -> None:
    taken = {each.name: each.taken_at for each in archive.manifest_of(backup).entries}

    assert taken["executor.db"] < taken["registry.db"]


def test_keys_are_in_a_backup_only_where_that_is_asked_for(home: Path, tmp_path: Path) -> None:
    for with_keys in (False, True):
        file = tmp_path / f"{with_keys}.backup"
        making.to_file(wanted(home, with_keys=with_keys), file)
        content = gzip.decompress(file.read_bytes())
        held = {each.name for each in archive.manifest_of(file).entries} & set(KEYS)

        assert held == (set(KEYS) if with_keys else set())
        for name in ("secret.key", "cluster.key", "admin.secret"):
            assert ((home / name).read_bytes().strip() in content) is with_keys
        assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_written_while_it_is_made_waits_for_nobody(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home / "executor.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO snapshots VALUES ('not committed', '{}')")
        making.to_file(wanted(home), tmp_path / "one")
        db.execute("ROLLBACK")

    archive.unpack(tmp_path / "one", tmp_path)
    assert rows(tmp_path / "executor.db", "SELECT hash FROM snapshots") == [("hash",)]


# A flipped byte of gzip's own header may say nothing of what follows.
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(10), st.integers(1, 255))
def test_a_changed_byte_is_seen(
    backup: Path, tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    content = bytearray(backup.read_bytes())
    content[10 + place % (len(content) - 10)] ^= change
    folder = tmp_path_factory.mktemp("changed")
    (folder / "file").write_bytes(content)

    try:
        manifest = archive.unpack(folder / "file", folder)
    except BackupError:
        return
    # A few bits of a compressed text mean nothing: then it must be the same text.
    assert manifest == archive.manifest_of(backup)
    assert gzip.decompress(bytes(content)) == gzip.decompress(backup.read_bytes())


@pytest.mark.parametrize("part", [0, 0.3, 0.9, 0.999])
def test_half_a_backup_is_none(backup: Path, tmp_path: Path, part: float) -> None:
    content = backup.read_bytes()
    (tmp_path / "half").write_bytes(content[: int(len(content) * part)])

    with pytest.raises(BackupError):
        archive.unpack(tmp_path / "half", tmp_path)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "manifest.json", "endpoints.json"])
def test_nothing_is_unpacked_but_what_a_suite_has(backup: Path, tmp_path: Path, name: str) -> None:
    manifest = archive.unpack(backup, tmp_path)
    document = {"format": 1, **manifest.document()}
    document["entries"][-1]["name"] = name
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    with tarfile.open(tmp_path / "evil.backup", "w:gz", format=tarfile.GNU_FORMAT) as tar:
        tar.add(tmp_path / "manifest.json", "manifest.json")
        for entry in manifest.entries[:-1]:
            tar.add(tmp_path / entry.name, entry.name)
        tar.add(tmp_path / "ports.json", name)
    (tmp_path / "into").mkdir()

    with pytest.raises(BackupError, match="none of a suite's"):
        archive.unpack(tmp_path / "evil.backup", tmp_path / "into")
    assert not list((tmp_path / "into").iterdir())


def hostile(path: Path, header: tarfile.TarInfo, content: bytes = b"") -> Path:
    with gzip.open(path, "wb") as packed:
        packed.write(header.tobuf() + content + bytes(-len(content) % 512))
    return path


def member(kind: bytes, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(manifests.NAME)
    header.type, header.size = kind, size
    return header


# A reader of archives at large takes all of what some kinds announce into memory.
@pytest.mark.parametrize(
    "kind",
    [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME],
)
def test_what_is_no_file_is_no_backup(tmp_path: Path, kind: bytes) -> None:
    announced = bytes(32 << 20)
    path = hostile(tmp_path / "one", member(kind, len(announced)), announced)

    tracemalloc.start()
    with pytest.raises(BackupError, match="is no backup"):
        archive.unpack(path, tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


HARMS: list[dict[str, Any]] = [
    {"format": float("inf")},
    {"madeAt": "0001-01-01T00:00:00+14:00"},
    {"madeAt": "9999-12-31T23:59:59.999999+00:00"},
    {"podium": "\x1b[2J"},
    {"keys": ["k" * 101]},
    {"format": 2, "podium": "\x1b[2J"},
    {"entries": [{"bytes": -1}]},
    {"entries": [{"bytes": float("inf")}]},
]


@pytest.mark.parametrize("harm", HARMS)
def test_a_manifest_that_makes_no_sense_is_refused(backup: Path, harm: dict[str, Any]) -> None:
    document = {"format": 1, **archive.manifest_of(backup).document()}
    entries = harm.pop("entries", [{}])
    document["entries"] = [{**document["entries"][0], **each} for each in entries]

    with pytest.raises(BackupError, match="makes no sense"):
        manifests.read(json.dumps({**document, **harm}).encode())


def test_what_follows_the_last_file_is_not_read(backup: Path, tmp_path: Path) -> None:
    content = gzip.decompress(backup.read_bytes())
    (tmp_path / "zeros").write_bytes(gzip.compress(content + bytes(32 << 20), 1))
    (tmp_path / "text").write_bytes(gzip.compress(content + b"more", 1))

    for name in ("zeros", "text"):
        (tmp_path / f"{name}.d").mkdir()
        with pytest.raises(BackupError, match="has more than its manifest says"):
            archive.unpack(tmp_path / name, tmp_path / f"{name}.d")


def test_a_form_of_a_later_version_is_refused(backup: Path) -> None:
    document = {"format": 2, "podium": "9.9.9"}

    with pytest.raises(BackupError, match=r"Podium 9\.9\.9"):
        manifests.read(json.dumps(document).encode())


def test_what_a_killed_backup_left_is_dropped_by_the_next(home: Path, tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = ended.pid
    left, alive = (tmp_path / f".one.{each}.x.partial" for each in (dead, os.getpid()))
    for each in (left, alive):
        each.mkdir()

    making.to_file(wanted(home), tmp_path / "one")

    assert sorted(each.name for each in tmp_path.iterdir()) == [alive.name, "one"]


def test_a_full_disk_is_told_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        done = podium("backup", str(small / "podium.backup"), "--home", str(home))

        assert done.returncode == 1
        assert f"there is no room in {small}" in done.stderr
        assert not list(small.iterdir())


@pytest.mark.parametrize(
    "name", ["executor.db", "registry.db-wal", "secret.key", "registry.db.lock"]
)
def test_what_belongs_to_the_suite_is_not_replaced(home: Path, tmp_path: Path, name: str) -> None:
    before = (home / name).read_bytes() if (home / name).exists() else None
    (tmp_path / "link").symlink_to(home / name)

    for target in (home / name, tmp_path / "link"):
        with pytest.raises(BackupError, match="belongs to the suite"):
            making.to_file(wanted(home), target)
    assert ((home / name).read_bytes() if (home / name).exists() else None) == before


def test_what_is_no_file_is_not_replaced(home: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "device")

    with pytest.raises(BackupError, match="is no file"):
        making.to_file(wanted(home), tmp_path / "device")
    assert (tmp_path / "device").is_fifo()


def test_a_link_goes_on_to_name_the_file_that_is_replaced(home: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(tmp_path / "there")

    (tmp_path / "there").write_text("of before")

    making.to_file(wanted(home), tmp_path / "latest")

    assert (tmp_path / "latest").is_symlink()
    assert archive.manifest_of(tmp_path / "there").entry("executor.db")


def test_where_no_database_is_it_is_said_where_to_look(tmp_path: Path) -> None:
    done = podium("backup", str(tmp_path / "one"), "--home", str(tmp_path))

    assert done.returncode == 1
    assert "--executor-database (PODIUM_EXECUTOR_DATABASE)" in done.stderr
    assert not (tmp_path / "one").exists()


def test_databases_and_key_may_be_elsewhere(home: Path, tmp_path: Path) -> None:
    done = podium(
        "backup", str(tmp_path / "one"), "--home", str(tmp_path),
        "--executor-database", str(home / "executor.db"),
        "--registry-database", str(home / "registry.db"),
        "--secret-key-file", str(home / "secret.key"), "--output", "json",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["keys"] == list(sealer_of(home / "secret.key").key_ids)


def test_a_backup_can_go_through_a_pipe(home: Path, tmp_path: Path) -> None:
    script = f"{sys.executable} -m tui backup - --home {home} > {tmp_path}/one"
    subprocess.run(["sh", "-c", script], check=True, timeout=60)

    assert archive.unpack(tmp_path / "one", tmp_path).entry("executor.db")


def test_standard_output_that_is_full_is_told(home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "backup", "-", "--home", str(home)],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip

    assert done.returncode == 1
    assert "no room" in done.stderr
    assert "where standard output goes" in done.stderr


@pytest.mark.timeout(20)
def test_where_priorities_are_not_to_be_had_it_is_made_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(os, "setpriority", refused)

    assert quietly(lambda: "made") == "made"


def test_a_damaged_database_is_named(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "executor.db"
    broken.write_bytes(b"no database at all, but long enough to be one" * 100)
    (tmp_path / "registry.db").write_bytes((home / "registry.db").read_bytes())

    with pytest.raises(BackupError, match="podium check says what is wrong"):
        making.to_file(wanted(tmp_path), tmp_path / "one")
    assert not (tmp_path / "one").exists()

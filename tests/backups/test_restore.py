"""Restoring: into a home that is whole at every moment, with epochs of its own."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from services.backups import archive, making
from services.backups.parts import BackupError
from services.backups.restoring import Order, restore
from services.locks import held
from tests.backups.homes import AT, NOW, made, rows, run, small_disk
from tests.backups.test_backup import wanted
from tests.system.conftest import needs

MICROS = round(NOW.timestamp() * 1_000_000)
EVERY = "SELECT id, status, ended_at, input FROM executions ORDER BY id"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("restore") / "home")


@pytest.fixture(scope="module")
def backup(home: Path) -> Path:
    making.to_file(wanted(home), home.parent / "podium.backup")
    return home.parent / "podium.backup"


@pytest.fixture
def order(backup: Path, tmp_path: Path) -> Order:
    return Order(backup, tmp_path / "new", replace=False, resume=False, now=NOW)


def epoch(path: Path) -> object:
    return rows(path, "SELECT value FROM meta WHERE name = 'epoch'")


def test_what_was_under_way_waits_paused_and_all_else_is_as_it_was(
    order: Order, home: Path
) -> None:
    done = restore(order)

    executor = order.home / "executor.db"
    assert done.under_way == 2
    assert rows(executor, EVERY) == [
        ("a", "PAUSED", None, "{}"),
        ("b", "PAUSED", None, "{}"),
        ("c", "COMPLETED", AT, "{}"),
    ]
    for table in ("tasks", "timers", "snapshots", "changes", "idempotency_keys"):
        every = f"SELECT * FROM {table}"
        assert rows(executor, every) == rows(home / "executor.db", every)
    for table in ("definitions", "history", "signing_keys"):
        every = f"SELECT * FROM {table}"
        assert rows(order.home / "registry.db", every) == rows(home / "registry.db", every)
    entries = "SELECT * FROM audit ORDER BY id"
    *before, restored = rows(order.home / "registry.db", entries)
    assert before == rows(home / "registry.db", entries)
    assert "restore" in restored


def test_with_resume_executions_are_as_they_were(order: Order, home: Path) -> None:
    restore(replace(order, resume=True))

    assert rows(order.home / "executor.db", EVERY) == rows(home / "executor.db", EVERY)
    assert rows(order.home / "executor.db", "SELECT * FROM restored") == []


def test_each_restore_has_epochs_of_its_own(order: Order, home: Path) -> None:
    for name in ("executor.db", "registry.db"):
        seen = {str(epoch(home / name))}
        for number in range(2):
            place = order.home.with_name(f"{name}{number}")
            restore(replace(order, home=place))
            seen.add(str(epoch(place / name)))
        assert len(seen) == 3


def test_revisions_go_on_after_those_that_were_handed_out(order: Order, home: Path) -> None:
    restore(order)

    for file, name in (("executor.db", "changes"), ("registry.db", "history")):
        last = f"SELECT seq FROM sqlite_sequence WHERE name = '{name}'"
        assert rows(order.home / file, last) == rows(home / file, last)


def test_schedules_begin_with_the_restore(order: Order) -> None:
    restore(order)

    assert rows(order.home / "executor.db", "SELECT since FROM schedules") == [(MICROS,)]


def test_a_home_with_data_is_replaced_only_where_that_is_said(order: Order, tmp_path: Path) -> None:
    old = made(order.home)
    before = epoch(old / "executor.db")
    (old / "tls").mkdir()
    (old / "tls" / "ca.crt").write_text("whom all trust")
    (old / "secret.key").write_bytes((order.file.parent / "home" / "secret.key").read_bytes())

    with pytest.raises(BackupError, match=r"executor\.db and registry\.db already; --replace"):
        restore(order)
    assert epoch(old / "executor.db") == before

    done = restore(replace(order, replace=True))
    assert done.aside is not None
    assert done.aside.parent == tmp_path
    assert epoch(done.aside / "executor.db") == before
    assert rows(order.home / "executor.db", EVERY)[0][1] == "PAUSED"
    # Keys, certificates and addresses stay with the home.
    kept = ("cluster.key", "credentials.json", "admin.secret", "ports.json", "tls/ca.crt")
    for name in kept:
        assert (order.home / name).read_bytes() == (done.aside / name).read_bytes()


def test_a_home_that_somebody_else_makes_meanwhile_is_left_alone(
    order: Order, home: Path, tmp_path: Path
) -> None:
    slow = tmp_path / "slow.backup"
    os.mkfifo(slow)

    def meanwhile() -> None:
        # It is opened once the backup is read: after the look at what is there.
        with slow.open("wb") as pipe:
            made(order.home)
            shutil.copy(home / "secret.key", order.home)
            pipe.write(order.file.read_bytes())

    with ThreadPoolExecutor(1) as pool:
        making_one = pool.submit(meanwhile)
        with pytest.raises(BackupError, match="not empty"):
            restore(replace(order, file=slow, replace=True))
        making_one.result(20)
    assert rows(order.home / "executor.db", EVERY)[0][1] == "RUNNING"
    assert not list(tmp_path.glob("new.before-*"))


def test_keys_may_be_in_the_home_before(order: Order, home: Path) -> None:
    order.home.mkdir()
    (order.home / "secret.key").write_bytes((home / "secret.key").read_bytes())

    done = restore(order)

    assert (done.aside, done.key_missing) == (None, ())
    assert (order.home / "secret.key").read_bytes() == (home / "secret.key").read_bytes()


def test_another_key_than_its_own_is_refused(order: Order) -> None:
    order.home.mkdir()
    (order.home / "secret.key").write_text("another key, of enough characters\n")

    with pytest.raises(BackupError, match="put the right one there"):
        restore(order)
    assert {each.name for each in order.home.iterdir()} == {"secret.key", "suite.lock"}


def test_without_keys_it_is_said_which_is_missing(order: Order) -> None:
    missing = restore(order).key_missing

    assert missing
    assert missing == archive.manifest_of(order.file).keys


def test_a_key_that_took_its_place_is_enough_with_the_old_one_behind_it(
    order: Order, home: Path
) -> None:
    order.home.mkdir()
    old = (home / "secret.key").read_text()
    (order.home / "secret.key").write_text(f"another key, of enough characters, as it is\n{old}")

    assert restore(order).key_missing == ()


@pytest.mark.parametrize("lock", ["suite.lock", "registry.db.lock", "executor.db.lock"])
def test_a_home_in_use_is_left_alone(order: Order, lock: str) -> None:
    made(order.home)

    with (
        held(order.home / lock),
        pytest.raises(BackupError, match=f"in use by process {os.getpid()}.*stop it"),
    ):
        restore(replace(order, replace=True))


@pytest.mark.parametrize("file", ["executor.db", "registry.db"])
def test_what_a_later_version_has_written_is_refused(
    home: Path, order: Order, tmp_path: Path, file: str
) -> None:
    newer = made(tmp_path / "newer")
    set_name = file.removesuffix(".db")
    run(
        newer / file,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        f"VALUES ('{set_name}', 'm999_later', '')",
    )
    run(newer / file, "INSERT INTO podium_versions VALUES ('9.9.9', '2030')")
    making.to_file(wanted(newer), tmp_path / "newer.backup")

    with pytest.raises(
        BackupError, match=r"written by Podium 9\.9\.9 .*m999_later.*this is Podium"
    ):
        restore(replace(order, file=tmp_path / "newer.backup"))
    assert not order.home.exists()
    assert not list(tmp_path.glob(".*restoring*"))


def test_a_full_disk_is_told_and_leaves_no_home(order: Order, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        with pytest.raises(BackupError, match="There is no room to restore in"):
            restore(replace(order, home=small / "home"))
        assert not list(small.iterdir())


def test_a_mount_point_cannot_be_replaced_at_once(order: Order) -> None:
    with pytest.raises(BackupError, match="is a mount point"):
        restore(replace(order, home=Path("/proc")))


def test_killed_at_any_moment_it_leaves_the_old_home_or_the_new(
    home: Path, order: Order, tmp_path: Path
) -> None:
    """Slow: each time is a process."""
    old = made(order.home)
    (old / "secret.key").write_bytes((home / "secret.key").read_bytes())
    before, was = epoch(old / "executor.db"), [("a", "RUNNING"), ("b", "RUNNING")]
    words = [sys.executable, "-m", "tui", "restore", str(order.file), "--home", str(old)]
    seen = set()
    for moment in itertools.count():
        process = subprocess.Popen([*words, "--replace"], stdout=subprocess.DEVNULL)
        _await_begun(tmp_path, process)
        time.sleep(0.03 * moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        stands = rows(old / "executor.db", "SELECT id, status FROM executions WHERE id < 'c'")
        new = epoch(old / "executor.db") != before
        assert stands == ([("a", "PAUSED"), ("b", "PAUSED")] if new else was)
        assert json.loads((old / "ports.json").read_text()) == {}
        assert (old / "secret.key").exists()
        seen.add(new)
        if new:
            break
    assert True in seen
    # What those left that were killed is gone with the next; what was replaced is not.
    assert len(list(tmp_path.glob(".new.restoring.*"))) <= 1
    assert [epoch(each / "executor.db") for each in tmp_path.glob("new.before-*")].count(
        before
    ) == 1


def test_killed_as_it_swaps_it_calls_nothing_what_was_there_before(
    home: Path, order: Order, tmp_path: Path
) -> None:
    needs("strace")
    old = made(order.home)
    shutil.copy(home / "secret.key", old)
    before = epoch(old / "executor.db")
    words = [sys.executable, "-m", "tui", "restore", str(order.file), "--home", str(old)]
    killed = ["-e", "renameat2", "-e", "inject=renameat2:signal=SIGKILL"]
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", *killed]
    if subprocess.run([*strace, "true"], capture_output=True).returncode:
        pytest.skip("needs the right to trace")

    subprocess.run([*strace, *words, "--replace"], capture_output=True, timeout=60)

    assert epoch(old / "executor.db") == before
    assert not list(tmp_path.glob("new.before-*"))
    assert len(list(tmp_path.glob("new.swapped-*"))) == 1


def _await_begun(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has begun to restore, or has ended."""
    mine = f".new.restoring.{process.pid}.*"
    while process.poll() is None and not any(folder.glob(mine)):
        time.sleep(0.0005)

"""Looking for what is wrong: nothing where nothing is, and each kind of harm by name."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from services.backups import checking, making
from services.backups.parts import places
from services.executor import fulltext, integrity
from tests.backups.homes import AT, made, rows, run
from tests.backups.test_backup import NO_DATABASES, wanted
from tests.system.running import podium


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return made(tmp_path / "home")


def found(home: Path) -> list[str]:
    report = checking.suite(places(home, NO_DATABASES, None), thorough=True)
    assert all(each.way_out for each in report.findings)
    return [f"{Path(each.where).name}: {each.what}" for each in report.findings]


def test_nothing_is_wrong_with_a_sound_home(home: Path) -> None:
    assert found(home) == []


EXECUTOR, REGISTRY = "executor.db", "registry.db"
HARMS = [
    (EXECUTOR, "DELETE FROM snapshots", "3 executions whose definition is not in the database"),
    (EXECUTOR, "INSERT INTO timers VALUES ('c', 't', 'until', 1)", "for which timers wait: c."),
    (EXECUTOR, "INSERT INTO timers VALUES ('gone', 't', 'until', 1)", "timers wait: gone."),
    (EXECUTOR, "DELETE FROM executions WHERE id = 'c'", "gone, and whose tasks are there: c."),
    (EXECUTOR, f"UPDATE executions SET ended_at = {AT} WHERE id = 'a'", "time of end"),
    (EXECUTOR, f"UPDATE tasks SET ended_at = {AT} WHERE execution_id = 'b'",
     "nothing will ever end them: b."),
    (EXECUTOR, "INSERT INTO crowds VALUES ('c', x'00')", "hold a place within the limit"),
    (EXECUTOR, "DELETE FROM changes WHERE revision = 3", "1 changes between the revisions 1 and 6"),
    (EXECUTOR, "UPDATE sqlite_sequence SET seq = 2 WHERE name = 'changes'", "2 was the last"),
    (EXECUTOR, "DELETE FROM meta WHERE name = 'epoch'", "does not know its epoch"),
    (EXECUTOR, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
     "VALUES ('executor', 'm999', '')", "'m999'"),
    (REGISTRY, "DELETE FROM history", "revisions after 0 are missing"),
    (REGISTRY, "DELETE FROM history", "secret s is of revision 1"),
    (REGISTRY, "UPDATE definitions SET document = '{'", "secret s is no JSON"),
    (REGISTRY, "DELETE FROM meta", "does not know its compacted"),
    (REGISTRY, "UPDATE signing_keys SET sealed_private_key = 'v1.AAAA'", "in the signing key"),
    (REGISTRY, """UPDATE definitions SET document = '{"value": "v1.AAAA"}'""", "in the secret s"),
    (REGISTRY, "DROP TRIGGER audit_stays; UPDATE audit SET detail = 'other' WHERE id = 1",
     "audit log was changed by hand: entry 1"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "harm", "said"), HARMS)
def test_harm_is_named(home: Path, file: str, harm: str, said: str) -> None:
    run(home / file, harm)

    assert any(each.startswith(file) and said in each for each in found(home))


def test_another_key_opens_nothing(home: Path) -> None:
    (home / "secret.key").write_text("another key, of enough characters\n")

    assert [each.partition("sealed in the ")[2] for each in found(home)[:2]] == [
        "secret s.",
        "earlier secret s.",
    ]
    assert "signing key" in found(home)[2]


@pytest.mark.parametrize("file", [EXECUTOR, REGISTRY])
def test_a_damaged_page_is_seen(home: Path, file: str) -> None:
    with closing(sqlite3.connect(home / file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((home / file).read_bytes())
    content[8192:16384] = b"\xa5" * 8192
    (home / file).write_bytes(content)

    assert any(each.startswith(file) for each in found(home))


def test_a_file_that_is_no_database_is_said_to_be_none(home: Path) -> None:
    (home / EXECUTOR).write_bytes(b"text" * 5000)
    for end in ("-wal", "-shm"):
        (home / f"{EXECUTOR}{end}").unlink(missing_ok=True)

    assert any("cannot be read" in each for each in found(home))


def test_a_home_that_cannot_be_written_to_is_not_taken_for_a_damaged_one(home: Path) -> None:
    command = ["mount", "--bind", "-o", "ro", str(home), str(home)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        report = checking.suite(places(home, NO_DATABASES, None), thorough=False)
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)

    assert report.findings
    assert all("folder can be written to" in each.way_out for each in report.findings)


def test_an_index_of_words_that_is_damaged_may_be_deleted(home: Path) -> None:
    (home / "executor-search.db").write_bytes(b"text" * 5000)

    report = checking.suite(places(home, NO_DATABASES, None), thorough=False)

    (finding,) = report.findings
    assert "executor-search.db" in finding.way_out


def indexed(home: Path, ahead: int) -> None:
    """The index of words is so many changes ahead of the executions."""
    ((epoch,),) = rows(home / EXECUTOR, "SELECT value FROM meta WHERE name = 'epoch'")
    words = fulltext.opened(home / EXECUTOR, str(epoch))
    head = "SELECT seq FROM store.sqlite_sequence WHERE name = 'changes'"
    words.execute(f"UPDATE main.meta SET value = ({head}) + ? WHERE name = 'revision'", (ahead,))
    fulltext.close(words)


def test_an_index_of_words_that_is_ahead_is_found(home: Path) -> None:
    indexed(home, 0)
    assert found(home) == []
    indexed(home, 1)
    (said,) = found(home)
    assert "is ahead of the executions that it is of" in said


def test_an_index_of_words_that_goes_on_meanwhile_is_not_ahead(home: Path) -> None:
    with closing(sqlite3.connect(home / EXECUTOR, isolation_level=None)) as db:
        db.execute("BEGIN")
        assert db.execute("SELECT count(*) FROM executions").fetchone() > (0,)
        run(home / EXECUTOR, "UPDATE sqlite_sequence SET seq = seq + 9 WHERE name = 'changes'")
        indexed(home, 0)

        assert [*integrity.findings(Database(db), None)] == []


def test_nothing_is_changed(home: Path) -> None:
    before = rows(home / EXECUTOR, "SELECT * FROM executions")
    run(home / EXECUTOR, "DELETE FROM snapshots")
    found(home)

    assert rows(home / EXECUTOR, "SELECT * FROM executions") == before
    assert rows(home / EXECUTOR, "SELECT * FROM snapshots") == []


def test_the_command_ends_with_1_where_something_is_wrong(home: Path) -> None:
    sound = podium("check", "--home", str(home))
    run(home / EXECUTOR, "DELETE FROM snapshots")
    harmed = podium("check", "--home", str(home), "--output", "json")

    assert (sound.returncode, harmed.returncode) == (0, 1)
    assert sound.stdout.count("nothing is wrong.") == 2
    (finding,) = json.loads(harmed.stdout)["findings"]
    assert finding["where"] == str(home / EXECUTOR)


def test_a_backup_is_looked_through(home: Path, tmp_path: Path) -> None:
    run(home / EXECUTOR, "DELETE FROM snapshots")
    making.to_file(wanted(home), tmp_path / "one.backup")
    key = home / "secret.key"

    report = checking.backup(tmp_path / "one.backup", key, thorough=True)

    assert (len(report.findings), report.unsealed) == (1, "")
    assert checking.backup(tmp_path / "one.backup", None, thorough=True).unsealed


def test_what_is_no_backup_is_said_to_be_none(home: Path) -> None:
    done = podium("check", str(home / "ports.json"))

    assert done.returncode == 1
    assert "is no backup" in done.stderr

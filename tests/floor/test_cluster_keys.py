"""The cluster's keys: changed in their file while services call each other, and none refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.access import ClusterKeys, ServiceIdentity, Verifier
from services.edge.links import Links
from services.errors import Unauthenticated
from services.process import StartupError
from tests.floor.authority import NOW, Known

OLD, NEW = "o" * 40, "n" * 40


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def write(path: Path, *keys: str) -> None:
    """As an operator should: whole, by a rename."""
    new = path.with_suffix(".new")
    new.write_text("\n".join(keys) + "\n")
    new.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "cluster.key", OLD)
    return tmp_path / "cluster.key"


def test_what_changes_is_seen_a_second_later(path: Path) -> None:
    clock = Clock()
    keys = ClusterKeys(path, clock)
    assert keys() == (OLD.encode(),)

    write(path, NEW, OLD)
    assert keys() == (OLD.encode(),)
    clock.now = 1.0
    assert keys() == (NEW.encode(), OLD.encode())


@pytest.mark.parametrize("content", [None, "", "short"])
def test_a_file_that_is_gone_or_makes_no_sense_locks_nobody_out(
    path: Path, content: str | None
) -> None:
    clock = Clock()
    keys = ClusterKeys(path, clock)

    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    clock.now = 1.0
    assert keys() == (OLD.encode(),)
    write(path, NEW)
    clock.now = 2.0
    assert keys() == (NEW.encode(),)


def test_a_service_does_not_start_without_them(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be read"):
        ClusterKeys(tmp_path / "nothing")


def test_they_are_rotated_over_services_that_look_at_different_moments(tmp_path: Path) -> None:
    clock, paths = Clock(), [tmp_path / name for name in ("a", "b", "c")]
    for each in paths:
        write(each, OLD)
    all_keys = [ClusterKeys(each, clock) for each in paths]
    identities = [ServiceIdentity(keys, "edge", lambda: NOW) for keys in all_keys]
    verifiers = [Verifier(keys, Known(), "executor", lambda: NOW) for keys in all_keys]

    def everybody_is_known() -> None:
        for token in [each.token("executor") for each in identities]:
            for verifier in verifiers:
                assert verifier.verify(token).name == "service:edge"

    # One after another, as on three machines: the new one verifies everywhere before it signs.
    for content in ((OLD, NEW), (NEW, OLD), (NEW,)):
        for each in paths:
            write(each, *content)
            clock.now += 1.0
            everybody_is_known()
    assert {bytes(keys()[0]) for keys in all_keys} == {NEW.encode()}


def test_a_key_that_is_removed_verifies_nothing_at_once(path: Path) -> None:
    clock = Clock()
    verifier = Verifier(ClusterKeys(path, clock), Known(), "executor", lambda: NOW)
    token = ServiceIdentity(OLD.encode(), "edge", lambda: NOW).token("executor")
    assert verifier.verify(token).name == "service:edge"

    write(path, NEW)
    clock.now = 1.0

    with pytest.raises(Unauthenticated, match="no longer counts"):
        verifier.verify(token)
    with pytest.raises(Unauthenticated):
        verifier.verify(ServiceIdentity(OLD.encode(), "edge", lambda: NOW).token("registry"))


def test_an_identity_signs_with_the_first_key_as_soon_as_it_is_the_first(path: Path) -> None:
    clock = Clock()
    identity = ServiceIdentity(ClusterKeys(path, clock), "edge", lambda: NOW)
    before = identity.token("executor")
    assert identity.token("executor") == before

    write(path, NEW, OLD)
    clock.now = 1.0

    only_new = Verifier(NEW.encode(), Known(), "executor", lambda: NOW)
    assert only_new.verify(identity.token("executor")).name == "service:edge"


def test_links_are_read_for_as_long_as_their_key_is_there(path: Path) -> None:
    clock = Clock()
    links = Links.of(ClusterKeys(path, clock))
    token = links.location("e", "partners").partition("?t=")[2]

    write(path, NEW, OLD)
    clock.now = 1.0
    assert links.location("e", "partners").partition("?t=")[2] != token
    assert links.auth_id("e", token) == "partners"

    write(path, NEW)
    clock.now = 2.0
    assert links.auth_id("e", token) == ""

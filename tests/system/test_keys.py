"""The keys of a route's callers, by command and from outside: made, rolled, revoked."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import expose
from tests.system.running import Suite, post, until

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(120)

ECHO = {
    "name": "answer",
    "taskReferenceName": "answer",
    "type": "INLINE",
    "inputParameters": {"evaluatorType": "javascript", "expression": "(function () {return 1;})()"},
}


def made(suite: Suite, *command: str) -> dict[str, str]:
    """What a command that makes a key prints as JSON."""
    done = suite.podium("keys", *command, "--output", "json")
    assert done.returncode == 0, done.stderr
    printed: dict[str, str] = json.loads(done.stdout)
    return printed


def status(suite: Suite, name: str, key: str, path: str = "") -> int:
    """What a call of the service ``name`` with ``key`` is answered."""
    headers = {"X-API-Key": key, "Prefer": "respond-async"}
    if path:
        return httpx.get(f"{suite.gateway}{path}", headers=headers).status_code
    return post(f"{suite.gateway}/{name}", headers=headers).status_code


def test_a_key_opens_from_when_it_is_made_until_it_is_revoked(suite: Suite) -> None:
    suite.apply(*expose("keyed", ECHO))
    key = made(suite, "create", "keyed", "--name", "mobile", "--expires", "90d")

    assert key["key"].startswith("pk_")
    assert key["principal"] == "key:keyed/mobile"
    assert status(suite, "keyed", key["key"]) == 202
    done = suite.podium("keys", "revoke", "keyed", "mobile")
    assert done.returncode == 0, done.stderr
    # A machine that does much else may need longer than the command waits, and is told so.
    seconds = 20 if "does not serve this yet" in done.stderr else 1
    until(lambda: status(suite, "keyed", key["key"]) == 401, seconds, "the key is refused")
    assert status(suite, "keyed", suite.keys["keyed"]) == 202

    again = suite.podium("keys", "revoke", "keyed", "mobile")
    assert again.returncode == 1
    assert "has no key 'mobile': it has 'default'" in again.stderr


def test_a_rolled_key_and_the_new_one_are_one_caller(suite: Suite) -> None:
    suite.apply(*expose("rolled", ECHO))
    old = suite.keys["rolled"]
    headers = {"X-API-Key": old, "Prefer": "respond-async"}
    location = post(f"{suite.gateway}/rolled", headers=headers).headers["Location"]

    new = made(suite, "roll", "rolled", "--overlap", "1h")

    assert new["principal"] == "key:rolled/default"
    assert status(suite, "rolled", old) == 202
    assert status(suite, "rolled", new["key"], location) in (200, 202)
    last = made(suite, "roll", "rolled", "default", "--overlap", "0")
    for ended in (old, new["key"]):
        assert status(suite, "rolled", ended) == 401
    assert status(suite, "rolled", last["key"], location) in (200, 202)
    table = suite.podium("keys", "rolled").stdout
    assert "default-2" in table
    assert last["key"] not in table


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("list", "no-such-auth"), 1, "There is no auth 'no-such-auth'."),
        (("create", "no-such-auth"), 1, "There is no auth 'no-such-auth'."),
        (("create", "x", "--expires", "yesterday"), 2, "write a length like 90d"),
        (("roll", "x", "--overlap", "-1h"), 2, "like 24h"),
        (("revoke", "x"), 2, "Missing argument 'NAME'"),
        ((), 2, "Usage: "),
    ],
)
def test_bad_input_is_told(suite: Suite, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = suite.podium("keys", *arguments)

    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_key_that_is_asked_for_while_the_registry_is_away_is_made_once(
    sturdy_suite: Suite,
) -> None:
    sturdy_suite.apply(*expose("away", ECHO), {"kind": "application", "id": "patient"})
    assert sturdy_suite.podium("status").returncode == 0

    sturdy_suite.kill("registry")
    made(sturdy_suite, "create", "away", "--name", "web")
    sturdy_suite.kill("registry")
    done = sturdy_suite.podium("access-keys", "create", "patient")

    assert done.returncode == 0, done.stderr
    assert sturdy_suite.podium("keys", "away").stdout.count("key:away/web") == 1
    listed = sturdy_suite.podium("access-keys", "patient", "--output", "json").stdout
    assert len(json.loads(listed)) == 1


def test_no_file_of_the_home_has_a_key(own_suite: Suite) -> None:
    own_suite.apply(*expose("kept", ECHO))
    keys = [own_suite.keys["kept"], made(own_suite, "roll", "kept")["key"]]
    own_suite.stop()

    for path in filter(Path.is_file, own_suite.home.rglob("*")):
        content = path.read_bytes()
        assert not any(key.encode() in content for key in keys), path


def test_an_access_key_gets_tokens_until_it_is_revoked(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.apply({"kind": "application", "id": "robot", "roles": ["VIEWER"]})
    done = suite.podium("access-keys", "create", "robot", "--expires", "1d", "--output", "json")
    assert done.returncode == 0, done.stderr
    key = json.loads(done.stdout)

    def looks() -> int:
        with monkeypatch.context() as environment:
            environment.setenv("PODIUM_KEY_ID", key["keyId"])
            environment.setenv("PODIUM_KEY_SECRET", key["keySecret"])
            return suite.podium("get", "workflow").returncode

    assert looks() == 0
    listed = json.loads(suite.podium("access-keys", "robot", "--output", "json").stdout)
    assert [(each["keyId"], each["revokedAt"]) for each in listed] == [(key["keyId"], None)]
    assert suite.podium("access-keys", "revoke", key["keyId"]).returncode == 0
    assert looks() == 1
    assert "revoked" in suite.podium("access-keys", "robot").stdout


def test_who_may_know_nothing_of_the_pulse_is_told_so(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.apply({"kind": "application", "id": "nobody"})
    made = suite.podium("access-keys", "create", "nobody", "--output", "json")
    key = json.loads(made.stdout)
    monkeypatch.setenv("PODIUM_KEY_ID", key["keyId"])
    monkeypatch.setenv("PODIUM_KEY_SECRET", key["keySecret"])

    told = suite.podium("pulse")

    assert (told.returncode, told.stdout) == (1, "")
    assert "'nobody' may not call this" in told.stderr

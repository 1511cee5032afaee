"""What commands tell who mistypes, and who lists keys in a file; by command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import expose
from tests.system.running import Suite

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(180)

INLINE = {
    "name": "x",
    "taskReferenceName": "x",
    "type": "INLINE",
    "inputParameters": {"evaluatorType": "javascript", "expression": "1"},
}
SKU = {"properties": {"sku": {"type": "string", "pattern": "^[A-Z]{3}[0-9]$"}}, "required": ["sku"]}


def told(suite: Suite, *command: str) -> tuple[int, str]:
    """The exit code of a command, and what it says on standard error."""
    done = suite.podium(*command)
    return done.returncode, done.stderr


def test_names_that_are_not_there_are_told(suite: Suite) -> None:
    suite.apply(*expose("told", INLINE, route={"inputSchema": SKU}))

    code, said = told(suite, "metrics", "nope")
    assert (code, "there is no service 'nope' here, and no request" in said) == (1, True)
    code, said = told(suite, "metrics", "told", "GET", "/nope")
    assert (code, "service 'told' has no route GET /nope" in said) == (1, True)
    for key in ("mobile", "key:told/nobody", "key:nowhere/x", "public:nowhere"):
        code, said = told(suite, "metrics", "--key", key)
        assert (code, f"there is no key that calls as '{key}'" in said) == (1, True)
    assert told(suite, "metrics", "told")[0] == 0
    assert told(suite, "metrics", "--key", "public:told")[0] == 0
    code, said = told(suite, "cache", "purge", "--principal", "web")
    assert (code, "key:AUTH/NAME" in said) == (0, True)
    code, said = told(suite, "routes", "curl", "tolt", "GET", "/nope")
    assert (code, "there is no service 'tolt'; did you mean 'told'?" in said) == (1, True)


def test_routes_of_one_service_are_listed_and_a_body_to_fill_in_is_told(suite: Suite) -> None:
    suite.apply(*expose("told", INLINE, route={"inputSchema": SKU}))

    listed = suite.podium("routes", "--service", "told")
    printed = suite.podium("routes", "curl", "told", "POST", "/")

    assert [line.split("[")[1] for line in listed.stdout.splitlines()] == ["told, auth told]"]
    assert '{"sku": "TEXT"}' in printed.stdout
    assert "/sku of the body is to be filled in" in printed.stderr


def test_a_file_that_ends_a_key_tells_so(suite: Suite, tmp_path: Path) -> None:
    def auth(value: str) -> str:
        keys = [{"name": "first", "key": value}]
        document: dict[str, Any] = {"kind": "auth", "id": "told-keys", "apiKeys": keys}
        document |= {"authenticationType": "API_KEY", "applicationId": "admin"}
        file = tmp_path / "auth.json"
        file.write_text(json.dumps(document))
        return str(file)

    assert suite.podium("apply", auth("the-first-key-of-them")).returncode == 0
    assert suite.podium("keys", "create", "told-keys", "--name", "web").returncode == 0

    changed = suite.podium("diff", "--output", "json", auth("the-second-key-of-them"))
    done = suite.podium("apply", auth("the-second-key-of-them"))

    (difference,) = json.loads(changed.stdout)
    assert [each["path"] for each in difference["changes"]] == ["knownKeys[0].key", "knownKeys[1]"]
    assert "ends the live keys 'first', 'web'" in difference["warnings"][0]
    assert "ends the live keys 'first', 'web'" in done.stderr


def test_a_faulty_file_is_not_compared(suite: Suite, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("kind: application\nid: told\npermissions:\n- target: {}\n  acces: [READ]\n")

    code, said = told(suite, "diff", str(file))
    assert f"{file}:5: permissions[0].acces: is no field" in said
    assert f"{file}:4: permissions[0].target.id: is required" in said
    assert (code, "nothing was compared" in said, "was put" in said) == (2, True, False)


def test_an_auth_without_keys_says_who_may_call(suite: Suite) -> None:
    auth = {"kind": "auth", "id": "told-open", "applicationId": "admin"}
    suite.apply(auth | {"authenticationType": "NONE"})

    assert "anybody may call" in suite.podium("keys", "told-open").stdout


def test_a_script_that_is_the_name_of_a_file_is_told(suite: Suite, tmp_path: Path) -> None:
    file = tmp_path / "s.js"
    file.write_text("$.a")

    code, said = told(suite, "test-script", str(file))
    assert (code, f"@{file} runs what it holds" in said) == (1, True)
    assert told(suite, "test-script", f"@{file}", "--payload", '{"a": 1}')[0] == 0

"""Definitions as files, from outside: export, diff, apply, prune; and the way back by history."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.conftest import expose
from tests.system.running import Suite, post, suite_in

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(120)

NOOP = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
SCRIPT = "(function () {\n  return {answer: 42};\n})()"
SECRET = {"kind": "secret", "name": "TOKEN", "value": "nobody sees this"}
CALLS_OUT = {
    "name": "odd / name",
    "version": 2,
    "tasks": [
        {
            "name": "h",
            "taskReferenceName": "h",
            "type": "HTTP",
            "inputParameters": {
                "uri": "http://127.0.0.1:1/",
                "method": "GET",
                "headers": {"T": "${workflow.secrets.TOKEN}"},
            },
        }
    ],
}


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose definitions are all this file's: pruning is about all that there is."""
    with suite_in(tmp_path_factory.mktemp("filed")) as suite:
        route = {"postResponseScript": SCRIPT}
        shut: dict[str, Any] = {"auth": {"apiKeys": []}}
        suite.apply(SECRET, CALLS_OUT, *expose("shop", NOOP, route=route))
        suite.apply(*expose("shut", NOOP, **shut))
        yield suite


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def export(suite: Suite, folder: Path) -> dict[str, bytes]:
    done = suite.podium("export", str(folder))
    assert done.returncode == 0, done.stderr
    return everything(folder)


def test_what_is_exported_is_what_is_there(filed: Suite, tmp_path: Path) -> None:
    first = export(filed, tmp_path)

    assert first == export(filed, tmp_path)
    assert {
        "service/shop.yaml",
        "workflow/shop.v1.yaml",
        "workflow/odd%20%2F%20name.v2.yaml",
        "secret/TOKEN.yaml",
        "application/admin.yaml",
    } <= set(first)
    assert b"    (function () {\n" in first["service/shop.yaml"]
    told = b"".join(first.values())
    assert SECRET["value"].encode() not in told
    assert filed.keys["shop"].encode() not in told
    assert b"knownKeys" not in told
    diff = filed.podium("diff", "--prune-access", str(tmp_path))
    assert (diff.returncode, diff.stdout) == (0, ""), diff.stdout
    applied = filed.podium("apply", str(tmp_path))
    assert applied.returncode == 0
    assert all(line.endswith("  unchanged") for line in applied.stdout.splitlines())


def test_an_exported_folder_makes_the_same_of_an_empty_home(
    filed: Suite, own_suite: Suite, tmp_path: Path
) -> None:
    folder = tmp_path / "exported"
    first = export(filed, folder)

    made = own_suite.podium("apply", str(folder))

    assert made.returncode == 0, made.stderr
    assert "key default: pk_" in made.stdout
    assert "value: is not there" in made.stderr
    assert own_suite.podium("diff", "--prune-access", str(folder)).returncode == 0
    assert export(own_suite, tmp_path / "again") == first
    value = tmp_path / "value.json"
    value.write_text(json.dumps(SECRET))
    put = own_suite.podium("apply", str(value), str(folder))
    assert put.returncode == 0, put.stderr
    assert "secret TOKEN  changed" in put.stdout
    assert "value: is not there" not in put.stderr


def test_a_difference_is_shown_and_ends_with_1(filed: Suite, tmp_path: Path) -> None:
    export(filed, tmp_path)
    service = tmp_path / "service" / "shop.yaml"
    service.write_text(service.read_text().replace("answer: 42", "answer: 43"))
    (tmp_path / "new.json").write_text(json.dumps({"name": "new", "version": 1, "tasks": [NOOP]}))

    text = filed.podium("diff", str(tmp_path))
    told = filed.podium("diff", "--output", "json", str(tmp_path))

    assert text.returncode == told.returncode == 1
    assert "-      return {answer: 42};\n+      return {answer: 43};\n" in text.stdout
    assert "workflow new v1  created" in text.stdout
    assert "\n1 created, 1 changed, " in text.stderr
    by_name = {f"{each['kind']} {each['name']}": each for each in json.loads(told.stdout)}
    assert by_name["service shop"]["changes"] == [
        {
            "path": "routes[0].postResponseScript",
            "before": SCRIPT,
            "after": SCRIPT.replace("42", "43"),
        }
    ]
    assert filed.podium("get", "workflow", "new").returncode == 1


def test_what_cannot_be_compared_ends_with_2(filed: Suite, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: service\nid: UPPER\n")
    assert filed.podium("diff", str(tmp_path)).returncode == 2
    (tmp_path / "bad.yaml").write_bytes(b"\xff")
    done = filed.podium("diff", str(tmp_path))
    assert (done.returncode, "bad.yaml:1: is no UTF-8 text" in done.stderr) == (2, True)
    assert filed.podium("diff", "--prune", "-", text="").returncode == 2


GONE = [{"name": f"gone-{n}", "version": 1, "tasks": [NOOP]} for n in range(2)]


def test_pruning_is_planned_and_needs_an_answer(filed: Suite, tmp_path: Path) -> None:
    export(filed, tmp_path)
    filed.apply(*GONE)

    planned = filed.podium("diff", "--prune", str(tmp_path))
    unasked = filed.podium("apply", "--prune", str(tmp_path))

    assert planned.returncode == 1
    assert planned.stdout == "workflow gone-0 v1  deleted\nworkflow gone-1 v1  deleted\n"
    assert unasked.returncode == 2
    assert "workflow gone-0 v1  to be deleted" in unasked.stderr
    refused = answered(filed, "n\n", "apply", "--prune", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr.endswith("podium: nothing was put or deleted.\n")
    assert filed.podium("get", "workflow", "gone-0").returncode == 0
    assert filed.podium("apply", "--prune", "--yes", str(tmp_path)).returncode == 0


def test_pruning_deletes_what_is_in_no_file(filed: Suite, tmp_path: Path) -> None:
    export(filed, tmp_path)
    filed.apply(*GONE, {"kind": "secret", "name": "STAYS", "value": "v"})

    assert answered(filed, "y\n", "apply", "--prune", str(tmp_path)).returncode == 0

    for name in ("gone-0", "gone-1"):
        assert filed.podium("get", "workflow", name).returncode == 1
    assert filed.podium("diff", "--prune", str(tmp_path)).returncode == 0
    assert filed.podium("get", "secret", "STAYS").returncode == 0
    assert filed.podium("get", "application", "admin").returncode == 0


def answered(suite: Suite, answer: str, *command: str) -> subprocess.CompletedProcess[str]:
    """A command that is asked on a terminal and answered so."""
    ours, its = pty.openpty()
    arguments = [sys.executable, "-m", "tui", *command, "--home", str(suite.home)]
    try:
        os.write(ours, answer.encode())
        return subprocess.run(
            arguments, stdin=its, capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        os.close(its)
        os.close(ours)


def test_pruning_is_refused_where_what_stays_would_miss_it(filed: Suite, tmp_path: Path) -> None:
    export(filed, tmp_path)
    (tmp_path / "workflow" / "shop.v1.yaml").unlink()

    done = filed.podium("apply", "--prune", "--yes", str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == (
        "workflow 'shop' version 1: is used by service 'shop' (routes[0].mappedWorkflow.name)\n"
        "podium: nothing was put.\n"
    )


def test_keys_go_only_where_that_is_said(filed: Suite, tmp_path: Path) -> None:
    export(filed, tmp_path)
    filed.apply(*expose("leaving", NOOP))

    kept = filed.podium("apply", "--prune", "--yes", str(tmp_path), "--output", "json")
    gone = filed.podium("apply", "--prune-access", "--yes", str(tmp_path), "--output", "json")

    def deleted(done: Any) -> list[str]:
        assert done.returncode == 0, done.stderr
        return [each["kind"] for each in json.loads(done.stdout) if each["outcome"] == "deleted"]

    assert deleted(kept) == ["service", "workflow"]
    assert deleted(gone) == ["auth", "application"]


def test_a_service_goes_back_to_any_state_it_had(suite: Suite) -> None:
    documents = expose("back", NOOP)
    service = documents[-1]
    suite.apply(*documents)
    first = json.loads(suite.podium("history", "service", "back", "--output", "json").stdout)
    suite.apply({**service, "enabled": False})
    suite.podium("delete", "service", "back")
    assert httpx.post(f"{suite.gateway}/back").status_code == 404

    listed = suite.podium("history", "service", "back")
    done = suite.podium("rollback", "service", "back", str(first[0]["revision"]))

    said = [line.split("  ")[-1] for line in listed.stdout.splitlines()]
    assert said == ["deleted", "enabled added", "created"]
    assert done.returncode == 0, done.stderr
    assert done.stdout == "service back  created\n"
    headers = {**suite.caller("back"), "Prefer": "respond-async"}
    assert post(f"{suite.gateway}/back", headers=headers).status_code == 202


def test_an_earlier_state_is_printed_and_what_never_was_is_told(suite: Suite) -> None:
    suite.apply({"name": "was", "version": 1, "tasks": [NOOP], "description": "first"})
    (first,) = json.loads(suite.podium("history", "workflow", "was", "--output", "json").stdout)
    suite.apply({"name": "was", "version": 1, "tasks": [NOOP], "description": "second"})

    shown = suite.podium("get", "workflow", "was", "--revision", str(first["revision"]))

    assert "description: first" in shown.stdout
    for command, code in (
        (("rollback", "workflow", "was", "1"), 1),
        (("rollback", "workflow", "was", "x"), 2),
        (("rollback", "nonsense", "was", "1"), 2),
        (("rollback", "workflow", "was", "99999999999999999999"), 2),
        (("get", "workflow", "was", "--revision", "99999999999999999999"), 2),
        (("history", "workflow", "was", "--version", "99999999999"), 2),
        (("history", "workflow", "never-there"), 1),
    ):
        assert suite.podium(*command).returncode == code, command

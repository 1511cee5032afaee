"""What holds of every command; a new one fails here until it has its row."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests.tui.parsed import commands_in, parsed
from tui.cli.main import COMMANDS, main
from tui.cli.writing import OUTPUTS
from tui.clients import streams


@dataclass(frozen=True)
class Row:
    """What is known of a command.

    Attributes:
        calls: Words with which it asks a service; None: it asks none.
        failure: The exit code where that service is away.
        prints: Whether it takes ``--output``.
    """

    calls: str | None = ""
    failure: int = 1
    prints: bool = True


_OPERATION = Row("ID")
ROWS = {
    "tui": Row(None, prints=False),
    "up": Row(None, prints=False),
    "serve": Row(None, prints=False),
    "demo": Row(None, prints=False),
    "status": Row(),
    "apply": Row("one.yaml"),
    # As diff(1): 1 says that something differs.
    "diff": Row("one.yaml", failure=2),
    "export": Row("folder"),
    "get": Row("workflow"),
    "delete": Row("workflow order"),
    "history": Row("workflow order"),
    "rollback": Row("workflow order 1"),
    "keys": Row(None, prints=False),
    "keys list": Row("partners"),
    "keys create": Row("partners"),
    "keys roll": Row("partners"),
    "keys revoke": Row("partners mobile"),
    "access-keys": Row(None, prints=False),
    "access-keys list": Row("reports"),
    "access-keys create": Row("reports"),
    "access-keys roll": Row("KEY"),
    "access-keys revoke": Row("KEY"),
    "access": Row(None, prints=False),
    "access who-can": Row("EXECUTE workflow order"),
    "access may": Row("reports"),
    "access me": Row(),
    "signing-keys": Row(),
    "signing-keys list": Row(),
    "signing-keys rotate": Row(),
    "secrets": Row(),
    "secrets list": Row(),
    "secrets set": Row("PARTNER --file one.yaml"),
    "secrets delete": Row("PARTNER"),
    "secrets variables": Row(),
    "secrets keys": Row(),
    "secrets rotate-key": Row(),
    "secrets drop-keys": Row(),
    "run": Row("order"),
    "watch": Row("ID"),
    "executions": Row(),
    "tasks": Row(),
    "events": Row("ID"),
    "graph": Row("order"),
    "pause": _OPERATION,
    "resume": _OPERATION,
    "terminate": _OPERATION,
    "retry": _OPERATION,
    "restart": _OPERATION,
    "rerun": _OPERATION,
    "skip-task": Row("ID --ref approve"),
    "signal": _OPERATION,
    "set-variables": Row("ID --set {}"),
    "reset-callbacks": _OPERATION,
    "decide": _OPERATION,
    "remove": _OPERATION,
    "complete-task": Row("ID ref"),
    "routes": Row(),
    "routes curl": Row("shop GET /"),
    "routes mcp": Row("shop"),
    "routes openapi": Row("shop"),
    "test-route": Row("shop GET /"),
    "schedules": Row(),
    "schedules next": Row("@daily"),
    "schedules runs": Row("nightly"),
    "schedules pause": Row("nightly"),
    "schedules resume": Row("nightly"),
    "event-runs": Row(),
    "queues": Row(),
    "workers": Row(),
    "requeue": Row("charge"),
    "task-logs": Row("ID charge"),
    "breakers": Row(),
    "breakers list": Row(),
    "breakers open": Row("shop.example:443"),
    "breakers close": Row("shop.example:443"),
    "breakers reset": Row("shop.example:443"),
    "cache": Row(),
    "cache purge": Row("--all"),
    "cache entries": Row("shop"),
    "cache entry": Row("ID"),
    "limits": Row(prints=False),
    "limits list": Row(),
    "limits reset": Row("shop"),
    "metrics": Row(),
    "pulse": Row(),
    "engine": Row(),
    "audit": Row(prints=False),
    "audit list": Row(),
    "audit show": Row("1"),
    "audit check": Row(),
    "log": Row(),
    "test-script": Row("1"),
    "test-workflow": Row("order"),
    "contexts": Row(None),
    "certificates": Row(None, prints=False),
    "certificates make": Row(None, prints=False),
    "certificates renew": Row(None, prints=False),
    "certificates show": Row(None),
    "backup": Row(None),
    "restore": Row(None),
    "check": Row(None),
}


def walked() -> dict[str, click.Command]:
    """Every command by its words, as the parser has them."""
    found: dict[str, click.Command] = {}
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": each for below, each in command.commands.items()}
    return found


EVERY = walked()


def options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def invoked(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_every_command_has_its_row() -> None:
    assert set(EVERY) == set(ROWS)


@pytest.mark.parametrize("words", EVERY)
def test_help_explains_every_option_and_ends_with_examples(words: str) -> None:
    shown = invoked(*words.split(), "--help")

    assert shown.exit_code == 0
    assert "\n  Examples:\n    podium " in shown.output
    for option in options(EVERY[words]):
        assert option.help, option.opts
        assert all(each in shown.output for each in option.opts)


def examples(command: click.Command) -> list[str]:
    return [line.strip() for line in (command.epilog or "").splitlines() if "podium " in line]


@pytest.mark.parametrize("words", EVERY)
def test_examples_can_be_typed(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("order.yaml", "shop.json", "podium.backup"):
        (tmp_path / file).touch()
    (tmp_path / "definitions").mkdir()
    lines = examples(EVERY[words])

    called = [" ".join(parsed(each)) for line in lines for each in commands_in(line)]
    assert lines
    assert any(f"{each} ".startswith(f"{words} ") for each in called)


@pytest.mark.parametrize("words", EVERY)
def test_an_unknown_option_is_wrong_usage(words: str) -> None:
    done = invoked(*words.split(), "--no-such-option")

    assert done.exit_code == 2
    assert "--no-such-option" in done.stderr or "Missing" in done.stderr


@pytest.mark.parametrize("words", [words for words, row in ROWS.items() if row.prints])
def test_what_prints_takes_the_same_outputs(words: str) -> None:
    (output,) = (each for each in options(EVERY[words]) if each.name == "output")

    assert isinstance(output.type, click.Choice)
    assert tuple(output.type.choices) == OUTPUTS


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The addresses of a suite that is not there, and a token that was kept of it."""
    monkeypatch.setattr(streams, "RECONNECT_SECONDS", 0.1)
    held = [socket.socket() for _ in range(3)]
    for each in held:
        # Bound and not listened on: refused, and nobody else's.
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in held]
    urls = {"gateway": "http://127.0.0.1:1", "management": "http://127.0.0.1:1"}
    there = dict(zip(("registry", "executor", "edge"), addresses, strict=True))
    home = tmp_path / "home"
    home.mkdir()
    for name, document in {
        "endpoints": urls | there | {"pids": {}},
        "credentials": {"keyId": "admin", "keySecret": "s"},
        "token": {"keyId": "admin", "token": "t", "expiresAt": time.time() + 900},
    }.items():
        (home / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "one.yaml").write_text("kind: schema\nname: s\nversion: 1\ntype: JSON\ndata: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PODIUM_HOME", str(home))
    yield addresses
    for each in held:
        each.close()


@pytest.mark.parametrize("words", [words for words, row in ROWS.items() if row.calls is not None])
def test_a_service_that_is_away_is_named_with_its_address(words: str, away: list[str]) -> None:
    row = ROWS[words]
    done = invoked(*words.split(), *(row.calls or "").split())

    assert done.exit_code == row.failure, done.output
    assert any(each in done.output for each in away)
    if words != "status":
        assert re.fullmatch(r"(podium: .* podium status says more.*\n)+", done.stderr)
        assert done.stdout == ""


def test_where_no_suite_runs_it_is_said_how_to_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_HOME", str(tmp_path))

    done = invoked("status")

    assert (done.exit_code, done.stdout) == (1, "")
    assert re.fullmatch(r"podium: No suite runs in .*; start one: podium up.*\n", done.stderr)


def test_an_argument_that_is_no_text_is_wrong_usage(away: list[str]) -> None:
    done = invoked("events", "\udcff")

    assert done.exit_code == 2
    assert "no UTF-8 text" in done.stderr

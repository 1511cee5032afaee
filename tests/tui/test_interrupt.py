"""Ctrl-C ends any command in the same way, whatever it was about to do."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from tui.cli import main


@click.command()
def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("attribute", ["interrupted", "interrupted_on_import"])
def test_ctrl_c_is_130_and_not_a_word(attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(main.COMMANDS, "wait", (__name__, attribute, "Wait."))

    done = CliRunner().invoke(main.main, ["wait"])

    assert (done.exit_code, done.output) == (main.INTERRUPTED, "")


def __getattr__(name: str) -> object:
    if name == "interrupted_on_import":
        raise KeyboardInterrupt
    raise AttributeError(name)

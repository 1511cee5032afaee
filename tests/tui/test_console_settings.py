"""The console's settings file: what it says, and what is told of its faults."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tui.bindings import known
from tui.settings import (
    PRESETS,
    Context,
    Kept,
    Known,
    Settings,
    parse,
    read,
    settings_path,
    state_folder,
)
from tui.themes import NAMES, theme_of

EXAMPLE = Path(__file__).parents[2] / "docs" / "console.toml"


def test_the_example_of_the_manual_has_no_faults() -> None:
    parsed = read(EXAMPLE, known(), wanted=True)

    assert parsed.faults == ()
    assert parsed.settings.contexts["production"].protected
    assert parsed.settings.views["broken"] == "executions status:failed newer:1h"


def test_no_file_is_no_fault_unless_one_was_named(tmp_path: Path) -> None:
    assert read(tmp_path / "console.toml").faults == ()
    assert "There is no" in str(read(tmp_path / "console.toml", wanted=True).faults[0])


def test_a_context_says_where_its_suite_is() -> None:
    text = """
[contexts.staging]
registry = "10.0.0.1:7401"
key_id = "ops"
read_only = true
"""
    assert parse(text).settings.contexts == {
        "staging": Context("staging", registry="10.0.0.1:7401", key_id="ops", read_only=True)
    }


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("theme = 'nord'\nthem = 1", 2, "There is no setting 'them'; did you mean theme?"),
        ("# a\n\n[contexts.a]\nread_onyl = true", 4, "did you mean read_only?"),
        ("[contexts.a]\nread_only = 'yes'", 2, "contexts.a.read_only takes true or false"),
        ("keymap = 'vmi'", 1, "There is no keymap 'vmi'; did you mean vim?"),
        ("refreshes_per_second = nan", 1, "lies between 0.2 and 30"),
        ("refreshes_per_second = true", 1, "lies between 0.2 and 30"),
        ("ascii = 'maybe'", 1, "ascii is one of auto, yes, no"),
        ("start = 'executoins'", 1, "did you mean executions?"),
        ("[views]\nx = 3", 2, "views.x takes text, not int"),
        ("theme = 'nrod'", 1, "There is no theme 'nrod'; did you mean nord?"),
        ("[keys]\n'list.mrak' = 'x'", 2, "did you mean list.mark?"),
        ("[keys]\nlist.mark = 'x,,y'", 2, "A key is missing"),
        ("[themes.mine]\ndark = true", 1, "needs its primary colour"),
        ("context = 'x'", 1, "There is no context 'x'."),
        ("theme = ", 1, "This is no TOML"),
    ],
)
def test_a_fault_has_its_line_and_the_way_out(text: str, line: int, message: str) -> None:
    parsed = parse(text, Known(NAMES, ["list.mark"], ["executions"]))

    if "true" in text and "refresh" in text:
        message = "takes a number, not bool"
    assert len(parsed.faults) == 1
    assert parsed.faults[0].line == line
    assert message in parsed.faults[0].message


def test_what_is_not_at_fault_holds() -> None:
    parsed = parse("theme = 'nord'\nascii = 3\n[keys]\nlist.mark = 'x'\n")

    assert parsed.settings == Settings(theme="nord", keys={"list.mark": "x"})
    assert len(parsed.faults) == 1


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    parsed = parse(text)

    assert parsed.faults or isinstance(parsed.settings, Settings)


def test_presets_name_bindings_that_there_are() -> None:
    ids = known().bindings or ()

    assert {id_ for preset in PRESETS.values() for id_ in preset} <= set(ids)


def test_paths_are_those_of_the_environment() -> None:
    assert settings_path({"PODIUM_CONSOLE_CONFIG": "/x.toml"}) == Path("/x.toml")
    assert settings_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/podium/console.toml")
    assert settings_path({"XDG_CONFIG_HOME": "c"}) == Path.home() / ".config/podium/console.toml"
    assert state_folder({}) == Path.home() / ".local/state/podium"


def test_a_colour_that_is_none_is_named() -> None:
    colors = parse("[themes.mine]\nprimary = '#12345g'").settings.themes["mine"]

    with pytest.raises(ValueError, match=r"themes\.mine\.primary"):
        theme_of(colors)


def test_what_is_kept_is_private_bounded_and_kept_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "state", "history", most=3)
    for line in ("a", "b", "a", "c", "d  e", ""):
        kept.add(line)

    assert Kept(tmp_path / "state", "history", most=3).lines == ["a", "c", "d e"]
    assert stat.S_IMODE((tmp_path / "state" / "history").stat().st_mode) == 0o600


def test_what_cannot_be_kept_on_disk_is_kept_for_now_and_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = Kept(tmp_path / "file", "history")
    kept.add("a")

    assert kept.lines == ["a"]
    assert "cannot be written" in kept.fault


@pytest.mark.parametrize("text", [f"a = {'[' * 100_000}", f"a = {'1' * 5_000}"])
def test_what_is_too_much_for_its_reader_is_a_fault(text: str) -> None:
    (fault,) = parse(text).faults

    assert "too much for settings" in str(fault)

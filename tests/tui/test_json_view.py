from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.widgets import Input

from tests.tui.screen import burst, screen_text, until, until_shown, until_snapshot
from tui.widgets.json_view import JsonView
from tui.widgets.text_view import FullText, TextView
from tui.widgets.viewer import LARGE

DOCUMENT = {
    "output": {"items": [{"sku": "A-1", "n": 12345678901234567890}, {"sku": "B-2", "ok": True}]},
    "名": "語" * 50,
    "hostile": "[bold]\x1b[31m\u202e",
    "empty": {},
}


class Viewing(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.copied: list[tuple[str, str]] = []
        self.faults: list[str] = []

    def compose(self) -> ComposeResult:
        yield JsonView("Output", root="charge")

    def on_mount(self) -> None:
        self.query_one(JsonView).focus()

    @on(JsonView.Copied)
    def _copied(self, event: JsonView.Copied) -> None:
        self.copied.append((event.what, event.text))

    @on(JsonView.Shown)
    def _shown(self, event: JsonView.Shown) -> None:
        self.faults.append(event.fault)

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """A terminal that there is not cannot be lent; the rest is as it is."""
        yield


def assert_gone(name: str) -> None:
    assert name.startswith("/")
    assert not Path(name).exists()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_document_is_shown(size: tuple[int, int]) -> None:
    app = Viewing()
    async with app.run_test(size=size) as pilot:
        app.query_one(JsonView).show(DOCUMENT)
        await until_shown(pilot, "A-1")

        await until_snapshot(pilot, f"json_view_{size[0]}x{size[1]}")


async def test_keys_fold_and_the_line_below_says_where_one_is() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(DOCUMENT)
        await pilot.press("j", "j", "j", "space")
        await until_shown(pilot, "▸ { 2 keys },", "output.items[0]")
        await pilot.press("full_stop")
        await until(pilot, lambda: "A-1" in screen_text(app))
        await pilot.press("full_stop")
        await until(pilot, lambda: screen_text(app).count("▸ { 2 keys }") == 2)
        await pilot.press("Z", "1")
        await until(pilot, lambda: '▸ "output": { 1 key },' in screen_text(app))

        assert view.path() == ("output",)
        await pilot.press("enter", "G")
        assert view.path() == ()
        assert view.pane.cursor == len(view.pane.lines) - 1


async def test_a_search_goes_as_it_is_typed_unfolds_and_comes_back() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(DOCUMENT)
        await pilot.press("Z", "1", "slash", *"sku")
        await until_shown(pilot, "1 of 2 with 'sku'", "output.items[0].sku")
        await pilot.press("enter", "n")
        await until_shown(pilot, "2 of 2 with 'sku'")
        assert view.path() == ("output", "items", 1, "sku")
        await pilot.press("n")
        assert view.path() == ("output", "items", 0, "sku")
        await pilot.press("N", "escape")
        await until(pilot, lambda: "with 'sku'" not in screen_text(app))
        await pilot.press("slash", *"nowhere", "enter")
        await until_shown(pilot, "Nothing holds 'nowhere'")


async def test_escape_while_searching_goes_back_to_where_one_was() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(DOCUMENT)
        await pilot.press("j", "slash", *"empty")
        await until(pilot, lambda: view.path() == ("empty",))
        await pilot.press("escape")

        assert view.path() == ("output",)
        assert app.focused is view.pane
        assert not view.query_one(Input).display


async def test_two_keys_copy() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(DOCUMENT)
        view.go_to(("output", "items", 0, "sku"))
        for key in "vspey":
            await pilot.press("y")
            await until_shown(pilot, "copy: y all", "p path", "e ${…}")
            await pilot.press(key)
        await pilot.press("y", "escape", "y", "Q")
        await until(pilot, lambda: len(app.copied) == 5)

        assert dict(app.copied) == {
            "value": '"A-1"',
            "text": "A-1",
            "path": "output.items[0].sku",
            "expression": "${charge.output.items[0].sku}",
            "all": json.dumps(DOCUMENT, indent=2, ensure_ascii=False),
        }


async def test_a_path_is_gone_to() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(DOCUMENT)
        await pilot.press("Z", "1", "number_sign", *"output.items[1].ok", "enter")
        assert view.path() == ("output", "items", 1, "ok")
        await pilot.press("number_sign", *"output.nothing", "enter")
        await until_shown(pilot, "output.nothing is not there")
        assert view.path() == ("output",)


async def test_a_newer_document_keeps_folds_cursor_and_search() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(json.dumps({"polls": [{"n": 1}], "status": "IN_PROGRESS", "last": {"at": 5}}))
        view.go_to(("polls", 0))
        await pilot.press("space")
        view.go_to(("last", "at"))
        view.show(
            json.dumps(
                {"polls": [{"n": 1}, {"n": 2}], "status": "DONE", "new": 1, "last": {"at": 6}}
            )
        )
        await until_shown(pilot, '"status": "DONE"', "▸ { 1 key },", '"n": 2', "last.at")

        assert view.path() == ("last", "at")
        view.show({"last": {"at": 7}}, fresh=True)
        assert view.path() == ()


async def test_what_is_no_json_is_shown_with_its_fault() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show('{"a": 1,\n "b" \x1b[2J')
        await until_shown(pilot, "No JSON: line 2, column 6: A colon is missing", r'"b" \x1b[2J')
        await pilot.press("space", "full_stop", "Z", "enter", "slash", "b", "enter", "n")
        await until_shown(pilot, "1 of 1 with 'b'")

        assert app.faults == ["A colon is missing after this key."]


async def test_a_click_on_the_sign_folds_and_one_elsewhere_only_moves() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(DOCUMENT)
        await pilot.pause()
        await pilot.click(view.pane, offset=(20, 2))
        assert view.path() == ("output", "items")
        assert "A-1" in screen_text(app)
        await pilot.click(view.pane, offset=(4, 2))
        await until_shown(pilot, '▸ "items": [ 2 items ]')
        await pilot.click(view.pane, offset=(20, 2), times=2)
        await until_shown(pilot, '▾ "items": [')


async def test_a_long_text_opens_in_full_and_wraps() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show({"text": "x" * 5_000 + "\nthe end"})
        await until(pilot, lambda: "text" in screen_text(app))
        await pilot.press("j", "W", "pagedown")
        await until_shown(pilot, "… 3,008 more")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullText))
        await pilot.press("G")
        await until_shown(pilot, "the end", "line 2 of 2")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, FullText))


async def test_a_large_document_is_read_beside_the_loop() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show({"old": 1})
        view.show(json.dumps(["x" * 100] * (LARGE // 80)))
        assert view.document is not None
        assert view.document.value == {"old": 1}
        await until(pilot, lambda: len(app.faults) == 2)
        await pilot.press("slash", "x", "enter")
        await until_shown(pilot, "of 10,000+ with 'x'")
        await pilot.press("v")


async def test_a_newer_document_overtakes_a_large_one() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(json.dumps(["x" * 100] * (LARGE // 80)))
        view.show({"newer": 1})
        await until(pilot, lambda: all(worker.is_finished for worker in app.workers))
        await until_shown(pilot, '"newer": 1')

        assert app.faults == [""]


async def test_the_pager_gets_all_in_a_file_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setenv("PAGER", f'sh -c \'cp -p "$0" {seen}; ls "$0" > {tmp_path}/name\'')
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(JsonView).show({"a": [1]})
        await pilot.press("v")
        await until(pilot, seen.exists)

        assert json.loads(seen.read_text()) == {"a": [1]}
        assert stat.S_IMODE(seen.stat().st_mode) == 0o600
        assert_gone((tmp_path / "name").read_text().strip())


@pytest.mark.parametrize(
    ("pager", "told"),
    [
        ("no-such-pager -R", "no-such-pager cannot be run: No such file"),
        ("sh -c 'exit 3'", "sh ended with 3."),
        ("sh -c 'kill -9 $$'", "sh was ended by signal 9."),
        ("'", "' cannot be run"),
    ],
)
async def test_a_pager_that_fails_is_told(
    pager: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", pager)
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(JsonView).show({"a": 1})
        await pilot.press("v")
        await until_shown(pilot, told)


async def test_a_terminal_that_cannot_be_lent_is_told() -> None:
    class Plain(App[None]):
        def compose(self) -> ComposeResult:
            yield JsonView()

    app = Plain()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(JsonView).show({"a": 1})
        app.query_one(JsonView).focus()
        await pilot.press("v")
        await until_shown(pilot, "This terminal cannot be lent to another program.")


async def test_colours_follow_the_theme_and_none_are_needed() -> None:
    app = Viewing()
    app.theme = "ansi-dark"
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(JsonView).show(DOCUMENT)
        await until_shown(pilot, "A-1")
        app.theme = "textual-light"
        await pilot.pause()

        assert r"[bold]\u001b[31m\u202e" in screen_text(app)
    assert "NO_COLOR" not in os.environ


class Reading(App[None]):
    def compose(self) -> ComposeResult:
        yield TextView("Text")

    def on_mount(self) -> None:
        self.query_one(TextView).focus()


async def test_a_text_is_read_searched_and_numbered() -> None:
    app = Reading()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(TextView)
        view.show("\n".join(f"line: {n}" for n in range(1, 1001)), "yaml")
        await pilot.press("L", "number_sign", *"500", "enter")
        await until_shown(pilot, " 500 line: 500", "line 500 of 1,000")
        await pilot.press("slash", *": 77", "enter")
        await until_shown(pilot, "of 11 with ': 77'", "line 770 of 1,000")
        await pilot.press("y", "l")

        assert app.clipboard == "line: 770"
        view.show(view.text.replace("770", "changed"), "yaml")
        await until_shown(pilot, "line: changed")
        assert view.pane.cursor == 769


async def test_a_line_of_a_whole_file_is_wrapped_to_its_end() -> None:
    app = Reading()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(TextView)
        view.show("head\n" + "abcdefgh" * 100_000 + "THE END\ntail")
        await until_shown(pilot, "head", "tail")
        await pilot.press("j", "W", "G")
        await until_shown(pilot, "THE END", "tail")


async def test_a_search_typed_in_a_burst_is_no_keys_of_the_document() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(JsonView).show(DOCUMENT)
        await until_shown(pilot, "A-1")

        # As a terminal gives what was typed while it was slow: the blank would fold.
        burst(app, "/", " ", "B", "-", "#", "/")

        asking = app.query_one(JsonView).query_one(Input)
        await until(pilot, lambda: asking.value == " B-#/")
        assert asking.has_focus
        await until_shown(pilot, "A-1", "Nothing holds ' B-#/'")


async def test_what_is_found_in_a_document_that_is_gone_by_then_is_no_match() -> None:
    app = Viewing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(JsonView)
        view.show(json.dumps(["needle" * 10] * (LARGE // 60)))
        await until(pilot, view.is_large)
        view.find("needle")
        view.show({"hay": 1})

        await until(pilot, lambda: all(each.group != "search" for each in app.workers))

        assert view.searching is None

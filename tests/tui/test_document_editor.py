from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events, on
from textual.app import App, ComposeResult

from tests.tui.screen import screen_text, until, until_shown, until_snapshot
from tui.views.completion import Completion, Words, complete
from tui.views.editing import EditorFault, Language
from tui.widgets.code_area import parses
from tui.widgets.document_editor import MOST_COLOURED, DocumentEditor

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "schema" / "workflow.json").read_text("utf-8")
)
WORDS = Words(schema=SCHEMA, inputs=["orderId"])
TEXT = """{
  "name": "order",
  "tasks": [
    {"taskReferenceName": "charge", "type": "HTTP"}
  ]
}"""


def completions(text: str, cursor: int) -> Sequence[Completion]:
    return complete(text, cursor, WORDS)


class Editing(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.saved: list[str] = []
        self.changed: list[str] = []

    def compose(self) -> ComposeResult:
        yield DocumentEditor("workflow order", complete=completions)

    def on_mount(self) -> None:
        self.query_one(DocumentEditor).focus()

    @on(DocumentEditor.SaveRequested)
    def _save(self, event: DocumentEditor.SaveRequested) -> None:
        self.saved.append(event.text)

    @on(DocumentEditor.Changed)
    def _changed(self, event: DocumentEditor.Changed) -> None:
        self.changed.append(event.text)

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """A terminal that there is not cannot be lent; the rest is as it is."""
        yield


async def test_what_is_typed_is_told_saved_and_undone() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("[]", "json")
        await pilot.press("right", "1")
        assert editor.is_dirty
        await until(pilot, lambda: app.changed == ["[1]"])
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.saved == ["[1]"])
        assert editor.is_dirty
        editor.mark_saved("[1]")
        assert not editor.is_dirty
        await pilot.press("ctrl+z")
        assert editor.text == "[]"
        await pilot.press("ctrl+y")
        assert editor.text == "[1]"


async def test_a_fault_of_json_is_marked_as_it_is_typed() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load('{"a": 1\n}', "json")
        editor.go_to(1, 8)
        await pilot.press("comma")
        await until_shown(pilot, "1 fault: f8 goes to it", "2! }")
        await pilot.press("f8")
        await until_shown(pilot, "2:1 A key in double quotes is missing here.")
        assert editor.area.cursor_location == (1, 0)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: not editor.faults)


async def test_faults_of_others_are_gone_through_both_ways() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load(TEXT, "json")
        editor.show_faults(
            [
                EditorFault(4, 40, "tasks[0].type: is [bold]unknown\x1b[31m"),
                EditorFault(2, 3, "name: is taken", is_warning=True),
            ]
        )
        await until_shown(pilot, "2?", "4!")
        await until_snapshot(pilot, "document_editor_80x24")
        await pilot.press("f8", "f8")
        await until_shown(pilot, r"4:40 tasks[0].type: is [bold]unknown\x1b[31m  (2 of 2)")
        await pilot.press("shift+f8")
        await until_shown(pilot, "2:3 name: is taken  (1 of 2)")
        await pilot.press("shift+f8")
        assert editor.area.cursor_location == (3, 39)
        editor.show_faults([EditorFault(2, 1, "one"), EditorFault(2, 9, "other")])
        await pilot.press("f8", "f8")
        await until_shown(pilot, "2:9 other  (2 of 2)")
        editor.show_faults([])
        await pilot.press("f8")
        await until_shown(pilot, "There are no faults.")


async def test_a_key_is_completed_while_it_is_typed() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("", "json")
        await pilot.press("{", "enter", "quotation_mark", "t", "a")
        await until_shown(pilot, "tasks", "required. What it does.", "2!")
        await until(pilot, lambda: "timeoutSeconds" not in screen_text(app))
        await until_snapshot(pilot, "document_editor_completing_80x24")
        await pilot.press("enter")
        await until(pilot, lambda: editor.text == '{\n  "tasks": []')
        await pilot.press("ctrl+@")
        await until_shown(pilot, "HTTP task")
        await pilot.press("down", "down", "up", "tab")
        await until(pilot, lambda: '"type": "HTTP_POLL"' in editor.text)
        assert editor.text.splitlines()[1] == '  "tasks": [{'
        await pilot.press(*"poll")
        assert '"name": "poll"' in editor.text


async def test_an_offer_is_declined_and_typed_over() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("", "json")
        await pilot.press("{", "quotation_mark", "n")
        await until_shown(pilot, "required. Its name.")
        await pilot.press("escape")
        await until(pilot, lambda: "Its name." not in screen_text(app))
        await pilot.press("x", "q")
        assert editor.text == '{"nxq'
        assert app.focused is editor.area
        await pilot.press("ctrl+@")
        await until_shown(pilot, "Nothing is known that may come here.")


async def test_an_offer_is_closed_where_the_cursor_goes_elsewhere() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("{\n  \n}", "json")
        editor.go_to(2, 3)
        await pilot.press("quotation_mark", "t", "a")
        await until_shown(pilot, "tasks")

        await pilot.press("ctrl+end")

        await until(pilot, lambda: "tasks" not in screen_text(app))


async def test_the_end_of_every_line_is_reached_whatever_put_it_there() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("{}", "text")
        editor.rewrite(f"short\n{'x' * 150} rewritten\nshort")
        editor.go_to(2, 1)
        await pilot.press("end")
        await until_shown(pilot, "rewritten")

        app.post_message(events.Paste(f"\n{'y' * 300} pasted\nshort"))
        await until(pilot, lambda: "pasted" in editor.text)
        editor.go_to(3, 1)
        await pilot.press("end")
        await until_shown(pilot, "pasted")


async def test_an_offer_is_taken_by_a_click() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("", "json")
        await pilot.press("{", "quotation_mark", "n", "a")
        await until_shown(pilot, "required. Its name.")
        row = next(y for y, line in enumerate(screen_text(app).splitlines()) if "Its name" in line)
        await pilot.click(offset=(12, row))
        await until(pilot, lambda: editor.text == '{"name": ""')


async def test_an_offer_at_the_bottom_stands_above() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("{" + "\n" * 40, "json")
        editor.area.move_cursor(editor.area.document.end)
        await pilot.press("quotation_mark", "n")
        await until_shown(pilot, "required. Its name.")
        lines = screen_text(app).splitlines()
        assert next(y for y, line in enumerate(lines) if "Its name." in line) < 20


async def test_lines_are_indented_and_brackets_closed_where_they_began() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("", "javascript")
        await pilot.press("{", "enter", "x", "enter", "}")
        assert editor.text == "{\n  x\n}"
        editor.load("[]", "json")
        await pilot.press("right", "enter", "1")
        assert editor.text == "[\n  1\n]"
        editor.load("", "text")
        await pilot.press("tab", "x")
        assert editor.text == "  x"


async def test_the_users_editor_changes_the_text_and_undo_brings_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i s/order/changed/")
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load(TEXT, "json")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: '"name": "changed"' in editor.text)
        await until(pilot, lambda: bool(app.changed))
        await until_shown(pilot, "Taken over from the editor; ctrl+z brings back what was.")
        await pilot.press("ctrl+z")
        assert editor.text == TEXT


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("true", "Nothing was changed."),
        ("sh -c 'echo >> \"$0\"'", "Nothing was changed."),
        ("sh -c 'echo x > \"$0\"; exit 1'", "sh ended with 1. The text is as it was."),
        ("no-such-editor", "no-such-editor cannot be run"),
        ("rm", "The file for rm is lost"),
        ('sh -c \'printf "\\377" > "$0"\'', "What came back is no UTF-8."),
    ],
)
async def test_an_editor_that_gives_nothing_back_leaves_the_text(
    command: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", command)
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load(TEXT, "json")
        await pilot.press("ctrl+e")
        await until_shown(pilot, told)

        assert editor.text == TEXT


async def test_a_large_text_is_edited_without_colours_and_says_so() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("[\n" + '{"a": [1, 2]},\n' * (MOST_COLOURED // 10) + "1]", "json")
        await until_shown(pilot, "No colours: it has more than 200,000 characters.")
        await pilot.press("right", "x", "ctrl+z", "ctrl+end")
        assert not editor.is_dirty
        assert editor.area.cursor_location[0] > 1_000


async def test_escape_is_left_to_whoever_is_around() -> None:
    class Around(Editing):
        escaped = 0
        BINDINGS = [("escape", "leave")]  # noqa: RUF012

        def action_leave(self) -> None:
            self.escaped += 1

    app = Around()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("escape")
        await until(pilot, lambda: app.escaped == 1)


def test_tree_sitter_reads_what_is_short_enough() -> None:
    assert parses("json", "{}")
    assert parses("javascript", "")
    assert not parses("json", " " * 100_000)
    assert not parses("text", "")


WITHOUT = """
import asyncio, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("tree_sitter"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
from textual.app import App
from tui.widgets.document_editor import DocumentEditor
class Plain(App):
    def compose(self):
        yield DocumentEditor()
async def main():
    app = Plain()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        for language in ("json", "yaml", "javascript"):
            editor.load("{}", language)
            editor.focus()
            await pilot.press("1")
            assert editor.text == "1{}", editor.text
    print("worked without", "tree_sitter" in sys.modules)
asyncio.run(main())
"""


def test_it_works_without_tree_sitter() -> None:
    # A process of its own: what is imported here cannot be taken back.
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=25, check=False
    )

    assert ended.stdout.strip() == "worked without False", ended.stderr


async def test_a_key_with_alt_is_no_text() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("{}", "json")
        # As terminals send it: escape, and then the character.
        editor.area.post_message(events.Key("alt+g", "g"))
        await pilot.press("x")
        await until(pilot, lambda: editor.text == "x{}")


async def test_what_turns_text_round_is_a_sign_and_stays_in_the_text() -> None:
    text = "let a = 'x\u202ey\u200b'\u2028\nlet b = '\x1b[2J\u3042'"
    app = Editing()
    async with app.run_test(size=(80, 10)) as pilot:
        editor = app.query_one(DocumentEditor)
        languages: tuple[Language, ...] = ("javascript", "text")
        for language in languages:
            editor.load(text, language)
            await until_shown(pilot, "'x?y?'?", "'?[2J\u3042'", "U+202E, right-to-left override")
            assert editor.text == text
            assert not editor.is_dirty

        await pilot.press("ctrl+end", "left", "!")
        await pilot.click(editor.area, offset=(editor.area.gutter_width + 12, 0))
        await pilot.press("!")

        assert editor.text == text.replace("y\u200b", "y!\u200b").replace("\u3042'", "\u3042!'")
        await pilot.press("end")
        editor.area.insert("\u2029", editor.area.cursor_location)
        assert editor.text.split("\n")[0].endswith("'\u2028\u2029")


async def test_a_check_that_ends_while_the_editor_is_taken_away_harms_nothing() -> None:
    app = Editing()
    async with app.run_test(size=(80, 24)) as pilot:
        editor = app.query_one(DocumentEditor)
        editor.load("[]", "json")
        # Its parts go before it does.
        await editor.remove_children()
        editor.show_faults([EditorFault(1, 1, "late")])
        await pilot.pause()
        assert [fault.message for fault in editor.faults] == ["late"]

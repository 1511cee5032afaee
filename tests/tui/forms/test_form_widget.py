"""A form as it is filled in: by key, by mouse, on small screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from services.json_text import Json
from tests.tui.forms.schemas import form_for, object_of
from tests.tui.screen import screen_text, typed, until, until_snapshot
from tui.views.forms.fields import Field, form_of
from tui.widgets.form import Form
from tui.widgets.form_editors import FieldInput, Picker
from tui.widgets.form_lines import FormLines


class Shown(App[None]):
    CSS = "Form { border: round $primary; }"

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        form.border_title = "Service"
        self.told: list[Message] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.form

    def on_form_submitted(self, message: Form.Submitted) -> None:
        self.told.append(message)

    def on_form_cancelled(self, message: Form.Cancelled) -> None:
        self.told.append(message)

    def on_form_create_requested(self, message: Form.CreateRequested) -> None:
        self.told.append(message)

    def on_form_script_edit_requested(self, message: Form.ScriptEditRequested) -> None:
        self.told.append(message)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


NAMES = {"auth": ("internal", "partners", "public"), "workflow": ("invoice", "order")}


@asynccontextmanager
async def shown(
    field: Field | None = None,
    document: Json | None = None,
    size: tuple[int, int] = (80, 24),
    **more: Any,
) -> AsyncIterator[tuple[Shown, Pilot[None]]]:
    form = Form(field or form_for("service"), document, names=NAMES, **more)
    app = Shown(form)
    async with app.run_test(size=size) as pilot:
        form.focus()
        await pilot.pause()
        yield app, pilot


async def written(pilot: Pilot[None], text: str) -> None:
    """Open the row under the cursor, write, and keep it."""
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, FieldInput), "no line to write in")
    await typed(pilot, *text, "enter")


SERVICE: Json = {
    "kind": "service",
    "id": "billing",
    "name": "Billing",
    "path": "/billing",
    "authConfigId": "partners",
    "enabled": False,
    "routes": [
        {"httpMethod": "GET", "path": "/invoices/{id}", "mappedWorkflow": {"name": "invoice"}},
        {"httpMethod": "POST", "path": "/orders", "mappedWorkflow": {"name": "order"},
         "preRequestScript": "const a = 1;\na + 1"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 12)])
async def test_it_fits_every_size(size: tuple[int, int]) -> None:
    async with shown(document=SERVICE, size=size, existing=True) as (app, pilot):
        app.form.go_to(("routes", 1, "mappedWorkflow", "name"))
        await pilot.pause()
        await until_snapshot(pilot, f"form_{size[0]}x{size[1]}")


async def test_it_needs_no_more_than_ascii() -> None:
    async with shown(document=SERVICE, ascii=True) as (app, pilot):
        app.form.go_to(("routes", 1, "path"))
        app.form.refuse([("routes[1].path", "is taken")])
        await pilot.pause()

        # Without the border and the scrollbar, which are not the form's.
        assert "".join(line[1:-2] for line in screen_text(app).splitlines()[1:-1]).isascii()


async def test_a_service_is_written_from_nothing_by_keys_alone() -> None:
    async with shown() as (app, pilot):
        await pilot.press(
            "enter", *"billing", "tab", *"Billing", "tab", "tab", *"/billing", "enter"
        )
        await pilot.press("down", "space", "down", "enter")
        await until(pilot, lambda: bool(app.query(Picker)), "nothing to pick from")
        await typed(pilot, *"part", "enter", "ctrl+s")
        await until(pilot, lambda: bool(app.told), "not sent")

        sent = app.told[0]
        assert isinstance(sent, Form.Submitted)
        assert sent.document == {
            "kind": "service", "id": "billing", "name": "Billing", "path": "/billing",
            "enabled": False, "authConfigId": "partners",
        }  # fmt: skip


async def test_what_is_missing_is_shown_and_not_sent() -> None:
    async with shown() as (app, pilot):
        await pilot.press("G", "k", "enter")
        await until(pilot, lambda: "is required" in screen_text(app))

        assert not app.told
        assert app.form.row is not None
        assert app.form.row.path == ("id",)
        assert "3 to mend" in screen_text(app)


async def test_faults_of_a_service_are_shown_at_their_fields() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        app.form.refuse([("routes[1].path", "is taken"), ("name", "is odd"), ("", "is too large")])
        await pilot.pause()

        lines = screen_text(app).splitlines()
        at = next(number for number, line in enumerate(lines) if "is odd" in line)
        assert "name" in lines[at - 1]
        at = next(number for number, line in enumerate(lines) if "is taken" in line)
        assert "/orders" in lines[at - 1]
        assert "is too large" in lines[1]


async def test_escape_leaves_what_there_was() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        await typed(pilot, "down", "enter", *"other", "escape")
        await until(pilot, lambda: isinstance(app.focused, FormLines))
        assert app.form.document == SERVICE
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.told))
        assert isinstance(app.told[0], Form.Cancelled)
        assert not app.told[0].changed


async def test_what_was_written_would_be_lost() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        await pilot.press("down", "delete", "escape")
        await until(pilot, lambda: bool(app.told))

        assert isinstance(app.told[0], Form.Cancelled)
        assert app.told[0].changed
        app.form.stored()
        assert not app.form.changed


async def test_sending_keeps_what_is_being_written() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        await typed(pilot, "down", "enter", "end", *" Ltd", "ctrl+s")
        await until(pilot, lambda: bool(app.told), "not sent")

        assert isinstance(app.told[0], Form.Submitted)
        assert isinstance(app.told[0].document, dict)
        assert app.told[0].document["name"] == "Billing Ltd"


async def test_a_click_opens_a_value_and_keeps_the_one_before() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        await pilot.click(FormLines, offset=(30, 1))
        await until(pilot, lambda: isinstance(app.focused, FieldInput))
        await pilot.press("end", *"!")
        await pilot.click(FormLines, offset=(30, 4))
        await until(pilot, lambda: isinstance(app.focused, FormLines))

        assert isinstance(app.form.document, dict)
        assert app.form.document["name"] == "Billing!"
        assert app.form.document["enabled"] is True


async def test_a_click_on_a_label_only_goes_there() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        await pilot.click(FormLines, offset=(3, 4))

        assert app.form.row is not None
        assert app.form.row.path == ("enabled",)
        assert app.form.document == SERVICE


async def test_scrolling_away_keeps_what_is_being_written() -> None:
    document: Json = {"routes": [{"path": f"/{number}"} for number in range(60)]}
    async with shown(document=document) as (app, pilot):
        app.form.go_to(("routes", 3, "path"))
        await pilot.press("enter", "end", "x", "pagedown")
        await until(pilot, lambda: not app.query(FieldInput))

        assert "/3x" in str(app.form.document)


async def test_a_fixed_field_is_not_opened() -> None:
    async with shown(document=SERVICE, existing=True) as (app, pilot):
        await pilot.press("enter")
        await pilot.pause()

        assert not app.query(FieldInput)
        assert "billing  (fixed)" in screen_text(app)
        assert "cannot be changed" in screen_text(app)


async def test_items_are_added_doubled_moved_and_removed() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        app.form.go_to(("routes",))
        await pilot.press("a")
        assert app.form.row is not None
        assert app.form.row.path == ("routes", 2)
        await pilot.press("K", "K")
        assert app.form.row.path == ("routes", 0)
        await pilot.press("delete", "d", "J")
        await pilot.pause()

        document: Any = app.form.document
        paths = [each["path"] for each in document["routes"]]
        assert paths == ["/invoices/{id}", "/orders", "/invoices/{id}"]


async def test_letters_beneath_an_item_change_nothing() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        app.form.go_to(("routes", 0, "path"))
        await pilot.press("d", "a", "x", "J", "K")
        await until(pilot, lambda: "Enter writes" in str(app.form.border_subtitle))

        assert app.form.document == SERVICE
        await pilot.press("delete")
        document: Any = app.form.document
        assert "path" not in document["routes"][0]


async def test_letters_on_an_item_are_about_it() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        app.form.go_to(("routes", 0))
        await pilot.press("a", "x")
        await until(pilot, lambda: app.form.document == SERVICE)
        app.form.go_to(("routes", 0))
        await pilot.press("x")
        before: Any = SERVICE
        await until(pilot, lambda: app.form.document != SERVICE)
        document: Any = app.form.document
        assert document["routes"] == before["routes"][1:]


async def test_tab_goes_on_writing_over_heads_of_groups() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        app.form.go_to(("docsPublic",))
        # As with a value that Tab keeps.
        app.form._to_field(1)
        await pilot.pause()

        assert app.form.row is not None
        assert app.form.row.path[0] == "corsConfig"
        assert app.form.row.part not in ("group", "item")


async def test_a_name_that_is_not_there_yet_may_be_written_or_created() -> None:
    async with shown() as (app, pilot):
        app.form.go_to(("authConfigId",))
        await typed(pilot, "enter", *"intern", "up", "enter")
        await until(pilot, lambda: not app.query(Picker))
        # What is to be created comes last, which is before the first.
        await until(pilot, lambda: bool(app.told))
        created = app.told[0]
        assert isinstance(created, Form.CreateRequested)
        assert (created.kind, created.path) == ("auth", ("authConfigId",))
        app.form.offer("auth", ["brand-new"])
        app.form.put(created.path, "brand-new")
        await pilot.pause()
        assert "brand-new → auth" in screen_text(app)
        await typed(pilot, "enter", *"own", "enter")
        await until(pilot, lambda: "own → auth" in screen_text(app))
        await pilot.press("c")
        await until(pilot, lambda: len(app.told) == 2)


async def test_scripts_and_long_texts_are_edited_elsewhere() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        path = ("routes", 1, "preRequestScript")
        app.form.go_to(path)
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.told))
        asked = app.told[0]
        assert isinstance(asked, Form.ScriptEditRequested)
        assert (asked.path, asked.text, asked.language) == (
            path, "const a = 1;\na + 1", "javascript",
        )  # fmt: skip
        app.form.put_text(path, "2\n+2\n+2")
        await pilot.pause()
        assert "2 … (3 lines)" in screen_text(app)
        app.form.go_to(("routes", 1, "inputSchema"))
        await pilot.press("e")
        await until(pilot, lambda: len(app.told) == 2)
        assert app.told[1].language == "json"  # type: ignore[attr-defined]


async def test_a_secret_is_never_on_the_screen() -> None:
    async with shown(form_for("auth")) as (app, pilot):
        app.form.go_to(("apiKeys",))
        await pilot.press("a")
        app.form.go_to(("apiKeys", 0))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.focused, FieldInput))
        await typed(pilot, *"sesame")
        assert "sesame" not in screen_text(app)
        await pilot.press("enter", "y", "e")
        await pilot.pause()

        assert app.form.document == {"kind": "auth", "apiKeys": ["sesame"]}
        assert "sesame" not in screen_text(app)
        assert not app.copied
        assert not app.told


async def test_what_was_typed_wrong_is_there_to_be_mended() -> None:
    async with shown() as (app, pilot):
        await written(pilot, "Not an id")
        await until(pilot, lambda: "must match" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FieldInput))

        assert app.query_one(FieldInput).value == "Not an id"


async def test_a_document_from_elsewhere_is_shown() -> None:
    async with shown() as (app, pilot):
        app.form.load({"kind": "service", "id": "written-as-json"})
        await pilot.pause()

        assert "written-as-json" in screen_text(app)
        assert app.form.changed


async def test_markup_and_control_characters_are_shown_as_they_are() -> None:
    form = form_of(object_of(**{"[red]a[/]": {"type": "string", "description": "[b]\x1b[31m"}}))
    async with shown(form, {"[red]a[/]": "x\x1b[2J"}) as (app, _):
        text = screen_text(app)

        assert "[red]a[/]" in text
        assert "x\\x1b[2J" in text
        assert "[b]\\x1b[31m" in text


async def test_folding_by_keys() -> None:
    async with shown(document=SERVICE) as (app, pilot):
        app.form.go_to(("corsConfig",))
        await pilot.press("l", "j", "j")
        assert app.form.row is not None
        assert app.form.row.depth == 1
        await pilot.press("h")
        assert (app.form.row.label, app.form.row.depth) == ("corsConfig", 0)
        await pilot.press("h")
        assert "accessControlMaxAge" not in screen_text(app)
        await pilot.press("space")
        await pilot.pause()
        assert "accessControlMaxAge" in screen_text(app)


async def test_from_the_last_field_to_the_first() -> None:
    async with shown() as (app, pilot):
        await pilot.press("shift+tab")
        assert app.form.row is not None
        assert app.form.row.part == "cancel"
        await pilot.press("tab")
        assert app.form.row.path == ("id",)


async def test_a_picker_has_room_at_the_bottom_of_the_screen() -> None:
    fields = {f"f{number}": {"enum": list("abcdefghijkl")} for number in range(40)}
    async with shown(form_of(object_of(**fields))) as (app, pilot):
        app.form.go_to(("f39",))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.query(Picker)))
        await pilot.pause()
        picker = app.query_one(Picker)

        assert picker.region.bottom <= app.form.content_region.bottom
        await pilot.press("end", *"l", "tab")
        await until(pilot, lambda: not app.query(Picker))
        assert app.form.document == {"f39": "l"}


async def test_a_thousand_fields_are_as_quick_as_ten() -> None:
    fields = {f"f{number}": {"type": "string"} for number in range(500)}
    async with shown(form_of(object_of(**fields))) as (app, pilot):
        await pilot.press("G", "k", "k", "enter", *"x", "enter")
        await until(pilot, lambda: app.form.document == {"f499": "x"})

        assert len(app.form.query("*")) < 10


async def test_the_whole_row_under_the_cursor_has_its_background() -> None:
    async with shown(document=SERVICE) as (app, _):
        lines = app.query_one(FormLines)
        cursor = lines.get_component_rich_style("form--cursor").bgcolor

        marked = [
            y
            for y in range(lines.rows_shown)
            if {each.style.bgcolor for each in lines.render_line(y) if each.style} == {cursor}
        ]

        assert marked == [0]

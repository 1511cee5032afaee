"""How the values of a form are written: over its rows, one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from services.json_text import Json
from tui.views.forms import editing
from tui.views.forms.documents import Path, value_at
from tui.views.forms.fields import Field
from tui.views.forms.rows import FormRow, FormState, rows_of
from tui.views.forms.texts import text_of
from tui.widgets.form_editors import FieldInput, Picker, place_over
from tui.widgets.form_lines import FormLines
from tui.widgets.ordered_keys import focus_at_once


class FormWriting(Widget):
    """The rows of a form, and over one of them what its value is written in.

    Attributes:
        state: The form as it is now.
    """

    DEFAULT_CSS = """
    FormWriting { height: 1fr; layers: base over; }
    """

    def __init__(
        self,
        field: Field,
        document: Json | None = None,
        *,
        existing: bool = False,
        names: Mapping[str, Sequence[str]] | None = None,
        sends: str = "Save",
        ascii: bool = False,
        id: str | None = None,
    ) -> None:
        """A form for ``field`` (see ``tui.views.forms.fields.form_of``).

        Args:
            document: What is there already; None: a new document is begun.
            existing: Whether it is stored, so that its immutable fields are fixed.
            names: By kind of definition, the names that are known.
            sends: What the button says that sends it.
        """
        super().__init__(id=id)
        self.state = replace(editing.begun(field, document, existing=existing), sends=sends)
        self._first = self.state.document
        self._names = dict(names or {})
        self._lines = FormLines(ascii=ascii)
        self._editor: FieldInput | Picker | None = None
        self._edited: FormRow | None = None
        self._edited_at = Region()

    def compose(self) -> ComposeResult:
        yield self._lines

    def on_mount(self) -> None:
        self._show()

    # What others say of it

    def document_changed(self) -> None:
        """The document is another one."""

    def action_edit(self) -> None:
        """The value under the cursor is to be edited elsewhere."""

    def action_create(self) -> None:
        """What the row under the cursor refers to is to be created."""

    def action_open(self) -> None:
        """The row under the cursor is opened."""

    @property
    def row(self) -> FormRow | None:
        """That under the cursor."""
        return self._lines.row

    # What is shown

    def _become(self, state: FormState, cursor: Path | None = None) -> None:
        changed = state.document != self.state.document
        self.state = state
        if self.is_mounted:
            self._show(cursor)
        if changed:
            self.document_changed()

    def _show(self, cursor: Path | None = None) -> None:
        rows = rows_of(self.state)
        at = None
        if cursor is not None:
            at = next((row.key for row in rows if row.path == cursor), None)
        self._lines.show(rows, at)

    def _to_first_fault(self) -> None:
        at = next((n for n, row in enumerate(self._lines.rows) if row.part == "fault"), None)
        if at is not None:
            self._lines.move_to(max(0, at - 1), by=-1)

    def _open_value(self, row: FormRow) -> None:
        if row.fixed:
            return
        if row.field.sort == "boolean" and row.path not in self.state.texts:
            self._become(editing.toggled(self.state, row))
        elif row.field.choices and row.field.sort == "choice":
            choices = [text_of(row.field, each) for each in row.field.choices]
            self._edit_with(row, Picker(choices, row.value, self._left))
        elif row.field.refers_to:
            kind = row.field.refers_to
            value = row.value if row.given else ""
            names = self._names.get(kind, ())
            picker = Picker(names, value, self._left, free=True, create=self._create)
            self._edit_with(row, picker)
        elif row.field.script or "\n" in self._text(row):
            self.action_edit()
        else:
            password = row.field.secret
            self._edit_with(row, FieldInput(self._text(row), self._left, password=password))

    def _text(self, row: FormRow) -> str:
        """What is edited: the value's text, or what was typed and is no value."""
        typed = self.state.texts.get(row.path)
        if typed is not None:
            return typed
        return text_of(row.field, value_at(self.state.document, row.path))

    def _edit_with(self, row: FormRow, editor: FieldInput | Picker) -> None:
        self._close_editor()
        self._editor, self._edited = editor, row
        self._lay_editor()
        self.mount(editor)
        focus_at_once(editor)

    def _lay_editor(self) -> None:
        """Lay it over the value of the row under the cursor."""
        if self._editor is None:
            return
        lines = self._editor.lines_needed() if isinstance(self._editor, Picker) else 1
        room = Region(0, 0, self.content_size.width, self.content_size.height)
        self._edited_at = self._lines.value_region()
        place_over(self._editor, self._edited_at, room, lines)

    def _left(self, text: str | None, go: int) -> None:
        if self._edited is None:
            return
        row = self._edited
        self._close_editor()
        if text is not None:
            self._write(row, text)
        if go:
            self._to_field(go)
            self._go_on_writing()

    def _to_field(self, go: int) -> None:
        """To the next field, or the one before: who writes on means no group by its letters."""
        self._lines.move(go)
        before: FormRow | None = None
        while go > 0 and (row := self.row) is not None and row.part in ("group", "item"):
            if before is not None and row.key == before.key:
                return
            if not row.open:
                self._become(editing.folded(self.state, row.path))
            before = row
            self._lines.move(go)

    def _write(self, row: FormRow, text: str) -> None:
        if text != self._text(row):
            self._become(editing.typed(self.state, row, text))

    def _keep_written(self) -> None:
        """What is being typed counts, wherever one goes from there; what is picked does not."""
        editor, row = self._editor, self._edited
        self._close_editor()
        if isinstance(editor, FieldInput) and row is not None:
            self._write(row, editor.value)

    def _go_on_writing(self) -> None:
        row = self.row
        if row and row.part == "value" and row.field.sort != "boolean" and not row.field.script:
            self._open_value(row)

    def _create(self) -> None:
        self._close_editor()
        self.action_create()

    def _close_editor(self) -> None:
        if self._editor is not None:
            self._editor.remove()
            self._editor = self._edited = None
            focus_at_once(self._lines)

    def on_resize(self) -> None:
        # Its row is elsewhere now.
        self._keep_written()

    def on_form_lines_moved(self, message: FormLines.Moved) -> None:
        message.stop()
        if self._edited is None or self._lines.value_region() == self._edited_at:
            return
        here = self._lines.value_region()
        is_seen = 0 <= here.y < self._lines.rows_shown
        if self.row is None or self.row.key != self._edited.key or not is_seen:
            self._keep_written()
        else:
            # What is wrong with others came or went above it.
            self._lay_editor()

    def on_form_lines_row_clicked(self, message: FormLines.RowClicked) -> None:
        message.stop()
        self._keep_written()
        if message.at_value or message.row.part != "value":
            self.action_open()

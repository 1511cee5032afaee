"""A form: a document is filled in field by field, and sent or left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Self

from textual.binding import Binding, BindingType
from textual.message import Message

from services.json_text import Json
from tui.views.forms import editing
from tui.views.forms.documents import MISSING, Missing, Path, value_at, written
from tui.views.forms.rows import OPTION, FormRow
from tui.views.forms.texts import text_of
from tui.widgets.form_writing import FormWriting

_LANGUAGES = {"json": "json", "any": "json", "items": "json"}


class Form(FormWriting):
    """The fields of a schema with what stands in them.

    Only what somebody writes gets into the document: defaults are shown, and left out of it.
    """

    HELP = """\
## Form

- `Tab Shift+Tab ↑ ↓ j k` go from field to field, `Enter` opens one, `Esc` leaves it
- while a value is typed, `Tab` keeps it and opens the next field, unfolding the group of it
- `Space` folds a group or turns a yes into a no, `Delete` takes a value away again
- on a list `a` adds an item; on an item `J K` move it, `d` doubles it, `x` or `Delete` removes it
- `c` creates what a field refers to, `e` opens a text in the editor
- `Ctrl+S` sends the form; what is wrong is then shown at its field
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="form.down", show=False, tooltip="One row down"),
        Binding("up,k", "move(-1)", "Up", id="form.up", show=False, tooltip="One row up"),
        Binding("tab", "around(1)", "Next", id="form.next", show=False,
                tooltip="The next field; after the last, the first"),
        Binding("shift+tab", "around(-1)", "Previous", id="form.previous", show=False,
                tooltip="The field before"),
        Binding("pagedown", "page(1)", "Page", id="form.page_down", show=False,
                tooltip="A page down"),
        Binding("pageup", "page(-1)", "Page", id="form.page_up", show=False,
                tooltip="A page up"),
        Binding("home,g", "edge(0)", "Top", id="form.top", show=False, tooltip="The first field"),
        Binding("end,G", "edge(-1)", "End", id="form.end", show=False, tooltip="The last row"),
        Binding("enter", "open", "Open", id="form.open", tooltip="Write, pick, fold or press"),
        Binding("space", "switch", "Fold", id="form.switch", show=False,
                tooltip="Fold a group, turn a yes into a no"),
        Binding("left,h", "fold(False)", "Fold", id="form.fold", show=False,
                tooltip="Fold the group that the row is in"),
        Binding("right,l", "fold(True)", "Unfold", id="form.unfold", show=False,
                tooltip="Show what is in the group"),
        Binding("delete,backspace", "clear", "Clear", id="form.clear",
                tooltip="Take the value away, or the item out of its list"),
        Binding("x", "take_out", "Take out", id="form.take_out", show=False,
                tooltip="Take the item out of its list"),
        Binding("a", "add", "Add", id="form.add", tooltip="Add an item to the list"),
        Binding("d", "double", "Double", id="form.double", show=False,
                tooltip="The item of the list once more"),
        Binding("J,alt+down", "shift(1)", "Move down", id="form.shift_down", show=False,
                tooltip="Move the item down in its list"),
        Binding("K,alt+up", "shift(-1)", "Move up", id="form.shift_up", show=False,
                tooltip="Move the item up in its list"),
        Binding("c", "create", "Create", id="form.create", show=False,
                tooltip="Create what the field refers to"),
        Binding("e", "edit", "Editor", id="form.edit", show=False,
                tooltip="Open the text in the editor"),
        Binding("y", "copy", "Copy", id="form.copy", show=False, tooltip="Copy the value"),
        Binding("ctrl+s", "submit", "Send", id="form.submit", tooltip="Send the form"),
        Binding("escape", "cancel", "Leave", id="form.cancel", tooltip="Leave the form"),
    ]  # fmt: skip

    class FormMessage(Message):
        """Something about a form."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

        @property
        def control(self) -> Form:
            return self.form

    class Submitted(FormMessage):
        """The form finds nothing wrong with its document, and it is to be sent."""

        def __init__(self, form: Form, document: Json) -> None:
            super().__init__(form)
            self.document = document

    class Cancelled(FormMessage):
        """The form is to be left.

        Attributes:
            changed: Whether something was written that would be lost.
        """

        def __init__(self, form: Form, changed: bool) -> None:
            super().__init__(form)
            self.changed = changed

    class Changed(FormMessage):
        """The document is another one."""

    class CreateRequested(FormMessage):
        """A definition is to be created, and its name to be put at a path.

        Attributes:
            kind: Of the definition.
            path: Where its name is to stand: for :meth:`Form.put`.
        """

        def __init__(self, form: Form, kind: str, path: Path) -> None:
            super().__init__(form)
            self.kind = kind
            self.path = path

    class ScriptEditRequested(FormMessage):
        """A text is to be edited where there is room for it.

        Attributes:
            path: Where it stands: for :meth:`Form.put_text`.
            language: ``javascript``, ``json`` or ``text``.
        """

        def __init__(self, form: Form, path: Path, text: str, language: str) -> None:
            super().__init__(form)
            self.path = path
            self.text = text
            self.language = language

    @property
    def key_titles(self) -> dict[str, str]:
        """What its keys are called in the line of keys, where its button says it in other words."""
        return {"form.submit": self.state.sends}

    def document_changed(self) -> None:
        self.post_message(self.Changed(self))

    # From outside

    def focus(self, scroll_visible: bool = True) -> Self:
        self._lines.focus(scroll_visible)
        return self

    @property
    def document(self) -> Json:
        """As it is now; what was typed and is no value is not in it."""
        return self.state.document

    @property
    def changed(self) -> bool:
        """Whether something was written that is not yet stored."""
        return bool(self.state.texts) or self.state.document != self._first

    def load(self, document: Json) -> None:
        """Show another document of the same form, written elsewhere, say as JSON."""
        self._close_editor()
        self._become(replace(self.state, document=document, texts={}, faults={}))

    def put(self, path: Path, value: Json | Missing) -> None:
        """A value, or none, at a path: say the name of what was created."""
        self._become(editing.valued(self.state, path, value))

    def put_text(self, path: Path, text: str) -> None:
        """A text, as it was edited elsewhere, as the value at a path."""
        row = FormRow("value", path, editing.field_at(self.state, path), 0, "")
        self._become(editing.typed(self.state, row, text))

    def offer(self, kind: str, names: Sequence[str]) -> None:
        """The names of a kind of definition that are known now."""
        self._names[kind] = tuple(names)

    def refuse(self, faults: Iterable[tuple[str, str]]) -> None:
        """Show what a service says is wrong: path (dotted, or a JSON Pointer) and detail."""
        self._become(editing.refused_by(self.state, faults))
        self._to_first_fault()

    def mark(self, faults: Iterable[tuple[str, str]]) -> None:
        """As :meth:`refuse`, while somebody writes: the cursor and what is folded stay."""
        self._become(editing.marked_by(self.state, faults))

    def stored(self, document: Json | None = None) -> None:
        """The document is stored: what is changed counts from here."""
        if document is not None:
            self.load(document)
        self._first = self.state.document

    def begin_again(self, document: Json | None, *, existing: bool) -> None:
        """Count what is changed from another document; None: from nothing."""
        begun = editing.begun(self.state.form, document, existing=existing)
        self._first = begun.document
        self._become(replace(self.state, existing=existing))

    def go_to(self, path: Path) -> bool:
        """Put the cursor on the field at a path; False: there is none."""
        self._become(editing.unfolded_to(self.state, path))
        at = next((n for n, row in enumerate(self._lines.rows) if row.path == path), None)
        if at is not None:
            self._lines.move_to(at)
        return at is not None

    # Moving

    def action_move(self, by: int) -> None:
        self._lines.move(by)

    def action_around(self, by: int) -> None:
        self._lines.move(by, around=True)

    def action_page(self, by: int) -> None:
        self._lines.move(by * self._lines.rows_shown)

    def action_edge(self, end: int) -> None:
        self._lines.move_to(len(self._lines.rows) - 1 if end else 0)

    # Opening

    def action_open(self) -> None:
        row = self.row
        if row is None:
            return
        match row.part:
            case "value":
                self._open_value(row)
            case "group" | "list" | "item":
                self._become(editing.folded(self.state, row.path))
            case "add":
                self.action_add()
            case "save":
                self.action_submit()
            case "cancel":
                self.action_cancel()

    # Changing

    def action_switch(self) -> None:
        row = self.row
        if row and row.part == "value" and row.field.sort == "boolean" and not row.fixed:
            self._become(editing.toggled(self.state, row))
        elif row and row.has_below:
            self._become(editing.folded(self.state, row.path))

    def action_fold(self, wanted: bool) -> None:
        row = self.row
        if row is None:
            return
        if row.has_below and row.open != wanted:
            self._become(editing.folded(self.state, row.path))
        elif not wanted:
            self._lines.move_to(self._around(row))

    def _around(self, row: FormRow) -> int:
        """Where the group is that a row is in; its own place, at the top."""
        rows = self._lines.rows
        at = next((n for n, each in enumerate(rows) if each is row), 0)
        outer = (n for n in range(at - 1, -1, -1) if rows[n].depth < row.depth)
        return next((n for n in outer if rows[n].has_below), at)

    def action_clear(self) -> None:
        if self.row:
            self._become(editing.cleared(self.state, self.row))

    def action_take_out(self) -> None:
        row, path = self.row, self._item()
        if row is not None and path is not None and row.part != "value":
            self._become(editing.cleared(self.state, row))
        else:
            self._say_how_to_write()

    def action_add(self) -> None:
        row, item = self.row, self._item()
        if row is not None and row.part in ("list", "add"):
            self._become(*editing.added(self.state, row.path))
        elif item is not None:
            self._become(*editing.added(self.state, item[:-1]))
        else:
            self._say_how_to_write()

    def action_double(self) -> None:
        if (path := self._item()) is not None:
            self._become(*editing.duplicated(self.state, path))
        else:
            self._say_how_to_write()

    def action_shift(self, by: int) -> None:
        if (path := self._item()) is not None:
            self._become(*editing.shifted(self.state, path, by))
        else:
            self._say_how_to_write()

    def _item(self) -> Path | None:
        """The item of a list whose own row it is.

        Beneath it a letter was meant for a value: it would change the whole.
        """
        path = self.row.path if self.row else ()
        return path if path and isinstance(path[-1], int) else None

    def _say_how_to_write(self) -> None:
        if self.row is not None and self.row.part == "value" and not self.row.fixed:
            self.border_subtitle = "Enter writes the value of this row"

    def action_create(self) -> None:
        row = self.row
        if row and row.field.refers_to and row.part == "value" and not row.fixed:
            self.post_message(self.CreateRequested(self, row.field.refers_to, row.path))

    def action_edit(self) -> None:
        row = self.row
        textual = row and row.part == "value" and row.field.sort in ("text", *_LANGUAGES)
        if row is None or not textual or row.fixed or row.field.secret or OPTION in row.path:
            return
        language = "javascript" if row.field.script else _LANGUAGES.get(row.field.sort, "text")
        request = self.ScriptEditRequested(self, row.path, self._text(row), language)
        self.post_message(request)

    def action_copy(self) -> None:
        row = self.row
        value = value_at(self.state.document, row.path) if row else MISSING
        if row and not isinstance(value, Missing) and not row.field.secret:
            self.app.copy_to_clipboard(text_of(row.field, value))

    # The end

    def action_submit(self) -> None:
        self._keep_written()
        self._become(editing.sent(self.state))
        if self.state.faults:
            self._to_first_fault()
            where = [written(path) for path in self.state.faults if path]
            self.border_subtitle = f"{len(where)} to mend"
        else:
            self.border_subtitle = ""
            self.post_message(self.Submitted(self, self.state.document))

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled(self, self.changed))

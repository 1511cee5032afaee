"""A JSON document to read: folded, searched, copied by value and by path, of any size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.views.json_document import JsonDocument, JsonSearch
from tui.views.json_lines import is_cut
from tui.views.json_paths import Path, expression, nearest, path_text, read_path
from tui.views.json_tree import holds
from tui.views.json_values import Reading, json_text, read_json
from tui.views.lines import Lines, Searching
from tui.views.text_lines import TextLines, TextSearch
from tui.widgets.line_pane import LinePane
from tui.widgets.text_view import FullText
from tui.widgets.titles import as_title
from tui.widgets.viewer import LARGE, Choices, Viewer
from tui.widgets.working import begin

_SIGN = 2


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was read of what is to be shown."""

    source: str | None
    document: JsonDocument | None
    reading: Reading


class JsonView(Viewer):
    """Shows a JSON document, and keeps folds, cursor and scroll by path when a newer one comes.

    Args:
        title: Of the panel.
        root: What stands before a path in an expression, e.g. ``charge.output``; None: paths of
            this document are no expressions.
        ascii_only: Draw no other signs.
    """

    HELP = """
    A JSON document. The line below says where the cursor is.

    - `j` `k` `g` `G`, arrows, page keys: move · `h` `l`: look aside
    - `space` or `z` folds, `.` everything beside it too, `Z` and a digit shows so many levels
    - `/` searches keys and values, folded ones too, `n` `N` go on · `#` goes to a path
    - `y v` copies the value, `y s` a text without quotes, `y p` the path, `y y` all
    - `enter` opens a long text in full · `v` opens all in `$PAGER`
    - `W` wraps · `L` shows numbers of lines · a click on `▾`, or a double click, folds
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,z", "fold", "Fold", id="json.fold", tooltip="Fold or unfold this"),
        Binding("full_stop", "fold_siblings", "Fold beside", show=False,
                id="json.fold-siblings", tooltip="Fold or unfold this and all beside it"),
        Binding("Z", "fold_level", "Levels", show=False, id="json.fold-level",
                tooltip="Show so many levels: a digit says how many"),
        Binding("number_sign", "ask('jump')", "Go to path", id="json.jump", priority=True,
                tooltip="Go to a path such as output.items[3].sku"),
        Binding("enter", "open", "Open", show=False, id="json.open",
                tooltip="Open a long text in full; fold or unfold anything else"),
    ]  # fmt: skip
    suffix = ".json"

    @dataclass
    class Shown(Message):
        """A document was read and is on screen; ``fault`` says why it is no JSON, if it is none."""

        view: JsonView
        fault: str

        @property
        def control(self) -> JsonView:
            return self.view

    def __init__(
        self,
        title: str = "",
        *,
        root: str | None = None,
        ascii_only: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(title, id=id)
        self.root = root
        self._ascii = ascii_only
        if ascii_only:
            self.pane.more = ">"
        self._current = _Shown("", None, Reading(None))

    def show(self, source: Any, title: str | None = None, *, fresh: bool = False) -> None:
        """Show a document.

        Args:
            source: JSON text (str), or a JSON value of another type.
            title: Of the panel; None: as it is.
            fresh: Begin at the top with nothing folded, as for another document.
        """
        if title is not None:
            self.border_title = as_title(title)
        if isinstance(source, str) and len(source) > LARGE:
            self.tell(f"Reading {len(source):,} characters…")
            begin(self, partial(self._read_beside, source, fresh), "read", exclusive=True)
            return
        self.workers.cancel_group(self, "read")
        if fresh or not isinstance(source, str) or source != self._current.source:
            self._display(_read(source, self._ascii, self._old(fresh)), fresh)

    @property
    def document(self) -> JsonDocument | None:
        """What is shown; None: it is no JSON, or nothing yet."""
        return self._current.document

    def path(self) -> Path:
        """Where the cursor is."""
        return self.document.path(self.pane.cursor) if self.document else ()

    def go_to(self, path: Path) -> bool:
        """Put the cursor on ``path``, unfolded, or on what of it is there; whether all is."""
        if self.document is None:
            return False
        self.shown(self.document.reveal(path))
        return len(nearest(self.document.value, path)) == len(path)

    # What every viewer says of itself.

    def whole(self) -> str:
        """The text as it came, or as it is written here."""
        source, document = self._current.source, self.document
        if source is not None and (document is None or "\n" in source.strip() or self.is_large()):
            return source
        return json_text(document.value) if document else ""

    def place(self) -> str:
        if self.document is None:
            reading = self._current.reading
            where = f"line {reading.line}, column {reading.column}: " if reading.line else ""
            return f"No JSON: {where}{reading.fault}" if reading.fault else ""
        return path_text(self.path()) or "(all of it)"

    def search(self, wanted: str) -> Searching:
        if self.document is None:
            lines = self.pane.lines
            return TextSearch(lines.lines if isinstance(lines, TextLines) else (), wanted)
        return JsonSearch(self.document, wanted)

    def is_large(self) -> bool:
        source = self._current.source
        return len(source) > LARGE if source is not None else len(self.pane.lines) > LARGE // 20

    def copies(self) -> Choices:
        document = self.document
        if document is None:
            return super().copies()
        path, value = self.path(), document.value_at(self.pane.cursor)
        choices = {
            **super().copies(),
            "v": ("value", lambda: self.copy("value", json_text(value))),
            "p": ("path", lambda: self.copy("path", path_text(path))),
        }
        if isinstance(value, str):
            choices["s"] = ("text", lambda: self.copy("text", value))
        if self.root is not None:
            written = expression(path, self.root)
            choices["e"] = ("${…}", lambda: self.copy("expression", written))
        return choices

    def jump(self, text: str) -> str:
        path = read_path(text)
        if path is None or self.document is None:
            return f"{text} is no path; write e.g. output.items[3].sku."
        return "" if self.go_to(path) else f"{text} is not there; this is what is."

    def shown(self, line: int) -> None:
        """Rows may have been unfolded on the way to it."""
        self.pane.show(self.pane.lines, line, self.pane.offset_of_cursor())

    def action_fold(self) -> None:
        """Fold or unfold what the cursor is on."""
        if self.document is not None:
            self._folded(self.document.toggle(self.pane.cursor))

    def action_fold_siblings(self) -> None:
        """Fold or unfold it and everything beside it."""
        if self.document is not None:
            self._folded(self.document.toggle_siblings(self.pane.cursor))

    def action_fold_level(self) -> None:
        """Ask how many levels are to be seen."""
        levels = {
            str(n): (f"level{'s' if n > 1 else ''}", partial(self._level, n)) for n in range(1, 10)
        }
        self.choose("show", levels)

    def action_open(self) -> None:
        """Open a text in full, or fold and unfold."""
        document = self.document
        value = document.value_at(self.pane.cursor) if document else None
        if isinstance(value, str) and (is_cut(value) or "\n" in value):
            self.app.push_screen(FullText(value, path_text(self.path())))
        elif holds(value):
            self.action_fold()

    @on(LinePane.LineClicked)
    def _clicked(self, event: LinePane.LineClicked) -> None:
        event.stop()
        document = self.document
        if document is None:
            return
        sign = 2 * document.row(event.line).depth
        on_sign = 0 <= event.column - sign < _SIGN
        if (event.twice or on_sign) and holds(document.value_at(event.line)):
            self.action_fold()

    def _level(self, levels: int) -> None:
        if self.document is not None:
            self._folded(self.document.fold_to(levels, self.pane.cursor))

    def _folded(self, row: int) -> None:
        """Show what is folded now, the cursor as far from the top as it was."""
        self.pane.show(self.pane.lines, row, self.pane.offset_of_cursor())

    def _old(self, fresh: bool) -> JsonDocument | None:
        return None if fresh else self.document

    async def _read_beside(self, source: str, fresh: bool) -> None:
        old = self._old(fresh)
        self._display(await asyncio.to_thread(_read, source, self._ascii, old), fresh)

    def _display(self, shown: _Shown, fresh: bool) -> None:
        path = () if fresh else self.path()
        offset = 0 if fresh else self.pane.offset_of_cursor()
        self._current = shown
        lines: Lines = shown.document or TextLines(shown.source or "")
        row = shown.document.index(path) if shown.document else 0
        if fresh:
            self.searching = None
            self.pane.wanted = ""
        self.pane.show(lines, row, offset)
        self.search_again()
        self.tell(self.place())
        self.post_message(self.Shown(self, shown.reading.fault))


def _read(source: Any, ascii_only: bool, old: JsonDocument | None) -> _Shown:
    """Read ``source`` and fold it as ``old`` is."""
    text = source if isinstance(source, str) else None
    reading = read_json(text) if text is not None else Reading(source)
    if reading.fault:
        return _Shown(text, None, reading)
    document = JsonDocument(reading.value, ascii_only=ascii_only)
    if old is not None:
        document.carry(old)
    return _Shown(text, document, reading)

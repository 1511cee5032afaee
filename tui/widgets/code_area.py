"""The text of an editor: coloured with or without tree-sitter, with its faults in the gutter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual._cells import cell_len, cell_width_to_column_index
from textual.binding import Binding, BindingType
from textual.document._document import DocumentBase, Location
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import expand_tabs_inline
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tui.views.colouring import colours
from tui.views.editing import Language, indentation
from tui.views.lines import LONGEST_SHOWN, Mark
from tui.views.visible import CONTROL, masked
from tui.widgets.code_document import Lined, Rows, adopt, most_cells, widest
from tui.widgets.tones import tone_style

# Above it the tree takes longer than a key press may; lines are coloured one by one.
MOST_PARSED = 50_000
# The other bracket is looked for so many characters around.
_MOST_MATCHED = 20_000
_CLOSING = "}])"


def parses(language: Language, text: str) -> bool:
    """Whether tree-sitter is there for ``language`` and ``text`` is short enough for it."""
    if language == "text" or len(text) > MOST_PARSED:
        return False
    try:
        # 0.26 ends the process under Textual's editor.
        known = version("tree-sitter").startswith("0.25.") and find_spec("tree_sitter")
    except (PackageNotFoundError, ImportError):
        return False
    return bool(known and find_spec(f"tree_sitter_{language}"))


class CodeArea(TextArea):
    """Textual's editor with marks, lines that are indented as they begin, and keys to take."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+e", "outside", "$EDITOR", id="editor.outside",
                tooltip="Edit it in $VISUAL or $EDITOR"),
        Binding("ctrl+home", "end(-1)", "Top", show=False, id="editor.top",
                tooltip="Go to the beginning of the text"),
        Binding("ctrl+end", "end(1)", "End", show=False, id="editor.end",
                tooltip="Go to the end of the text"),
    ]  # fmt: skip

    @dataclass
    class OutsideAsked(Message):
        """The text is to be edited in the user's own editor."""

        area: CodeArea

    @dataclass
    class Typed(Message):
        """Text was typed, not pasted or loaded; ``character`` is the last of it."""

        area: CodeArea
        character: str

    def __init__(self) -> None:
        self._counted: DocumentBase | None = None
        self._widest = 0
        self._whole: str | None = None
        super().__init__(
            "",
            theme="css",
            soft_wrap=False,
            tab_behavior="indent",
            show_line_numbers=True,
            highlight_cursor_line=True,
            max_checkpoints=200,
        )
        self.indent_width = 2
        self.cursor_blink = False
        # Who may take a key before it is typed: a popup.
        self.takes_key: Callable[[str], bool] = lambda key: False
        self._written: Language = "text"
        self._colours: Callable[[str], Sequence[Mark]] | None = None
        self._marks: Mapping[int, str] = {}

    @property
    def text(self) -> str:
        """All of it; joined once for every state, since a row of the screen asks for it."""
        if self._whole is None:
            self._whole = self.document.text
        return self._whole

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(value)

    def load(self, text: str, language: Language) -> None:
        """Show ``text`` from its beginning; nothing of before can be undone."""
        self._written = language
        self._colours = colours(language)
        wanted = language if parses(language, text) else None
        if self.language != wanted:
            # What was there would be parsed as the new language.
            self.load_text("")
            self.language = wanted
        self.load_text(text)

    def mark(self, tones: Mapping[int, str]) -> None:
        """Mark lines (from 0) in the gutter, each by a tone."""
        self._marks = dict(tones)
        self._line_cache.clear()
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line with its colours, where no tree has them, and its mark.

        What a terminal would obey is a sign, of one cell: the places of all others stay.
        """
        line = super().get_line(line_index)
        line.plain = masked(line.plain)
        if self.language is None and self._colours is not None:
            for start, end, tone in self._colours(line.plain[:LONGEST_SHOWN]):
                line.stylize(tone_style(self.app, tone), start, end)
        if line_index in self._marks:
            line.stylize(Style(underline=True))
        for found in CONTROL.finditer(self.document.get_line(line_index)):
            line.stylize(tone_style(self.app, "warning") + Style(reverse=True), *found.span())
        return line

    def render_line(self, y: int) -> Strip:
        """As it is, with a sign beside the number of a line that is marked."""
        strip = super().render_line(y)
        row = self.scroll_offset.y + y
        tone = self._marks.get(row)
        if tone is None or not strip:
            return strip
        first, *rest = strip
        if self.gutter_width < 3 or len(first.text) != self.gutter_width:
            return strip
        style = (first.style or Style.null()) + tone_style(self.app, tone, bold=True)
        sign = Segment("!" if tone == "error" else "?", style)
        return Strip(
            [Segment(first.text[:-2], first.style), sign, Segment(" ", first.style), *rest]
        )

    @property
    def wrapped_document(self) -> WrappedDocument:
        """Which rows the lines take."""
        return self._rows

    @wrapped_document.setter
    def wrapped_document(self, value: WrappedDocument) -> None:
        # Textual makes it, of its own class, and has counted the rows by then.
        value.__class__ = Rows
        self._rows = value

    @property
    def document(self) -> DocumentBase:
        """The text by its lines."""
        return self._document

    @document.setter
    def document(self, value: DocumentBase) -> None:
        self._document = adopt(value)

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(Lined(text), language)

    def cell_width_to_column_index(self, cell_width: int, row_index: int) -> int:
        line = masked(self.document[row_index])
        return cell_width_to_column_index(line, cell_width, self.indent_width)

    def get_column_width(self, row: int, column: int) -> int:
        line = masked(self.document[row][:column])
        return cell_len(expand_tabs_inline(line, self.indent_width))

    def _yield_character_locations(self, start: Location) -> Iterable[tuple[str, Location]]:
        return islice(super()._yield_character_locations(start), _MOST_MATCHED)

    def _yield_character_locations_reverse(self, start: Location) -> Iterable[tuple[str, Location]]:
        return islice(super()._yield_character_locations_reverse(start), _MOST_MATCHED)

    def _refresh_size(self) -> None:
        """Grow with what is put in: measuring all lines is felt at every key."""
        lines = self.document.lines
        if self._counted is not self.document:
            self._counted = self.document
            self._widest = max(map(most_cells, lines), default=0)
        cells = max(self._widest, widest(self.document))
        self.virtual_size = Size(cells + self.gutter_width + 1, len(lines))
        self._refresh_scrollbars()

    def _build_highlight_map(self) -> None:
        # Textual calls it whenever the document has changed, and nothing else then.
        self._whole = None
        super()._build_highlight_map()

    async def _on_key(self, event: events.Key) -> None:
        # Textual's own handler comes after this one, unless the default is prevented.
        if self.takes_key(event.key):
            event.stop()
            event.prevent_default()
            return
        if event.key.startswith("alt+"):
            # No text, though terminals send a character with it: somebody around may know it.
            event.prevent_default()
            return
        if event.key == "escape":
            # It goes back: whoever is around knows to where.
            event.prevent_default()
        elif not self.read_only and event.key in ("enter", *_CLOSING_KEYS):
            event.stop()
            event.prevent_default()
            self._indented(event)
        if event.is_printable and event.character and not self.read_only:
            self.post_message(self.Typed(self, event.character))

    def action_end(self, direction: int) -> None:
        """Go to the end of the text, or to its beginning."""
        self.move_cursor(self.document.end if direction > 0 else (0, 0))

    def action_outside(self) -> None:
        """Ask for the user's own editor."""
        self.post_message(self.OutsideAsked(self))

    def _indented(self, event: events.Key) -> None:
        """Begin a line as deep as its place, or close what was opened as deep as it was."""
        start, end = sorted(self.selection)
        line = self.document.get_line(start[0])
        before = line[: start[1]]
        if event.key != "enter":
            if not before.strip() and len(before) >= self.indent_width:
                start = (start[0], start[1] - self.indent_width)
            self._replace_via_keyboard(event.character or "", start, end)
            return
        indent = indentation(before, self._written)
        closes = self.document.get_line(end[0])[end[1] : end[1] + 1] in tuple(_CLOSING)
        own = before[: len(before) - len(before.lstrip(" \t"))]
        after = f"\n{own}" if closes and len(indent) > len(own) else ""
        self._replace_via_keyboard(f"\n{indent}{after}", start, end)
        if after:
            self.move_cursor((start[0] + 1, len(indent)))


_CLOSING_KEYS = ("right_curly_bracket", "right_square_bracket", "right_parenthesis")

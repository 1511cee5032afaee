"""A text to read: YAML, headers, a curl command, OpenAPI; and one in full, over everything."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.views.colouring import colours
from tui.views.lines import Searching
from tui.views.text_lines import TextLines, TextSearch
from tui.widgets.titles import as_title
from tui.widgets.viewer import LARGE, Choices, Viewer

_SUFFIXES = {"json": ".json", "yaml": ".yaml", "javascript": ".js", "diff": ".diff"}


class TextView(Viewer):
    """Shows a text, which it colours by its language, and whose place it keeps."""

    HELP = """
    A text, a line at a time.

    - `j` `k` `g` `G`, arrows, page keys: move · `h` `l`: look aside
    - `/` searches as you type, `n` `N` go on · `#` goes to the number of a line
    - `y y` copies all, `y l` the line · `v` opens it in `$PAGER`
    - `W` wraps long lines (and shows all of them) · `L` shows their numbers
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("number_sign", "ask('jump')", "Go to line", show=False, id="text.jump",
                priority=True,
                tooltip="Go to the line of a number"),
    ]  # fmt: skip

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(title, id=id)
        self.text = ""
        self._lines = TextLines("")
        self._language = "text"

    def show(self, text: str, language: str = "text", title: str | None = None) -> None:
        """Show ``text``; the cursor stays on its line.

        Args:
            text: Anything: what a terminal would obey is shown as escapes.
            language: ``json``, ``yaml``, ``javascript``, ``http``, ``diff`` or ``text``.
            title: Of the panel; None: as it is.
        """
        if title is not None:
            self.border_title = as_title(title)
        if text == self.text and language == self._language:
            return
        self.text, self._language = text, language
        self._lines = TextLines(text, colours(language), whole=self.pane.wrapped)
        self.pane.show(self._lines, self.pane.cursor, self.pane.offset_of_cursor())
        self.search_again()

    def whole(self) -> str:
        """The text itself."""
        return self.text

    def place(self) -> str:
        """Which line of how many."""
        return f"line {self.pane.cursor + 1:,} of {len(self._lines):,}"

    def search(self, wanted: str) -> Searching:
        """The lines that hold it."""
        return TextSearch(self._lines.lines, wanted)

    def is_large(self) -> bool:
        return len(self.text) > LARGE

    def copies(self) -> Choices:
        def line() -> None:
            self.copy("line", self._lines.lines[self.pane.cursor])

        return {**super().copies(), "l": ("line", line)}

    @property
    def suffix(self) -> str:  # type: ignore[override]
        """By which a pager knows the language."""
        return _SUFFIXES.get(self._language, ".txt")

    def action_wrap(self) -> None:
        """Wrapped, a long line is all there."""
        self._lines.whole = not self.pane.wrapped
        super().action_wrap()


class FullText(ModalScreen[None]):
    """A text in full over what is on screen; escape goes back."""

    DEFAULT_CSS = """
    FullText { align: center middle; & > TextView { width: 90%; height: 90%; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", id="full-text.back", tooltip="Back to where it is"),
    ]

    def __init__(self, text: str, title: str, language: str = "text") -> None:
        super().__init__()
        self._text, self._title, self._language = text, title, language

    def compose(self) -> ComposeResult:
        yield TextView(self._title)

    def on_mount(self) -> None:
        """Wrapped, since nobody opens a text in full to see less of it."""
        view = self.query_one(TextView)
        view.action_wrap()
        view.show(self._text, self._language)
        view.focus()

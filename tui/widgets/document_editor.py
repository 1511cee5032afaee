"""A definition or a script to edit: faults at their line, completion, and the user's own editor."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, TextArea

from tui.views.completion import Completion
from tui.views.editing import (
    EditorFault,
    Language,
    hidden_characters,
    location_of,
    offset_of,
    syntax_fault,
)
from tui.views.lines import LONGEST_SHOWN
from tui.views.text_lines import visible_line
from tui.views.visible import in_one_line
from tui.widgets.code_area import CodeArea
from tui.widgets.completion_list import CompletionList
from tui.widgets.outside import edit
from tui.widgets.titles import as_line

# After the last key: what is typed is read, and told to the owner.
SETTLE_SECONDS = 0.25
# Above it reading what is before the cursor would be felt at every key.
MOST_COMPLETED = 100_000
# Above it a text has no colours.
MOST_COLOURED = 200_000
_OFFERING = '".$_-'
_SUFFIXES = {"json": ".json", "yaml": ".yaml", "javascript": ".js", "text": ".txt"}

Complete = Callable[[str, int], Sequence[Completion]]


class DocumentEditor(Vertical):
    """An editor in a panel; whoever owns it checks and saves.

    Args:
        title: Of the panel.
        complete: What may come at a place (characters from 0) of the text, if anybody knows.
    """

    HELP = """
    An editor. Faults are marked in the gutter, and told below at their line.

    - `ctrl+s` saves · `ctrl+e` opens it in `$VISUAL` or `$EDITOR`
    - `f8` and `shift+f8` go to the next fault and the one before
    - `ctrl+space` offers what may come here; `enter` or `tab` takes it, `escape` closes it
    - `ctrl+z` and `ctrl+y` undo and redo · `ctrl+c` `ctrl+x` `ctrl+v` copy, cut, paste
    - `tab` indents by two · `escape` goes back
    """
    DEFAULT_CSS = """
    DocumentEditor {
        height: 1fr; border: round $foreground 30%;
        border-title-color: $text-primary; border-subtitle-color: $foreground 70%;
        &:focus-within { border: round $border; }
        & > CodeArea { border: none; padding: 0; height: 1fr; &:focus { border: none; } }
        & > .editor--below { height: 1; color: $foreground 60%; text-wrap: nowrap;
                             text-overflow: ellipsis; }
        & > .editor--below.-error { color: $text-error; }
        & > .editor--below.-warning { color: $text-warning; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="editor.save", tooltip="Check and save"),
        Binding("f8", "fault(1)", "Next fault", id="editor.next-fault",
                tooltip="Go to the next fault"),
        Binding("shift+f8,f20", "fault(-1)", "Fault before", show=False,
                id="editor.previous-fault", tooltip="Go to the fault before"),
        Binding("ctrl+@,ctrl+space", "complete", "Complete", show=False, id="editor.complete",
                tooltip="Offer what may come here"),
    ]  # fmt: skip

    @dataclass
    class Changed(Message):
        """The text is another, and has been for a moment."""

        editor: DocumentEditor
        text: str

        @property
        def control(self) -> DocumentEditor:
            return self.editor

    @dataclass
    class CursorMoved(Message):
        """The cursor is on another place: row and column from 0."""

        editor: DocumentEditor
        row: int
        column: int

        @property
        def control(self) -> DocumentEditor:
            return self.editor

    @dataclass
    class SaveRequested(Message):
        """The text is to be saved."""

        editor: DocumentEditor
        text: str

        @property
        def control(self) -> DocumentEditor:
            return self.editor

    def __init__(
        self, title: str = "", *, complete: Complete | None = None, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.border_title = Content(in_one_line(title))
        self.complete = complete
        self.area = CodeArea()
        self.language: Language = "text"
        # Held, not looked up: a check that ends while all this is taken away still has it.
        self._line = Static("", classes="editor--below", markup=False)
        self._list = CompletionList()
        self._saved = ""
        self._told: Sequence[EditorFault] = ()
        self._own: Sequence[EditorFault] = ()
        self._faults: list[EditorFault] = []
        self._settling: Timer | None = None
        self._note = ""
        self._said = "", (0, 0)
        self._offered = "", (0, 0)

    def compose(self) -> ComposeResult:
        yield self.area
        yield self._line
        yield self._list

    def on_mount(self) -> None:
        """The popup gets its keys before they are typed."""
        self.area.takes_key = self._list.take_key

    def focus(self, scroll_visible: bool = True) -> DocumentEditor:
        """What takes the keys is inside."""
        self.area.focus(scroll_visible)
        return self

    @property
    def text(self) -> str:
        """What it holds now."""
        return self.area.text

    @property
    def is_dirty(self) -> bool:
        """Whether it holds other than was loaded or saved last."""
        return self.area.text != self._saved

    @property
    def faults(self) -> Sequence[EditorFault]:
        """All that are marked, by their place."""
        return self._faults

    def load(self, text: str, language: Language) -> None:
        """Edit ``text``, beginning anew: what was before cannot be undone."""
        self.language, self._saved = language, text
        self._told, self._note = (), ""
        coloured = len(text) <= MOST_COLOURED
        self.area.load(text, language if coloured else "text")
        if not coloured:
            self._note = f"No colours: it has more than {MOST_COLOURED:,} characters."
        self._check()

    def mark_saved(self, text: str) -> None:
        """``text``, which was asked to be saved, is; what was typed since is not."""
        self._saved = text
        self._tell()

    def rewrite(self, text: str) -> None:
        """Have ``text`` instead, as if it were typed: undo brings back what was."""
        row, column = self.area.cursor_location
        self.area.replace(text, (0, 0), self.area.document.end, maintain_selection_offset=False)
        self.go_to(row + 1, column + 1)

    def show_faults(self, faults: Sequence[EditorFault]) -> None:
        """Mark what somebody found; a fault of the language itself stays beside them."""
        self._told = tuple(faults)
        self._mark()

    def go_to(self, line: int, column: int = 1) -> None:
        """Put the cursor on a line and column, from 1, or the nearest that is there."""
        row = max(0, min(line - 1, self.area.document.line_count - 1))
        width = len(self.area.document.get_line(row))
        self.area.move_cursor((row, max(0, min(column - 1, width))), center=True)

    def tell(self, sentence: str) -> None:
        """Say something below until the cursor moves."""
        self._said = sentence, self.area.cursor_location
        self._tell()

    def action_save(self) -> None:
        """Ask the owner to save."""
        self._list.close()
        self.post_message(self.SaveRequested(self, self.text))

    def action_fault(self, direction: int) -> None:
        """Go to the next fault behind the cursor, or the one before it; round at the ends."""
        if not self._faults:
            self.tell("There are no faults.")
            return
        row, column = self.area.cursor_location
        places = [(fault.line, fault.column) for fault in self._faults]
        here = (row + 1, column + 1)
        place = (
            bisect_right(places, here) if direction > 0 else bisect_left(places, here) - 1
        ) % len(places)
        fault = self._faults[place]
        self.go_to(fault.line, fault.column)
        self._tell_fault(fault, place)

    def action_complete(self) -> None:
        """Offer what may come at the cursor."""
        if not self._offer():
            self.tell("Nothing is known that may come here.")

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_SECONDS, self._settled)
        if self._list.is_open:
            self._offer()

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        text, where = self._offered
        if self._list.is_open and where != self.area.cursor_location and text == self.text:
            # It was moved, not typed on: another thing may come there.
            self._list.close()
        self._tell()
        self.post_message(self.CursorMoved(self, *self.area.cursor_location))

    @on(CodeArea.Typed)
    def _typed(self, event: CodeArea.Typed) -> None:
        event.stop()
        row, column = self.area.cursor_location
        begun = self.area.document.get_line(row)[max(0, column - 2) : column]
        # A lone brace is an object's, whose first line may well be begun by enter.
        offers = event.character.isalnum() or event.character in _OFFERING or begun == "${"
        if offers and len(self.area.text) <= MOST_COMPLETED:
            self._offer()
        elif self._list.is_open:
            self._list.close()

    @on(CompletionList.Taken)
    def _taken(self, event: CompletionList.Taken) -> None:
        event.stop()
        taken, text = event.completion, self.area.text
        start, end = location_of(text, taken.start), location_of(text, taken.end)
        self.area.replace(taken.text, start, end, maintain_selection_offset=False)
        # Where the line ends in it, the document has counted on.
        self.area.move_cursor(location_of(self.area.text, taken.start + taken.cursor))
        self.area.focus()

    @on(CodeArea.OutsideAsked)
    def _edit_outside(self, event: CodeArea.OutsideAsked) -> None:
        event.stop()
        self._list.close()
        edited = edit(self.app, self.area.text, _SUFFIXES[self.language])
        if edited.text is not None:
            self.rewrite(edited.text)
            self.tell("Taken over from the editor; ctrl+z brings back what was.")
        else:
            self.tell(edited.problem or "Nothing was changed.")

    def on_descendant_blur(self) -> None:
        """Who goes elsewhere takes nothing."""
        self._list.close()

    def on_resize(self) -> None:
        """The cursor is elsewhere on the screen."""
        self._list.close()

    def _settled(self) -> None:
        """Nothing was typed for a moment."""
        self._settling = None
        self._check()
        self.post_message(self.Changed(self, self.text))

    def _check(self) -> None:
        fault, text = syntax_fault(self.area.text, self.language), self.area.text
        self._own = [*([fault] if fault else ()), *hidden_characters(text)]
        self._mark()

    def _mark(self) -> None:
        found = [*self._told, *self._own]
        self._faults = sorted(set(found))
        tones = {each.line - 1: "warning" for each in self._faults if each.is_warning}
        tones |= {each.line - 1: "error" for each in self._faults if not each.is_warning}
        self.area.mark(tones)
        self._tell()

    def _offer(self) -> bool:
        """Offer what may come; whether there is anything but what is written already."""
        self._list.close()
        if self.complete is None:
            return False
        text = self.area.text
        cursor = offset_of(text, *self.area.cursor_location)
        offered = self.complete(text, cursor)
        if not offered or [each.text for each in offered] == [text[offered[0].start : cursor]]:
            return False
        self._offered = text, self.area.cursor_location
        self._list.offer(offered, self.area.cursor_screen_offset, self.screen.region)
        return True

    def _tell(self) -> None:
        """Say below what was to be told here, what is wrong on this line, or what else there is."""
        sentence, where = self._said
        if sentence and where == self.area.cursor_location:
            self._below(sentence, "")
            return
        self._said = "", where
        row, column = self.area.cursor_location
        here = [each for each in enumerate(self._faults) if each[1].line == row + 1]
        if here:
            # Of several on the line that of the cursor.
            place, fault = min(here, key=lambda each: abs(each[1].column - column - 1))
            self._tell_fault(fault, place)
            return
        many = len(self._faults)
        faults = f"{many} fault{'s' if many > 1 else ''}: f8 goes to it" if many else ""
        self._below(faults or self._note, "")

    def _tell_fault(self, fault: EditorFault, place: int) -> None:
        many = f"  ({place + 1} of {len(self._faults)})" if len(self._faults) > 1 else ""
        where = f"{fault.line}:{fault.column}"
        message = visible_line(" ".join(fault.message[:LONGEST_SHOWN].split()))
        tone = "-warning" if fault.is_warning else "-error"
        self._below(f"{where} {message}{many}", tone)

    def _below(self, text: str, tone: str) -> None:
        if not self.is_mounted:
            return
        self._line.set_class(tone == "-error", "-error")
        self._line.set_class(tone == "-warning", "-warning")
        self._line.update(as_line(text))
        row, column = self.area.cursor_location
        dirty = "● changed  " if self.is_dirty else ""
        self.border_subtitle = Content(f"{dirty}{row + 1}:{column + 1}  {self.language}")

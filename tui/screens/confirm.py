"""The dialog before something is done: what it comes to, and its questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select, Static

from tui.resources.model import Question
from tui.views.confirmation import Plan, confirmed
from tui.views.visible import in_one_line, visible

Answers = dict[str, str]


class ConfirmScreen(ModalScreen[Answers | None]):
    """Gives the answers, or None: it is not to be done."""

    HELP = """\
## Before it is done

What it will come to. What is typed goes into the first field, where there is one; otherwise
Cancel has the focus, and nothing is done by `Enter` alone.

- `Enter` keeps a field and goes on, at last to the button that does it; `Tab` goes to all
- `ctrl+s` presses that button, and so does `y` outside the fields
- `Esc`, or `n` outside the fields, leaves everything as it is
- of many, or in a protected context, the count or the context's name is typed first
"""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen #dialog {
        width: 90%; max-width: 76; height: auto; max-height: 90%; padding: 0 1;
        border: round $primary; background: $surface;
    }
    ConfirmScreen #dialog.-danger { border: round $error; border-title-color: $text-error; }
    ConfirmScreen .items { color: $text-muted; margin: 0 0 0 2; }
    ConfirmScreen Label { margin: 1 0 0 0; width: 100%; }
    ConfirmScreen Input, ConfirmScreen Select { width: 100%; }
    ConfirmScreen Input {
        height: 1; padding: 0 1 0 0; border: none; border-left: outer $foreground 60%;
        background: $panel;
        &:focus { border: none; border-left: outer $accent; background: $boost; }
    }
    ConfirmScreen Horizontal { height: auto; align-horizontal: right; margin: 1 0 0 0; }
    ConfirmScreen Button { margin: 0 0 0 2; min-width: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "cancel", "Cancel", id="confirm.cancel", tooltip="Do nothing"),
        Binding("y,ctrl+s", "do", "Do it", id="confirm.do", tooltip="Do it, as the button does"),
        Binding("left,up", "app.focus_previous", "Before", id="confirm.before", show=False,
                tooltip="The field or button before"),
        Binding("right,down", "app.focus_next", "After", id="confirm.after", show=False,
                tooltip="The field or button after"),
    ]  # fmt: skip

    def __init__(self, plan: Plan, questions: Sequence[Question] = ()) -> None:
        super().__init__()
        self._plan = plan
        self._questions = questions

    def compose(self) -> ComposeResult:
        plan = self._plan
        with VerticalScroll(id="dialog", can_focus=False) as dialog:
            dialog.border_title = Content(in_one_line(plan.title))
            dialog.set_class(plan.dangerous, "-danger")
            yield Static("\n".join(map(visible, plan.lines)), markup=False)
            yield Static("\n".join(map(in_one_line, plan.items)), classes="items", markup=False)
            for question in self._questions:
                yield Label(question.title, markup=False)
                yield _field(question)
            if plan.typed:
                yield Label(f"Type {plan.typed_is} to go on: {plan.typed}", markup=False)
                yield Input(id="typed", select_on_focus=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(
                    plan.verb,
                    id="do",
                    variant="error" if plan.dangerous else "primary",
                    compact=True,
                    disabled=bool(plan.typed),
                )

    def on_mount(self) -> None:
        # Who is asked for something types it at once; letters would be keys elsewhere.
        fields = self.query(Input)
        self.set_focus(fields.first() if fields else self.query_one("#cancel", Button))

    def on_descendant_focus(self) -> None:
        # In a field, letters are text.
        writing = isinstance(self.focused, Input)
        goes, does = ("Enter", "^s") if writing else ("Tab", "y")
        dialog = self.query_one("#dialog")
        verb = in_one_line(self._plan.verb)
        dialog.border_subtitle = Content(f"{goes} next · {does} {verb} · Esc cancel")

    @property
    def _may(self) -> bool:
        wanted = self._plan.typed
        return not wanted or confirmed(self.query_one("#typed", Input).value, wanted)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.query_one("#do", Button).disabled = not self._may

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Go on to the next field, or to the button; what is dangerous was not asked for by it."""
        message.stop()
        filled = bool(message.value.strip()) or not self._plan.dangerous
        if message.input is self.query(Input).last() and filled and self._may:
            self.query_one("#do", Button).focus()
        elif message.input.id != "typed":
            self.focus_next()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == "do":
            self.action_do()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_do(self) -> None:
        if self._may:
            self.dismiss({each.name: self._answer(each) for each in self._questions})
        elif self._plan.typed:
            self.query_one("#typed", Input).focus()

    def _answer(self, question: Question) -> str:
        field = self.query_one(f"#answer-{question.name}")
        if isinstance(field, Select):
            return str(field.value)
        assert isinstance(field, Input)
        return field.value


def _field(question: Question) -> Input | Select[str]:
    id_ = f"answer-{question.name}"
    if question.choices:
        options = [(choice, choice) for choice in question.choices]
        chosen = question.default or question.choices[0]
        return Select(options, value=chosen, allow_blank=False, id=id_, compact=True)
    # What is typed takes the place of what is proposed.
    return Input(question.default, id=id_, select_on_focus=bool(question.default))

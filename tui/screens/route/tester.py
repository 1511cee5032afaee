"""Trying a route: the call is written in a form, sent, and its answer shown beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from tui.live.trying import Trial
from tui.screens.route import cases
from tui.screens.route.answer import AnswerPanel
from tui.screens.route.asking import Asked, ask_for
from tui.screens.route.running import Running
from tui.screens.route.writing import write_body, write_value
from tui.views.addresses import Address
from tui.views.answers import Told
from tui.views.forms.fields import form_of
from tui.views.route_call import (
    RouteCall,
    form_document,
    form_schema,
    written_call,
)
from tui.widgets.form import Form
from tui.widgets.link import Link
from tui.widgets.titles import as_title
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console
    from tui.resources.routes import Route

WIDE = 100
_ANSWER_HINT = "f6: answer"


class RouteTester(Vertical):
    """Form and answer: side by side where there is room, else one at a time."""

    HELP = """\
## Test

A call of the route: a real one, which runs the workflow and which limits count. The key is kept in
memory only, and shown as `***`.

- `Ctrl+R` or `Ctrl+S` sends it, `Esc` cancels it while it runs; `F6` goes to the answer and back
- `Ctrl+↑` and `Ctrl+↓` bring back the calls that were made before
- `F4` writes the body as JSON in an editor
- `C` copies it as curl (with `K`, in the answer `y K`, the key is in it)
- `S` keeps it in a file, `O` opens one: `podium test-route --case FILE` sends the same
"""
    DEFAULT_CSS = """
    RouteTester { height: 1fr; width: 1fr; }
    RouteTester > Horizontal { height: 1fr; }
    RouteTester .request { width: 1fr; height: 1fr; }
    RouteTester.-wide .request { width: 2fr; max-width: 76; }
    RouteTester.-wide AnswerPanel { width: 3fr; }
    RouteTester.-narrow.-answer .request { display: none; }
    RouteTester.-narrow AnswerPanel { display: none; }
    RouteTester.-narrow.-answer AnswerPanel { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "send", "Send", id="test.send", tooltip="Send the call"),
        Binding("f6", "other", "Answer", id="test.other",
                tooltip="From the call to its answer, and back"),
        Binding("f4", "body", "Body", id="test.body", tooltip="Write the body as JSON"),
        Binding("ctrl+up", "recall(-1)", "Earlier", id="test.earlier", show=False,
                tooltip="The call before"),
        Binding("ctrl+down", "recall(1)", "Later", id="test.later", show=False,
                tooltip="The call after"),
        Binding("C", "copy_curl", "curl", id="test.curl",
                tooltip="Copy the call as curl, without the key"),
        Binding("S", "save_case", "Save", id="test.save", show=False,
                tooltip="Keep the call in a file"),
        Binding("O", "open_case", "Open", id="test.open", show=False,
                tooltip="Open a call that was kept in a file"),
        Binding("escape", "leave", "Back", id="test.leave", show=False,
                tooltip="Cancel the call that runs; else back"),
    ]  # fmt: skip

    def __init__(self, console: Console, route: Route) -> None:
        super().__init__()
        self._main, self.route = console, route
        self._asked = Asked()
        self.form: Form | None = None
        self._answer = AnswerPanel(
            self._gateway, lambda: self._key, lambda: self._asked.takes_tokens
        )
        self._gateway_url = ""
        self._sender = Running(self, console.session, self._ended)
        self._insisted: Any = None
        self._at = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Vertical(classes="request")
            yield self._answer

    def on_mount(self) -> None:
        begin(self, self._begin, "form")

    async def _begin(self) -> None:
        """Show the form, once schema and auth of the route are known, or nobody tells them."""
        self._asked = await ask_for(self._main, self.route)
        self._gateway_url = self._asked.gateway
        route = self.route
        schema = form_schema(route.document, self._asked.body, self._key_told())
        form = Form(form_of(schema), self._first(), sends="Send", ascii=self._main.ascii)
        form.border_title = as_title(f"{route.method} {route.path}")
        self.form = form
        await self.query_one(".request").mount(form)
        _to_first(form, self.document)
        self._answer.about(self.call)
        if self.trials:
            self._at = len(self.trials)
            self._answer.show(self.trials[-1], route.document)
        if self._asked.problem:
            self._main.tell(self._asked.problem, "warning")
        self.entered()

    def _first(self) -> dict[str, Any]:
        """What stands in the form at first: the last call, else what its schema has as examples."""
        trials = self.trials
        document = (
            form_document(trials[-1].call, self.route.document)
            if trials
            else dict(self._asked.example)
        )
        key = self._main.session.keys.of(self.route.auth)
        return {**({"key": key} if key and self._asked.wants_key else {}), **document}

    def _key_told(self) -> str:
        if not self._asked.wants_key:
            return ""
        if self._main.session.keys.of(self.route.auth):
            return "As it was shown or typed here; it stays in memory."
        return "Not known here: type it once, it stays in memory."

    # What is written

    @property
    def trials(self) -> list[Trial]:
        """The calls that were made of this route, the newest last."""
        return self._main.session.trials.of(self.route.id)

    @property
    def document(self) -> dict[str, Any]:
        """What stands in the form."""
        document = self.form.document if self.form is not None else {}
        return document if isinstance(document, dict) else {}

    @property
    def call(self) -> RouteCall:
        """The call that is written."""
        route = self.route
        return written_call(route.service_id, route.document, route.path, self.document)

    @property
    def _key(self) -> str:
        return str(self.document.get("key") or "")

    def _gateway(self) -> str:
        return self._gateway_url

    def on_form_changed(self, message: Form.Changed) -> None:
        message.stop()
        self._answer.about(self.call)

    # Sending

    def on_form_submitted(self, message: Form.Submitted) -> None:
        message.stop()
        self._insisted = None
        self._send()

    def action_send(self) -> None:
        """Send what is written; what the form holds wrong is sent when it is asked for again."""
        if self.form is None or self._sender.elapsed is not None:
            return
        document = self.document
        self.form.action_submit()
        if not self.form.state.faults:
            return
        if self._insisted == document:
            self._insisted = None
            self._send()
        else:
            self._insisted = self.document
            self.form.border_subtitle = f"{self.form.border_subtitle} · ctrl+r sends it as it is"

    def _send(self) -> None:
        if self._main.read_only:
            self._main.tell("This context is read-only: no call is sent from here.")
        elif self._sender.elapsed is None:
            self._main.session.keys.learn(self.route.auth, self._key)
            self._sender.send(self.call, self._key)
            self._tell_elapsed(0.0)
            self._show_answer(True)

    def _ended(self, trial: Trial) -> None:
        self._main.session.trials.add(self.route.id, trial)
        self._at = len(self.trials)
        self._show(trial)
        self._answer.focus()

    def _show(self, trial: Trial) -> None:
        self._answer.show(trial, self.route.document)
        many = len(self.trials)
        at = f" · {self._at} of {many}" if many > 1 else ""
        status = trial.response.status if trial.response is not None else "failed"
        if self.form is not None:
            self.form.border_subtitle = f"{status}{at} · {_ANSWER_HINT}"

    def flush(self, now: float) -> None:
        """Show what has changed."""
        if (elapsed := self._sender.elapsed) is not None:
            self._tell_elapsed(elapsed)
        self._answer.flush(now)

    def _tell_elapsed(self, elapsed: float) -> None:
        timeout = self.route.document.get("timeoutInSeconds") or 30
        self._answer.say(
            Told(f"◷ {elapsed:.0f} s: waiting for the answer, of at most {timeout} s", "primary"),
            Told("esc cancels it, as a client that leaves does", "muted"),
        )

    def cancel(self) -> bool:
        """Cancel the call that runs; False: there is none."""
        elapsed = self._sender.cancel()
        if elapsed is None:
            return False
        self._answer.say(
            Told(f"⊘ Cancelled after {elapsed:.1f} s, as by a client that leaves.", "warning"),
            Told("What it began may go on: executions list it.", "muted"),
        )
        return True

    # From part to part

    def entered(self) -> None:
        """Put the focus where it belongs."""
        if self.has_class("-answer") and self.has_class("-narrow"):
            self._answer.focus()
        elif self.form is not None:
            self.form.focus()

    def on_resize(self, event: events.Resize) -> None:
        wide = event.size.width >= WIDE
        self.set_class(wide, "-wide")
        self.set_class(not wide, "-narrow")

    def _show_answer(self, shown: bool) -> None:
        self.set_class(shown, "-answer")
        if self.has_class("-narrow"):
            self.call_after_refresh(self.entered)

    def action_other(self) -> None:
        in_answer = self._answer.has_focus_within
        self._show_answer(not in_answer)
        if not in_answer:
            self.call_after_refresh(self._answer.focus)
        elif self.form is not None:
            self.call_after_refresh(self.form.focus)

    def on_form_cancelled(self, message: Form.Cancelled) -> None:
        message.stop()
        if not self.cancel():
            begin(self._main.frame, self._main.frame.action_back, "navigation")

    def action_leave(self) -> None:
        if self.cancel():
            return
        if self._answer.has_focus_within:
            self.action_other()
        else:
            begin(self._main.frame, self._main.frame.action_back, "navigation")

    def on_link_followed(self, message: Link.Followed) -> None:
        message.stop()
        self._main.open(Address("executions", message.place))

    # Earlier calls, files, curl

    def action_recall(self, by: int) -> None:
        trials = self.trials
        if not trials or self._sender.elapsed is not None:
            self._main.tell("No call of this route was made yet.", "information")
            return
        self._at = max(1, min(self._at + by, len(trials)))
        trial = trials[self._at - 1]
        self.take(trial.call)
        self._show(trial)

    def take(self, call: RouteCall) -> None:
        """Write another call into the form; the key stays."""
        if self.form is not None:
            key = {"key": self._key} if self._key else {}
            self.form.load({**key, **form_document(call, self.route.document)})
            self._answer.about(self.call)

    def action_copy_curl(self) -> None:
        self.app.copy_to_clipboard(self._answer.curl())
        masked = "; the key is *** in it" if self._key else ""
        self._main.tell(f"Copied: curl{masked}.", "information")

    def action_save_case(self) -> None:
        begin(self, partial(cases.save, self._main, self.call), "case", exclusive=True)

    def action_open_case(self) -> None:
        begin(self, self._opened, "case", exclusive=True)

    async def _opened(self) -> None:
        call = await cases.opened(self._main, self.route)
        if call is not None:
            self.take(call)

    def action_body(self) -> None:
        if self.form is not None:
            method = self.route.method
            begin(self, partial(write_body, self._main, self.form, method), "edit", exclusive=True)

    def on_form_script_edit_requested(self, message: Form.ScriptEditRequested) -> None:
        message.stop()
        begin(self, partial(write_value, self._main, message), "edit", exclusive=True)


def _to_first(form: Form, document: Mapping[str, Any]) -> None:
    """Put the cursor on what must be written first: the key, a parameter, the body."""
    for field in form.state.form.fields:
        wanted = field.name in ("key", "path") and field.name not in document
        if wanted or field.name == "body":
            form.go_to((field.name, *(each.name for each in field.fields[:1])))
            return

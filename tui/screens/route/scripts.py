"""The scripts of a route: written beside what they are given, run, and stored."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher

from podium.edge.v1 import edge_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.trying import try_script
from tui.resources.model import Resource
from tui.resources.routes import Route
from tui.screens.asking import AskScreen
from tui.screens.pane import Pane
from tui.screens.route.script_saver import ScriptSaver
from tui.views.addresses import Address
from tui.views.answers import LINE
from tui.views.editing import EditorFault, syntax_fault
from tui.views.route_scripts import FIELDS, TITLES, seed
from tui.views.trial import milliseconds
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.json_view import JsonView
from tui.widgets.text_view import TextView
from tui.widgets.working import begin

WIDE = 110
_EMPTY = "{}\n"


class ScriptsPane(Pane):
    """Both scripts of a route, one at a time; each with a payload of its own."""

    HELP = """\
## Scripts

A script of the route, what it sees as `$`, and what it gives. Nothing is called: it is run alone.

- `Ctrl+R` runs it; where it fails, its line is marked
- `F2` goes to the other script, `F6` to the next part
- `F3` takes as payload what the script was given in the last call that was tested
- `Ctrl+S` shows what differs and stores both scripts in the service
"""
    DEFAULT_CSS = """
    ScriptsPane Horizontal, ScriptsPane Vertical { height: 1fr; width: 1fr; }
    ScriptsPane > Horizontal.-narrow { layout: vertical; }
    ScriptsPane .-narrow > .beside { layout: horizontal; }
    ScriptsPane ContentSwitcher { height: 1fr; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "run", "Run", id="scripts.run", tooltip="Run the script"),
        Binding("f2", "other", "Other script", id="scripts.other",
                tooltip="From the pre-request script to the post-response script, and back"),
        Binding("f3", "seed", "Payload", id="scripts.seed",
                tooltip="Take as payload what the script was given in the last call"),
        Binding("f6", "next", "Next part", id="scripts.next",
                tooltip="From the script to the payload to the result"),
        Binding("escape", "leave", "Leave", id="scripts.leave", show=False,
                tooltip="Back to where you were; what is not stored is asked for"),
    ]  # fmt: skip

    def __init__(self, resource: Resource[Any], record: Route) -> None:
        super().__init__()
        self._resource, self._route = resource, record
        self._field = FIELDS[0]
        self._payloads: dict[str, str] = {}
        self._editor, self._payload = DocumentEditor(), DocumentEditor("Payload: $")
        self._result = JsonView("Result", id="script-result")
        self._told = TextView("Result", id="script-told")
        self._runs = False

    def compose(self) -> ComposeResult:
        self._saver = ScriptSaver(self.console, self._route)
        self._scripts = dict(self._saver.stored)
        with Horizontal(classes="all"):
            yield self._editor
            with Vertical(classes="beside"):
                yield self._payload
                with ContentSwitcher(initial="script-told"):
                    yield self._result
                    yield self._told

    def on_mount(self) -> None:
        self._payloads = {field: self._seed(field) or _EMPTY for field in FIELDS}
        self._told.action_wrap()
        self._told.show("Ctrl+R runs the script.")
        self._show()

    @property
    def address(self) -> Address:
        return Address(self._resource.name, self._route.id)

    @property
    def crumbs(self) -> tuple[str, ...]:
        return (self._resource.name, f"{self._route.method} {self._route.path}", "scripts")

    @property
    def service(self) -> str:
        return "edge"

    @property
    def dirty(self) -> bool:
        return self._written() != self._saver.stored

    def entered(self) -> None:
        self._editor.focus()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(".all").set_class(event.size.width < WIDE, "-narrow")

    # What is written

    def _written(self) -> dict[str, str]:
        """Both scripts as they are now."""
        return {**self._scripts, self._field: self._editor.text}

    def _show(self) -> None:
        """Show the script of the field."""
        self._editor.border_title = Content(TITLES[self._field])
        self._editor.load(self._scripts[self._field], "javascript")
        self._payload.load(self._payloads[self._field], "json")
        self._mark_faults()

    def action_other(self) -> None:
        if self._runs:
            self._editor.tell("It still runs; it ends by itself within seconds.")
            return
        self._scripts = self._written()
        self._payloads[self._field] = self._payload.text
        self._field = FIELDS[1 - FIELDS.index(self._field)]
        self._say("Ctrl+R runs the script.")
        self._show()

    def _seed(self, field: str) -> str:
        trials = self.console.session.trials.of(self._route.id)
        found = (seed(trial.response, field) for trial in reversed(trials))
        return next(filter(None, found), "")

    def action_seed(self) -> None:
        given = self._seed(self._field)
        if given:
            self._payload.load(given, "json")
            self._payload.tell("As it was in the last call that was tested.")
        else:
            self._payload.tell("No call of this route was tested yet that got so far: t tests it.")

    def action_next(self) -> None:
        if self._editor.has_focus_within:
            self._payload.focus()
        elif self._payload.has_focus_within:
            shown = self.query_one(ContentSwitcher).current
            (self._result if shown == "script-result" else self._told).focus()
        else:
            self._editor.focus()

    # Running

    def action_run(self) -> None:
        payload = self._payload.text
        fault = syntax_fault(payload, "json")
        if fault is not None:
            self._payload.go_to(fault.line, fault.column)
            self._payload.tell(f"The payload is no JSON: {fault.message}")
        elif not self._editor.text.strip():
            self._say("There is no script.")
        elif not self._runs:
            self._runs = True
            self._say("Running…")
            begin(self, partial(self._run, self._editor.text, payload), "run", exclusive=True)

    async def _run(self, script: str, payload: str) -> None:
        connection = self.console.session.connection
        try:
            clients = await connection.clients()
            with connection.calling():
                answer = await try_script(clients, script, payload)
        except (ServiceError, HomeUnusable) as error:
            told = error.detail if isinstance(error, ServiceError) else str(error)
            self._say(f"✘ {told}\n\nNothing was lost: ctrl+r runs it again.")
        else:
            self._answered(answer)
        finally:
            self._runs = False

    def _answered(self, answer: pb.TestScriptResponse) -> None:
        took = f"{milliseconds(answer.took):,.1f} ms"
        if answer.HasField("fault"):
            fault = answer.fault
            self._say(f"✘ {fault.message}", took)
            self._editor.show_faults([EditorFault(max(fault.line, 1), 1, fault.message)])
            if fault.line:
                self._editor.go_to(fault.line)
            return
        self._editor.show_faults(())
        self._result.show(answer.result, fresh=True)
        self._result.border_subtitle = took
        self.query_one(ContentSwitcher).current = "script-result"

    def _say(self, text: str, took: str = "") -> None:
        """Say it where the result is."""
        self._told.show(text)
        self._told.border_subtitle = took
        self.query_one(ContentSwitcher).current = "script-told"

    # Storing and leaving

    def on_document_editor_save_requested(self, message: DocumentEditor.SaveRequested) -> None:
        message.stop()
        if self.console.read_only:
            self.console.tell("This context is read-only: nothing is stored from here.")
        else:
            # The screen's: whoever leaves meanwhile still hears what came of it.
            begin(self.console.frame, self._save, "store", exclusive=True)

    async def _save(self) -> None:
        stored = await self._saver.save(self._written())
        if not self.is_attached:
            return
        if stored:
            self._editor.mark_saved(self._saver.stored[self._field])
        self._mark_faults()

    def _mark_faults(self) -> None:
        """Mark what the registry found in the script that is shown."""
        found = []
        for path, detail in self._saver.faults:
            if path.endswith(self._field):
                line = LINE.search(detail)
                found.append(EditorFault(int(line[1]) if line else 1, 1, detail))
        self._editor.show_faults(found)

    def action_leave(self) -> None:
        begin(self.console.frame, self._leave, "leave", exclusive=True)

    async def _leave(self) -> None:
        if self.dirty:
            choices = (("edit", "Go on editing"), ("drop", "Drop what was written"))
            text = f"Scripts of {self._saver.title}: what was written is not stored."
            if await self.console.push_screen_wait(AskScreen("Leave?", text, choices)) != "drop":
                return
        await self.console.frame.close(self)

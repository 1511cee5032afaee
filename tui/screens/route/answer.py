"""What came of a tried call: in words, the body, the stages, the scripts, raw, and as curl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static, Tab as TabLabel, Tabs

from podium.edge.v1 import edge_pb2 as pb
from tui.live.collection import Collection
from tui.live.trying import Trial
from tui.live.view import View
from tui.resources.model import Cell, Column
from tui.views.answers import (
    POST,
    PRE,
    StageRow,
    Told,
    facts,
    headers_of,
    marked,
    raw,
    script_run,
    stage_rows,
    verdict,
)
from tui.views.route_call import MASK, SECRET_HEADERS, RouteCall, curl, target
from tui.views.visible import visible
from tui.widgets.json_view import JsonView
from tui.widgets.link import Link
from tui.widgets.live_table import LiveTable
from tui.widgets.text_view import FullText, TextView
from tui.widgets.tones import tone_style
from tui.widgets.viewer import Choices, Viewer

TABS = (
    ("body", "Answer"),
    ("stages", "Stages"),
    ("pre", "Pre-script"),
    ("post", "Post-script"),
    ("raw", "Raw"),
    ("curl", "curl"),
)
_COLUMNS: tuple[Column[StageRow], ...] = (
    Column("stage", "STAGE", 20, lambda row, _: Cell(f"{row.glyph} {row.title}", row.tone),
           lambda row: row.id, priority=9),
    Column("took", "MS", 9, lambda row, _: Cell(f"{row.took:,.2f}", "muted"),
           lambda row: row.took, right=True, priority=8),
    Column("notes", "NOTES", 20, lambda row, _: Cell(row.notes), lambda row: row.notes, flex=1,
           priority=7),
)  # fmt: skip


class AnswerPanel(Vertical):
    """Shows a trial, or says what is waited for."""

    DEFAULT_CSS = """
    AnswerPanel { height: 1fr; width: 1fr; }
    AnswerPanel > .head { height: auto; max-height: 5; padding: 0 1; }
    AnswerPanel > Link { margin: 0 1; }
    AnswerPanel > ContentSwitcher { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+left", "beside(-1)", "Part before", id="answer.before", show=False,
                tooltip="The part of the answer before"),
        Binding("ctrl+right", "beside(1)", "Next part", id="answer.next",
                tooltip="The next part: answer, stages, scripts, raw, curl"),
        Binding("o", "execution", "Execution", id="answer.execution",
                tooltip="Open the execution of the call as it runs"),
    ]  # fmt: skip

    def __init__(
        self, gateway: Callable[[], str], key: Callable[[], str], is_token: Callable[[], bool]
    ) -> None:
        """``gateway`` says its URL, ``key`` what the call's key is; empty: it has none."""
        super().__init__()
        self._gateway, self._key, self._is_token = gateway, key, is_token
        self._trial: Trial | None = None
        self._call: RouteCall | None = None
        self._route: Any = {}
        self._stale: set[str] = set()
        self._stages: Collection[StageRow] = Collection()
        self._views: dict[str, Viewer] = {}
        # Scripts of which something is said instead of what they gave.
        self._told_parts: set[str] = set()

    def compose(self) -> ComposeResult:
        self._view = View(self._stages)
        self._table = LiveTable(self._view, _COLUMNS, "stage", id="part-stages", fixed=True)
        self._table.border_title = "Stages"
        self._views = {
            "body": JsonView("Body", id="part-body"),
            "raw": TextView("Raw", id="part-raw"),
            "curl": TextView("curl", id="part-curl"),
        }
        self._views["body-told"] = TextView("Body", id="part-body-told")
        for name, title in (("pre", "Pre-request script"), ("post", "Post-response script")):
            self._views[name] = JsonView(title, id=f"part-{name}")
            self._views[f"{name}-told"] = TextView(title, id=f"part-{name}-told")
        for view in self._views.values():
            view.more_copies = self._copies()
        yield Static("", classes="head", markup=False)
        yield Link()
        yield Tabs(*(TabLabel(title, id=name) for name, title in TABS), active="body")
        with ContentSwitcher(initial="part-body"):
            yield self._table
            yield from self._views.values()

    def on_mount(self) -> None:
        self.say(Told("Ctrl+R sends the call: it runs the workflow, and limits count it.", "muted"))

    def on_unmount(self) -> None:
        self._view.close()

    # What is shown

    def say(self, *lines: Told) -> None:
        """Say something in the head, and no link."""
        self._head(lines)
        self.query_one(Link).lead("", "")

    def _head(self, lines: tuple[Told, ...]) -> None:
        text = Text("\n").join(
            Text(visible(line.text), tone_style(self.app, line.tone, bold=number == 0))
            for number, line in enumerate(lines)
        )
        self.query_one(".head", Static).update(text)

    def show(self, trial: Trial, route: Any) -> None:
        """Show what came of a trial of ``route``, its document."""
        self._trial, self._route = trial, route
        self.about(trial.call)
        self._stale = {name for name, _ in TABS}
        response = trial.response
        if response is None:
            self.say(Told(f"✘ {trial.failed}", "error"), Told(_left_by(trial), "muted"))
        else:
            self._head((verdict(response), *facts(response)))
            self._link(response)
        if self.part == "curl":
            # What was written is what was sent: the answer is what is new.
            self.query_one(Tabs).active = "body"
        self._fill()

    def about(self, call: RouteCall) -> None:
        """The call that is written now: the curl command is of it."""
        if call != self._call:
            self._call = call
            self._stale.add("curl")
            self._fill()

    def _link(self, response: pb.TestRouteResponse) -> None:
        id_ = response.execution_id
        word = "It goes on: follow the execution" if response.status == 202 else "Execution"
        self.query_one(Link).lead(f"{word} {id_}", id_)

    @property
    def part(self) -> str:
        """The part that is shown."""
        return self.query_one(Tabs).active

    def _fill(self) -> None:
        """Fill the part that is shown, where it is of before."""
        if not self.is_mounted or (part := self.part) not in self._stale:
            return
        self._stale.discard(part)
        if part == "curl":
            self._view_of("curl", TextView).show(self.curl(), "text")
        elif self._trial is not None:
            self._fill_answer(part, self._trial)
        self._switch()

    def _fill_answer(self, part: str, trial: Trial) -> None:
        response = trial.response or pb.TestRouteResponse()
        match part:
            case "body":
                self._show_body(response)
            case "stages":
                self._stages.replace(stage_rows(response))
            case "raw":
                self._view_of("raw", TextView).show(self._raw(trial, response), "http")
            case "pre" | "post":
                self._show_script(part, response)

    def _show_body(self, response: pb.TestRouteResponse) -> None:
        self._told_parts.discard("body")
        if not response.body:
            self._told_parts.add("body")
            why = "The answer has no body." if response.status else "There is no answer."
            self._view_of("body-told", TextView).show(why)
            return
        view = self._view_of("body", JsonView)
        cut = len(response.body) < response.body_bytes
        title = f"Body · the first {len(response.body):,} bytes" if cut else "Body"
        view.show(response.body.decode("utf-8", "replace"), title, fresh=True)
        kind = headers_of(response).get("content-type", "")
        view.border_subtitle = Content(visible(kind))

    def _show_script(self, part: str, response: pb.TestRouteResponse) -> None:
        field = PRE if part == "pre" else POST
        run = script_run(response, field)
        view, told = self._view_of(part, JsonView), self._view_of(f"{part}-told", TextView)
        if run is None:
            script = self._route.get(field)
            why = "It was not run." if script else f"The route has no {field}."
            told.show(why, "text")
        elif run.fault:
            told.show(marked(str(self._route.get(field, "")), run.fault, run.line), "javascript")
        else:
            view.show({"input": run.given, "result": run.result}, fresh=True)
        self._told_parts.discard(part)
        if run is None or run.fault:
            self._told_parts.add(part)

    def _view_of(self, name: str, kind: type[Any]) -> Any:
        view = self._views[name]
        assert isinstance(view, kind)
        return view

    def _switch(self) -> None:
        part = self.part
        told = "-told" if part in self._told_parts else ""
        self.query_one(ContentSwitcher).current = f"part-{part}{told}"

    def _raw(self, trial: Trial, response: pb.TestRouteResponse) -> str:
        name = "Authorization" if self._is_token() else "X-API-Key"
        return _raw(trial, response, {name: MASK} if self._key() else {})

    # What is copied

    def curl(self, *, with_key: bool = False) -> str:
        """The command of the call that is written."""
        if self._call is None:
            return ""
        key = self._key()
        shown = (key if with_key else MASK) if key else ""
        return curl(self._call, self._gateway(), shown, is_token=self._is_token())

    def _copies(self) -> Choices:
        def copy(with_key: bool) -> Callable[[], None]:
            return lambda: self.app.copy_to_clipboard(self.curl(with_key=with_key))

        return {"c": ("curl", copy(False)), "K": ("curl with the key", copy(True))}

    # Keys and clicks

    def focus(self, scroll_visible: bool = True) -> AnswerPanel:
        """What takes the keys is inside."""
        current = self.query_one(ContentSwitcher).current
        if current is not None:
            self.query_one(f"#{current}").focus(scroll_visible)
        return self

    def flush(self, now: float) -> None:
        """Show what has changed."""
        if self.part == "stages":
            self._table.flush(now)

    def action_execution(self) -> None:
        self.query_one(Link).action_follow()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "execution":
            return True if self.is_mounted and self.query_one(Link).place else None
        return True

    def action_beside(self, by: int) -> None:
        names = [name for name, _ in TABS]
        at = (names.index(self.part) + by) % len(names)
        self.query_one(Tabs).active = names[at]

    def on_tabs_tab_activated(self, message: Tabs.TabActivated) -> None:
        message.stop()
        inside = self.has_focus_within and not self.query_one(Tabs).has_focus
        self._fill()
        self._switch()
        if inside:
            self.focus()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        row = self._stages.get(message.id)
        if row is not None:
            # A note may be a text of 16,000 characters.
            from tui.views.json_values import json_text

            self.app.push_screen(FullText(json_text(dict(row.document)), row.title, "json"))


def _left_by(trial: Trial) -> str:
    """What has come of a call that nothing came of."""
    if trial.may_go_on:
        return "It may have begun: executions say so. What was written is kept: ctrl+r."
    return "What was written is kept: ctrl+r sends it."


def _raw(trial: Trial, response: pb.TestRouteResponse, sent: dict[str, str]) -> str:
    call = trial.call
    if call.body:
        sent["Content-Type"] = "application/json"
    sent |= {name: MASK if name.lower() in SECRET_HEADERS else v for name, v in call.headers}
    line = f"{call.method} {response.target or target(call)} HTTP/1.1"
    return raw(line, sent, call.body, response)

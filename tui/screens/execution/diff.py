"""An execution beside another one: how they ended, which way they went, what tasks got and gave."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.collection import Collection
from tui.live.earlier import earlier
from tui.live.one_execution import SOURCE, Facts, facts_of
from tui.live.session import Feed, Session
from tui.live.view import View
from tui.resources.execution_diff import COLUMNS
from tui.screens.detail_pane import DetailPane
from tui.screens.execution.other import BEFORE, SUCCESS, OtherScreen
from tui.screens.execution.tab import ExecutionTab
from tui.screens.list_pane import ListPane
from tui.views.execution_diff import execution_difference
from tui.views.execution_rows import DiffRow, documents, rows
from tui.views.ids import brief_id
from tui.views.visible import in_one_line
from tui.widgets.diff_view import DiffView
from tui.widgets.live_table import LiveTable
from tui.widgets.working import begin

MOST_MARKED = 8


class DiffTab(ExecutionTab):
    """A row for each task of both, and below it what the one under the cursor got and gave.

    Both may still run: the rows are made again as they go on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "other", "Other", id="execution.diff_other",
                tooltip="Compare with another execution"),
        Binding("right_square_bracket", "difference(1)", "Next difference",
                id="execution.next_difference", tooltip="Go to the next row that differs"),
        Binding("left_square_bracket", "difference(-1)", "Difference before", show=False,
                id="execution.previous_difference", tooltip="Go to the row before that differs"),
        Binding("escape", "close_documents", "Rows", id="execution.close_documents", show=False,
                tooltip="From the documents to the rows"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    DiffTab LiveTable { height: 2fr; }
    DiffTab DiffView { height: 3fr; }
    """

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._rows: Collection[DiffRow] = Collection()
        self._view: View[DiffRow] = View(self._rows)
        self._table = LiveTable(self._view, COLUMNS, "sign", fixed=True)
        self._documents = DiffView("Documents")
        self._session: Session = detail.console.session
        self._other: Feed | None = None
        self._wanted = ""
        self._told = ""
        self._compared: tuple[Any, Any] = (None, None)
        self._busy = False
        self._shown: tuple[str, str, str] | None = None
        self._shown_of: tuple[str, Any, Any] | None = None

    def compose(self) -> ComposeResult:
        self._table.border_title = "Compared"
        with Vertical():
            yield self._table
            yield self._documents

    def on_unmount(self) -> None:
        self._view.close()
        self._leave_other()

    def entered(self) -> None:
        self._table.focus()

    def show(self, now: float) -> None:
        facts = self.facts
        if not self._wanted and facts.state is not None:
            self._choose(self._marked()[:1])
        self._table.empty = self._told
        if self._other is not None and not self._busy:
            self._compare(facts, facts_of(self._other.collection))
        self._table.flush(now)
        self._show_documents()

    # With which one

    def _choose(self, marked: list[tuple[str, str]]) -> None:
        """At first: with the row that is marked, else with the last one that completed."""
        if marked:
            self.with_execution(marked[0][0])
        else:
            self._look_for(SUCCESS)

    def _marked(self) -> list[tuple[str, str]]:
        """The marked executions but this one, and how they are called."""
        found: list[tuple[str, str]] = []
        for each in self.console.frame.query(ListPane):
            if each.resource.name == self.detail.resource.name:
                for id_ in sorted(each.table.marks - {self.detail.record_id}):
                    row = self.console.executions.collection.get(id_)
                    label = f"{row.workflow} {row.status.lower()} {id_}" if row else id_
                    found.append((id_, label))
        return found[:MOST_MARKED]

    def with_execution(self, id_: str) -> None:
        """Compare with that one."""
        self._leave_other()
        self._wanted = id_
        self._told = f"Asking for {id_}…"
        self._other = self._session.open(SOURCE, id_)
        self._table.border_title = Content(f"- {in_one_line(id_)}   + this one")

    def _leave_other(self) -> None:
        if self._other is not None:
            self._session.close(self._other)
            self._other = None
        self._rows.replace({})
        self._compared = (None, None)

    def _look_for(self, which: str) -> None:
        self._wanted = which
        self._told = "Looking for an earlier execution…"
        begin(self, self._find, "find", exclusive=True)

    async def _find(self) -> None:
        which, state = self._wanted, self.facts.state
        if state is None:
            return
        try:
            id_ = await earlier(
                self._session.connection, state.workflow_name, state.created_at,
                succeeded=which == SUCCESS,
            )  # fmt: skip
        except (ServiceError, HomeUnusable) as error:
            self._told = f"{error} o asks again."
            return
        if id_:
            self.with_execution(id_)
        else:
            what = "has completed" if which == SUCCESS else "has run"
            self._told = f"No earlier execution of {state.workflow_name} {what}: o picks another."

    def action_other(self) -> None:
        begin(self, self._pick, "pick", exclusive=True)

    async def _pick(self) -> None:
        wanted = await self.app.push_screen_wait(OtherScreen(self._marked()))
        if wanted in (SUCCESS, BEFORE):
            self._leave_other()
            self._look_for(wanted)
        elif wanted:
            self.with_execution(wanted)

    # What differs

    def _compare(self, this: Facts, other: Facts) -> None:
        if other.document is None:
            link = self._other.line.now() if self._other is not None else None
            self._told = other.problem or (link.reason if link is not None else "") or self._told
            return
        one, two = self._compared
        if this.document is None or (one is other.document and two is this.document):
            return
        self._compared = (other.document, this.document)
        self._busy = True
        begin(self, self._compare_beside, "compare")

    async def _compare_beside(self) -> None:
        try:
            one, two = self._compared
            difference = await asyncio.to_thread(execution_difference, one, two)
            if self._compared[0] is one:
                self._rows.replace({row.id: row for row in rows(difference)})
                self._sum_up()
        finally:
            self._busy = False

    def _sum_up(self) -> None:
        many = sum(row.is_difference for row in self._rows.records.values())
        told = f"{many} difference{'s' if many != 1 else ''}: ] and [ go through them"
        self._table.border_subtitle = told if many else "They went the same way, with the same data"

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        message.stop()
        self._show_documents()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        self._documents.focus()

    def _show_documents(self) -> None:
        """What the row under the cursor got and gave, unless it is shown already."""
        one, two = self._compared
        id_ = self._table.cursor_id
        if one is None or two is None or not id_:
            return
        if self._shown_of is not None and all(
            a is b for a, b in zip(self._shown_of, (id_, one, two), strict=True)
        ):
            return
        self._shown_of = (id_, one, two)
        wanted = (id_, *documents(id_, one, two))
        if wanted != self._shown:
            # What reads on as it was stays where it was scrolled to.
            self._shown = wanted
            names = (brief_id(self._wanted), brief_id(self.detail.record_id))
            self._documents.show(wanted[1], wanted[2], names, id_.removeprefix("task "))

    def action_difference(self, direction: int) -> None:
        """Go to the next row that differs, or the one before."""
        found = sorted(
            (row.number, row.id) for row in self._rows.records.values() if row.is_difference
        )
        here = self._rows.get(self._table.cursor_id)
        at = here.number if here is not None else -1
        others = [each for each in found if (each[0] > at if direction > 0 else each[0] < at)]
        if others:
            self._table.put_cursor_on((others[0] if direction > 0 else others[-1])[1])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "close_documents":
            return self._documents.has_focus_within
        return True

    def action_close_documents(self) -> None:
        self._table.focus()

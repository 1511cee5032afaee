"""The timeline of an execution, and beside it the document or the log of the task at its cursor."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from tui.resources.execution_tasks import COMPLETE, ExecutionTask
from tui.screens.detail_pane import DetailPane
from tui.screens.execution.log import TaskLog
from tui.screens.execution.tab import ExecutionTab
from tui.views.attempts import attempt_of
from tui.views.kin import started_by
from tui.widgets.json_view import JsonView
from tui.widgets.timeline import Timeline
from tui.widgets.timeline_lines import ASKING

_FIRST = ("status", "reasonForIncompletion", "inputData", "outputData")
# With fewer there is room for the timeline alone.
WIDE_CELLS = 110


class TimelineTab(ExecutionTab):
    """Rows of tasks as they happen; what the chosen one was given and gave."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._timeline = Timeline(ascii=detail.console.ascii)
        self._beside = JsonView("Task")
        self._log = TaskLog(detail.console)
        self._changed: set[str] = set()
        self._document: dict[str, Any] | None = None
        self._wanted = detail.part
        self._back = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(COMPLETE.key, "complete_task", COMPLETE.title, id=COMPLETE.id,
                tooltip=COMPLETE.help),
        Binding("o", "open_started", "Sub-workflow", id="execution.open_started",
                tooltip="The execution that the task started; Enter opens it as well"),
        Binding("i", "show_task", "Task", id="execution.show_task", show=False,
                tooltip="The document of the task"),
        Binding("L", "show_log", "Log", id="execution.show_log",
                tooltip="What was logged for the task, as it comes; once more: its document"),
        Binding("escape", "close_task", "Close", id="execution.close_task",
                tooltip="Back to the timeline"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    TimelineTab Timeline { width: 3fr; }
    TimelineTab JsonView, TimelineTab TaskLog { width: 2fr; }
    TimelineTab TaskLog { display: none; }
    TimelineTab.-narrow Horizontal { layout: vertical; }
    TimelineTab.-narrow Timeline { width: 1fr; height: 1fr; }
    TimelineTab.-narrow JsonView { width: 1fr; height: 1fr; display: none; }
    TimelineTab.-narrow TaskLog { width: 1fr; height: 1fr; }
    TimelineTab.-narrow.-task JsonView { display: block; }
    TimelineTab.-log JsonView, TimelineTab.-narrow.-log JsonView { display: none; }
    TimelineTab.-log TaskLog { display: block; }
    """

    def compose(self) -> ComposeResult:
        self._timeline.border_title = "Timeline"
        with Horizontal():
            yield self._timeline
            yield self._beside
            yield self._log

    def on_mount(self) -> None:
        self._heard(list(self.tasks.records))
        self.tasks.listen(self._heard)

    def on_unmount(self) -> None:
        self.tasks.forget(self._heard)

    def _heard(self, ids: Collection[str]) -> None:
        self._changed.update(ids)

    def entered(self) -> None:
        if self.has_class("-log"):
            self._log.look()
        self._timeline.focus()

    def show(self, now: float) -> None:
        facts = self.facts
        if facts.state is None:
            self._timeline.say(facts.problem or ASKING)
            return
        self._fit()
        gone = any(id_ not in self.tasks.records for id_ in self._changed)
        if self.new_definition() is not None or gone:
            states = [task.state for task in self.tasks.records.values()]
            self._timeline.show(facts.state, states, facts.document, now)
            if self._wanted and self._timeline.select(self._meant(self._wanted)):
                self._wanted = ""
        elif self._changed:
            records = self.tasks.records
            changed = [records[id_].state for id_ in self._changed]
            self._timeline.apply(facts.state, changed, now)
        else:
            self._timeline.apply(facts.state, (), now)
        self._changed.clear()
        self._show_log(now)
        if facts.document is not None and facts.document is not self._document:
            self._document = facts.document
            self._timeline.add_told(facts.document)
            self._show_task()
            self.refresh_bindings()

    def on_timeline_task_selected(self, message: Timeline.TaskSelected) -> None:
        self._show_task()
        self.refresh_bindings()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Stand as the width asks for; it may have changed without being told."""
        self.set_class(self.size.width < WIDE_CELLS, "-narrow")
        self._timeline.fit()

    def on_timeline_task_opened(self, message: Timeline.TaskOpened) -> None:
        if not self.open_started(message.task_id):
            self.action_show_task()

    def action_show_task(self) -> None:
        self._close_log()
        self.add_class("-task")
        self._beside.focus()

    def action_show_log(self) -> None:
        if self.has_class("-log"):
            self.action_show_task()
            return
        self.add_class("-log")
        self._log.look()
        self._show_log(time.time())
        self._log.focus()

    def _close_log(self) -> None:
        self.remove_class("-log")
        self._log.look_away()

    def _show_log(self, now: float) -> None:
        """Read the log of the attempt under the cursor, where the log is in sight."""
        if not self.has_class("-log"):
            return
        task = self.tasks.get(self._task_id)
        if task is None:
            self._log.about(self.detail.record_id, "", "", ended=False)
        else:
            attempt = attempt_of(task.state)
            name = f"{attempt.ref} ↻{attempt.number}" if attempt.number else attempt.ref
            self._log.about(self.detail.record_id, task.id, name, ended=attempt.final)
        self._log.flush(now)

    def action_open_started(self) -> None:
        self.open_started(self._task_id)

    @property
    def _task_id(self) -> str:
        """That of the attempt under the cursor; empty: it is on none."""
        row = self._timeline.row
        return row.node.task_id if row is not None else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "close_task":
            # Elsewhere the key leads out of the execution.
            return self.has_class("-task") or self.has_class("-log") or bool(self._back)
        if action == "show_log":
            return True if self._task_id else None
        if action == "complete_task":
            if self.console.read_only:
                return False
            return True if self._chosen is not None else None
        if action == "open_started":
            return bool(started_by(self.facts.document, self._task_id))
        return super().check_action(action, parameters)

    def given(self, action_id: str) -> Mapping[str, str]:
        task = self.tasks.get(self._task_id)
        if action_id != "executions.rerun" or task is None:
            return {}
        return {"ref": task.state.ref}

    @property
    def _chosen(self) -> ExecutionTask | None:
        """The task under the cursor, if it is open."""
        row = self._timeline.row
        task = self.tasks.get(row.node.task_id) if row is not None else None
        if task is None:
            return None
        state = task.state
        chosen = ExecutionTask(
            state.task_id, self.detail.record_id, state.ref, state.kind, state.status
        )
        return chosen if COMPLETE.applies(chosen) else None

    def action_complete_task(self) -> None:
        if (chosen := self._chosen) is not None:
            self.console.act(None, COMPLETE, [chosen])

    async def action_close_task(self) -> None:
        if self._back and not self.has_class("-task") and not self.has_class("-log"):
            await self.detail.go_to_tab(self._back)
            return
        self.remove_class("-task")
        self._close_log()
        self._timeline.focus()

    def left(self) -> None:
        self._back = ""
        self._log.look_away()

    def select(self, task_id: str, back: str = "") -> None:
        """Put the cursor on an attempt; ``back`` is the tab to which escape leads then."""
        self._back = back
        # What is not there yet is gone to when it comes.
        self._wanted = "" if self._timeline.select(task_id) else task_id

    def _meant(self, task: str) -> str:
        """The id of an attempt, by itself or as the newest of its reference name."""
        states = [each.state for each in self.tasks.records.values() if each.state.ref == task]
        newest = max(states, key=lambda state: state.sequence, default=None)
        return task if newest is None else newest.task_id

    def _show_task(self) -> None:
        row = self._timeline.row
        tasks = (self._document or {}).get("tasks")
        if row is None or not isinstance(tasks, list):
            return
        for task in tasks:
            if task.get("taskId") == row.node.task_id:
                self._beside.show(_telling(task), f"Task {task.get('referenceTaskName', '')}")
                return


def _telling(task: dict[str, Any]) -> dict[str, Any]:
    """The task's document, first what an operator looks for in it."""
    first = {name: task[name] for name in _FIRST if task.get(name) not in (None, "")}
    return first | {name: value for name, value in task.items() if name not in first}

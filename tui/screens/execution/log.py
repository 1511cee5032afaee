"""The log of one attempt of a task, beside the timeline: read while it is in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.live.attention import Attention
from tui.live.polling import READ_AT, told_age
from tui.live.session import Feed
from tui.live.task_logs import SOURCE, log_query
from tui.views.task_log import counted, log_text
from tui.widgets.text_view import TextView
from tui.widgets.titles import as_title

if TYPE_CHECKING:
    from tui.app import Console


class TaskLog(TextView):
    """Its lines as they come. At the last line the cursor stays with what comes."""

    HELP = """
    What workers have logged for the task under the timeline's cursor, the newest last.
    Of an attempt the first 1,000 lines are kept.

    - `j` `k` `g` `G`, arrows, page keys: move · at the end it follows what comes
    - `/` searches as you type, `n` `N` go on
    - `y y` copies all, `y l` the line · `v` opens it in `$PAGER` · `W` wraps long lines
    - `Esc` goes back to the timeline
    """

    def __init__(self, console: Console) -> None:
        super().__init__("Log")
        self._attention = Attention(console.session)
        self._about = ("", "")
        self._feed: Feed | None = None
        self._read_at: float | None = None

    def on_unmount(self) -> None:
        self._attention.end()

    def about(self, execution_id: str, task_id: str, name: str, *, ended: bool) -> None:
        """Show the log of an attempt; empty ``task_id``: of none."""
        query = log_query(execution_id, task_id, ended=ended) if task_id else ""
        if self._about == (task_id, query):
            return
        if self._about[0] != task_id:
            # What was of another one is nothing of this one's; what has ended keeps what it had.
            self.show("", title=f"Log of {name}" if name else "Log")
            self.border_subtitle = ""
        self._about = (task_id, query)
        if self._feed is not None:
            self._attention.close(self._feed)
        self._feed = self._attention.open(SOURCE, query) if query else None
        self._read_at = None

    def look(self) -> None:
        """It is in sight."""
        self._attention.show()

    def look_away(self) -> None:
        """It is out of sight: nothing is read."""
        self._attention.hide()

    def flush(self, now: float) -> None:
        """Show what was read; ``now`` is in epoch seconds."""
        if self._feed is None:
            return
        collection = self._feed.collection
        read_at = collection.facts.get(READ_AT)
        if read_at is not None and read_at != self._read_at:
            self._read_at = read_at
            at_end = self.pane.cursor >= len(self.pane.lines) - 1
            self.show(log_text(collection.records.values()))
            if at_end:
                self.pane.go(len(self.pane.lines) - 1)
        self.border_subtitle = as_title(self._standing(now))

    def _standing(self, now: float) -> str:
        assert self._feed is not None
        reason = self._feed.line.now().reason
        parts = (counted(len(self._feed.collection)),
                 reason or told_age(self._feed.collection, now))  # fmt: skip
        return " · ".join(part for part in parts if part)

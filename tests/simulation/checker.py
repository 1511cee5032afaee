"""What must hold after every commit, and at the end."""

from __future__ import annotations

import json
from collections import Counter

from services.executor import feed_rows, finding, kinship, queries
from services.executor.states import parsed_change
from services.query import parse
from services.query.executions import EXECUTIONS
from tests.simulation.shell import EPOCH, Shell


def check(shell: Shell) -> None:
    """After a commit, with all letters delivered."""
    _decided_once(shell)
    _everybody_heard(shell)
    _everything_waits_for_something(shell)


def check_end(shell: Shell) -> None:
    """Nothing more can happen."""
    open_ = shell.db.execute("SELECT id, status FROM executions WHERE ended_at IS NULL").fetchall()
    assert not open_, f"never ended: {open_}"
    assert not shell.db.execute("SELECT * FROM timers").fetchall(), "timers of what has ended"
    _all_views_agree(shell)


def _decided_once(shell: Shell) -> None:
    attempts = shell.db.execute("SELECT execution_id, ref, attempt FROM tasks").fetchall()
    twice = [each for each, number in Counter(attempts).items() if number > 1]
    assert not twice, f"decided twice: {twice}"


def _everybody_heard(shell: Shell) -> None:
    """What recovery would have to say is nothing: it was said."""
    unheard = kinship.unheard(shell.db)
    # One that was retried, and whose parent went on without it, goes its own way.
    unheard.orphans = [orphan for orphan in unheard.orphans if not orphan.reopened]
    assert unheard == kinship.Unheard(), f"unheard: {unheard}"
    assert not queries.not_begun(shell.db), "not begun"


def _everything_waits_for_something(shell: Shell) -> None:
    """Each running execution has an open task, and each open task what it waits for."""
    for (execution_id,) in shell.db.execute(
        "SELECT id FROM executions WHERE status = 'RUNNING'"
    ).fetchall():
        rows = shell.db.execute(
            "SELECT id, ref, kind, status, pending, open, timers FROM tasks "
            "WHERE execution_id = ? AND ended_at IS NULL",
            (execution_id,),
        ).fetchall()
        assert rows, f"{execution_id} runs, and nothing of it is open"
        for task_id, ref, kind, status, pending, open_, timers in rows:
            waits = pending or open_ or timers != "[]" or kind in ("HUMAN", "SUB_WORKFLOW")
            assert waits, f"{ref} ({kind} {status} {task_id}) waits for nothing"


def _all_views_agree(shell: Shell) -> None:
    """Get, list, counts and the feed say the same of every execution."""
    rows = dict(shell.db.execute("SELECT id, status FROM executions"))
    listed = finding.found(shell.db, parse("id:*", EXECUTIONS), EPOCH, None, 10_000)
    assert {row[0]: row[3] for row in listed} == rows
    assert queries.counts(shell.db) == dict(Counter(rows.values()))
    told: dict[str, str] = {}
    tasks: dict[str, int] = {}
    for _, execution_id, _, state in feed_rows.changes(shell.db, 0, 1 << 62, 1 << 20):
        execution, states = parsed_change(state)
        told[execution_id] = json.loads(state)[0][3]
        assert execution.execution_id == execution_id
        tasks.update({each.task_id: each.status for each in states})
    assert told == rows

"""What must hold when all letters have arrived, and at the end."""

from __future__ import annotations

import json
from collections import Counter

from services.executor import kinship, loading, queries, turn_rows
from services.executor.core.attempts import OWN_TURN
from services.executor.core.crowds import key_of
from services.executor.core.workflow import Workflow
from services.executor.eventing import waits
from services.executor.rows import Row
from tests.simulation.shell import Shell
from tests.simulation.views import all_views_agree
from tests.simulation.wider import WEBHOOK
from tests.simulation.workers import Workers

_SOMEBODY = ("HUMAN", "SUB_WORKFLOW", "WAIT_FOR_WEBHOOK", "EVENT")


def check(shell: Shell, workers: Workers) -> None:
    """After a commit, with all letters delivered."""
    _decided_once(shell)
    _everybody_heard(shell)
    _everything_waits_for_something(shell)
    _queues_are_as_their_rows(shell)
    _nobody_waits_in_vain(shell, workers)
    _nothing_is_kept_from_who_waits(shell)


def check_end(shell: Shell) -> None:
    """Nothing more can happen."""
    open_ = shell.db.execute("SELECT id, status FROM executions WHERE ended_at IS NULL").fetchall()
    assert not open_, f"never ended: {open_}"
    assert not shell.db.execute("SELECT * FROM timers").fetchall(), "timers of what has ended"
    assert not shell.db.execute("SELECT * FROM crowds").fetchall(), "slots of what has ended"
    all_views_agree(shell)


def _decided_once(shell: Shell) -> None:
    attempts = shell.db.execute("SELECT execution_id, ref, attempt FROM tasks").fetchall()
    twice = [each for each, number in Counter(attempts).items() if number > 1]
    assert not twice, f"decided twice: {twice}"


def _everybody_heard(shell: Shell) -> None:
    """What recovery would have to say is nothing: it was said."""
    unheard = kinship.unheard(shell.db)
    # One that was retried, and whose parent went on without it, goes its own way. Which came
    # first is known by the clock.
    astray = shell.clock.was_set_back
    unheard.orphans = [each for each in unheard.orphans if not (each.reopened or astray)]
    # Those that wait for others' executions hear of them only as long as they are known to wait.
    ended = {row[0] for row in shell.db.execute("SELECT id FROM executions WHERE ended_at > 0")}
    unheard.followed = [each for each in unheard.followed if each[0] in ended]
    assert unheard == kinship.Unheard(), f"unheard: {unheard}"
    held = queries.crowds(shell.db)
    for execution_id in queries.not_begun(shell.db):
        _waits_for_a_slot(shell, execution_id, held)


def _waits_for_a_slot(shell: Shell, execution_id: str, held: dict[bytes, int]) -> None:
    (loaded,) = loading.load(shell.db, [execution_id], shell.snapshots)
    assert isinstance(loaded, loading.Loaded)
    execution = loaded.execution
    limit = execution.workflow.rate_limit
    paused = execution.status.value == "PAUSED"
    full = limit is not None and held.get(key_of(execution), 0) >= limit.at_once
    assert full or paused, f"not begun: {execution_id}"


def _everything_waits_for_something(shell: Shell) -> None:
    """Each execution that has begun has an open task, and each open task what it waits for."""
    for execution_id, status in shell.db.execute(
        "SELECT id, status FROM executions WHERE ended_at IS NULL AND next_sequence > 1"
    ).fetchall():
        rows = shell.db.execute(
            "SELECT id, ref, kind, status, pending, open, timers, queue, worker_id, held "
            "FROM tasks WHERE execution_id = ? AND ended_at IS NULL",
            (execution_id,),
        ).fetchall()
        assert rows or status == "PAUSED", f"{execution_id} runs, and nothing of it is open"
        for task_id, ref, kind, stands, *waiting, queue, worker, held in rows:
            pending, open_, timers = waiting
            named = pending or open_ or timers != "[]" or kind in _SOMEBODY
            turn = queue and (stands == "SCHEDULED" or worker)
            paused = held and status == "PAUSED"
            assert named or turn or paused, f"{ref} ({kind} {stands} {task_id}) waits for nothing"


def _queues_are_as_their_rows(shell: Shell) -> None:
    """Who waits for a worker, and who has what, follows from the tasks' own rows."""
    sizes: Counter[str] = Counter()
    running: Counter[str] = Counter()
    for row in turn_rows.in_queues(shell.db):
        queue, status = row[3], row[4]
        if not queue.startswith(OWN_TURN):
            (running if status == "IN_PROGRESS" else sizes)[queue] += 1
    known = {each.queue: (each.size, each.running) for each in shell.queues.standings()}
    for queue in {*known, *sizes, *running}:
        stored = sizes[queue], running[queue]
        assert known.get(queue, (0, 0)) == stored, f"{queue}: {known.get(queue)} {stored}"


def _nobody_waits_in_vain(shell: Shell, workers: Workers) -> None:
    """Whoever waits for a turn finds no free hand, or no room within the limits."""
    rows = turn_rows.in_queues(shell.db)
    busy = Counter(_definition(row) for row in rows if row[4] == "IN_PROGRESS")
    idle = workers.idle()
    for row in rows:
        task_id, execution_id, _, queue, status, *_ = row
        name = _definition(row)
        if status == "IN_PROGRESS" or not (queue.startswith(OWN_TURN) or queue in idle):
            continue
        limits = _limits(shell, execution_id, name)
        full = limits is not None and bool(limits.at_once) and busy[name] >= limits.at_once
        in_time = limits is not None and bool(limits.rate) and bool(shell.clock.alarms)
        assert full or in_time, f"{task_id} of {name} waits in {queue} in vain"


def _nothing_is_kept_from_who_waits(shell: Shell) -> None:
    """What came before a task waited for it is the task's since it does."""
    kept = shell.db.execute("SELECT id, payload FROM event_messages WHERE kept_until IS NOT NULL")
    for message_id, payload in kept.fetchall():
        takers = waits.matching(shell.db, WEBHOOK, json.loads(payload), only_matched=True)
        assert not takers, f"{message_id} is kept from {takers}"


def _definition(row: Row) -> str:
    """Whose limits hold for it: its own, or those of what it was."""
    name, queue = str(row[2]), str(row[3])
    return queue.removeprefix(OWN_TURN) if queue.startswith(OWN_TURN) else name


def _limits(shell: Shell, execution_id: str, name: str):  # type: ignore[no-untyped-def]
    (loaded,) = loading.load(shell.db, [execution_id], shell.snapshots)
    assert isinstance(loaded, loading.Loaded)
    workflow: Workflow = loaded.execution.workflow
    policies = [step.policy for step in workflow.steps.values() if step.name == name]
    return next((each.limits for each in policies if each.limits is not None), None)

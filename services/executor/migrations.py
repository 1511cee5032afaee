"""The tables of ``executor.db``, in the order in which they came to be.

The first of them are in :mod:`first_migrations`. Times are microseconds since the epoch, documents
JSON text. What stores have been made by is never edited.
"""

from __future__ import annotations

from sqlite_utils import Database

from services.auditing import outbox
from services.executor import restored
from services.executor.first_migrations import migrations

__all__ = ["migrations"]


@migrations()
def m012_schedules(db: Database) -> None:
    """Up to when each schedule was done, as of which definition; and what its runs came to."""
    db.execute(
        """
        CREATE TABLE schedules (
            name TEXT PRIMARY KEY,
            etag TEXT NOT NULL,
            since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE schedule_runs (
            schedule TEXT NOT NULL,
            at INTEGER NOT NULL,
            executed_at INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            expression TEXT NOT NULL,
            reason TEXT NOT NULL,
            missed INTEGER NOT NULL,
            PRIMARY KEY (schedule, at)
        ) STRICT, WITHOUT ROWID
        """
    )


@migrations()
def m013_events(db: Database) -> None:
    """What was told to event handlers, and what each of their actions came to."""
    db.execute(
        """
        CREATE TABLE event_messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            event TEXT NOT NULL,
            payload TEXT NOT NULL,
            depth INTEGER NOT NULL,
            at INTEGER NOT NULL,
            done_at INTEGER
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE event_runs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            message_id TEXT NOT NULL,
            event TEXT NOT NULL,
            handler TEXT NOT NULL,
            action INTEGER NOT NULL,
            name TEXT NOT NULL,
            outcome TEXT NOT NULL,
            target TEXT NOT NULL,
            reason TEXT NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (message_id, handler, action)
        ) STRICT
        """
    )
    for index in (
        "event_messages_waiting ON event_messages (seq) WHERE done_at IS NULL",
        "event_messages_done ON event_messages (done_at) WHERE done_at IS NOT NULL",
        "event_runs_of_handler ON event_runs (handler, seq)",
        "event_runs_of_event ON event_runs (event, seq)",
        "event_runs_by_time ON event_runs (at)",
    ):
        db.execute(f"CREATE INDEX {index}")


@migrations()
def m014_parents(db: Database) -> None:
    """The children of an execution are found, whether they have ended or not."""
    db.execute(
        "CREATE INDEX executions_of_parent ON executions (parent_id, created_at, id) "
        "WHERE parent_id != ''"
    )


@migrations()
def m015_turns(db: Database) -> None:
    """Tasks that wait for workers, or for the limits of their definition: who, and what they log.

    The index holds those that wait or are at work, and no more: the queues are read from it.
    """
    db.execute("ALTER TABLE tasks ADD COLUMN queue TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE executions ADD COLUMN task_to_domain TEXT NOT NULL DEFAULT '{}'")
    db.execute(
        "CREATE INDEX tasks_in_queues ON tasks (queue) WHERE queue != '' AND ended_at IS NULL"
    )
    db.execute(
        """
        CREATE TABLE begun_tasks (
            name TEXT NOT NULL,
            at INTEGER NOT NULL,
            task_id TEXT NOT NULL,
            PRIMARY KEY (name, at, task_id)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE task_logs (
            execution_id TEXT NOT NULL,
            task_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            at INTEGER NOT NULL,
            line TEXT NOT NULL,
            PRIMARY KEY (execution_id, task_id, number)
        ) STRICT, WITHOUT ROWID
        """
    )


@migrations()
def m016_webhook_waits(db: Database) -> None:
    """Tasks that wait for a webhook are found by what they wait for."""
    db.execute(
        "CREATE INDEX tasks_waiting_for_webhooks ON tasks (json_extract(memory, '$.webhook'), "
        "json_extract(memory, '$.paths'), json_extract(memory, '$.digest')) "
        "WHERE kind = 'WAIT_FOR_WEBHOOK' AND ended_at IS NULL"
    )


@migrations()
def m017_crowds(db: Database) -> None:
    """Executions that hold a slot among those of their workflow."""
    db.execute(
        "CREATE TABLE crowds (execution_id TEXT PRIMARY KEY, key BLOB NOT NULL) "
        "STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE INDEX crowds_by_key ON crowds (key)")


@migrations()
def m018_kept_outputs(db: Database) -> None:
    """Outputs of tasks that are kept for others."""
    db.execute(
        "CREATE TABLE kept_outputs (key BLOB PRIMARY KEY, output TEXT NOT NULL, "
        "until INTEGER NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX kept_outputs_by_until ON kept_outputs (until)")


@migrations()
def m019_breakers(db: Database) -> None:
    """Circuit breakers that operators have set."""
    db.execute(
        "CREATE TABLE breakers (host TEXT PRIMARY KEY, mode TEXT NOT NULL, "
        "set_by TEXT NOT NULL, set_at INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )


@migrations()
def m020_early_deliveries(db: Database) -> None:
    """Deliveries of webhooks are kept for tasks that begin to wait later."""
    db.execute("ALTER TABLE event_messages ADD COLUMN kept_until INTEGER")
    db.execute(
        "CREATE INDEX event_messages_kept ON event_messages (seq) WHERE kept_until IS NOT NULL"
    )
    db.execute(
        "CREATE INDEX event_runs_given ON event_runs (seq) "
        "WHERE handler = '' AND outcome = 'UNDER_WAY'"
    )


@migrations()
def m021_masks(db: Database) -> None:
    """The keys that a snapshot masks, found without a look into it."""
    db.execute(
        "ALTER TABLE snapshots ADD COLUMN masked TEXT "
        "GENERATED ALWAYS AS (json_extract(document, '$.maskedFields')) VIRTUAL"
    )
    db.execute(
        "CREATE INDEX snapshots_that_mask ON snapshots (hash, masked) WHERE masked IS NOT NULL"
    )


@migrations()
def m022_tracestate(db: Database) -> None:
    """What others keep in the trace that an execution belongs to."""
    db.execute("ALTER TABLE executions ADD COLUMN tracestate TEXT NOT NULL DEFAULT ''")


@migrations()
def m023_restored(db: Database) -> None:
    """Executions that wait since the store was restored; an older one may have it from then."""
    db.execute(restored.TABLE)


@migrations()
def m024_audit_outbox(db: Database) -> None:
    """Entries of the audit log that the registry has not yet."""
    db.execute(outbox.TABLE)
    db.execute(outbox.INDEX)


@migrations()
def m025_open_of_workflows(db: Database) -> None:
    """How many executions of each workflow have not ended is counted without a look at any."""
    db.execute("DROP INDEX executions_running")
    db.execute(
        "CREATE INDEX executions_running ON executions (created_at, id, status, workflow, "
        # Else the rows are read for it, though it is always the same.
        "ended_at) WHERE ended_at IS NULL"
    )


@migrations()
def m026_retries_heard(db: Database) -> None:
    """By what word a parent's last retry is known to the execution that it was for."""
    db.execute(
        "CREATE TABLE retries_heard (execution_id TEXT PRIMARY KEY, word TEXT NOT NULL) "
        "STRICT, WITHOUT ROWID"
    )

"""The first tables of ``executor.db``: executions, tasks, timers, and whom to tell of an end.

Times are microseconds since the epoch, documents JSON text.
"""

from __future__ import annotations

from secrets import token_hex

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("executor")


@migrations()
def m001_executions(db: Database) -> None:
    """Executions, their attempts, the definitions that they run, and what they wait for.

    The partial indexes hold what a start of the executor has to look at, and no more: effects
    under way, executions that have not begun, those that run.
    """
    _executions(db)
    _tasks(db)
    _timers(db)


def _executions(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE executions (
            id TEXT PRIMARY KEY,
            workflow TEXT NOT NULL,
            version INTEGER NOT NULL,
            snapshot TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            ended_at INTEGER,
            last_retried_at INTEGER,
            reason TEXT NOT NULL,
            correlation_id TEXT NOT NULL,
            priority INTEGER NOT NULL,
            parent_id TEXT NOT NULL,
            parent_task_id TEXT NOT NULL,
            restarts INTEGER NOT NULL,
            next_sequence INTEGER NOT NULL,
            failed_refs TEXT NOT NULL,
            started_by TEXT NOT NULL,
            input TEXT NOT NULL,
            variables TEXT NOT NULL,
            output TEXT NOT NULL,
            fingerprint BLOB NOT NULL,
            answer TEXT NOT NULL,
            request_id TEXT NOT NULL,
            traceparent TEXT NOT NULL
        ) STRICT
        """
    )
    for index in (
        "executions_by_time ON executions (created_at, id)",
        "executions_of_workflow ON executions (workflow, created_at, id)",
        "executions_correlated ON executions (correlation_id, created_at, id)"
        " WHERE correlation_id != ''",
        "executions_running ON executions (created_at, id) WHERE ended_at IS NULL",
        "executions_not_begun ON executions (id) WHERE next_sequence = 1 AND ended_at IS NULL",
        "executions_ended ON executions (ended_at) WHERE ended_at IS NOT NULL",
    ):
        db.execute(f"CREATE INDEX {index}")


def _tasks(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE tasks (
            execution_id TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            id TEXT NOT NULL,
            ref TEXT NOT NULL,
            step TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            status TEXT NOT NULL,
            scheduled_at INTEGER NOT NULL,
            first_scheduled_at INTEGER,
            updated_at INTEGER NOT NULL,
            started_at INTEGER,
            ended_at INTEGER,
            attempt INTEGER NOT NULL,
            iteration INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            reason TEXT NOT NULL,
            poll_count INTEGER NOT NULL,
            pending INTEGER NOT NULL,
            callback_after INTEGER NOT NULL,
            next_at INTEGER,
            open INTEGER NOT NULL,
            retried_id TEXT NOT NULL,
            worker_id TEXT NOT NULL,
            parent TEXT NOT NULL,
            round INTEGER NOT NULL,
            performs INTEGER NOT NULL,
            timers TEXT NOT NULL,
            held INTEGER NOT NULL,
            input TEXT,
            output TEXT,
            memory TEXT,
            PRIMARY KEY (execution_id, sequence)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX tasks_pending ON tasks (execution_id) WHERE pending > 0")
    db.execute(
        "CREATE TABLE snapshots (hash TEXT PRIMARY KEY, document TEXT NOT NULL) "
        "STRICT, WITHOUT ROWID"
    )


def _timers(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE timers (
            execution_id TEXT NOT NULL,
            task_id TEXT NOT NULL,
            name TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (execution_id, task_id, name)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX timers_by_time ON timers (at)")


@migrations()
def m002_changes(db: Database) -> None:
    """What happened, for those who watch; AUTOINCREMENT never hands a revision out twice."""
    db.execute(
        """
        CREATE TABLE changes (
            revision INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            execution_id TEXT NOT NULL,
            workflow TEXT NOT NULL,
            state TEXT NOT NULL
        ) STRICT
        """
    )


@migrations()
def m003_meta(db: Database) -> None:
    """The store's epoch, and the key that signs callback URLs: made once, here."""
    db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    db.execute("INSERT INTO meta VALUES ('epoch', ?)", (token_hex(8),))
    db.execute("INSERT INTO meta VALUES ('callback_key', ?)", (token_hex(32),))


@migrations()
def m004_snapshots_in_use(db: Database) -> None:
    """Whether a snapshot is still used is asked while nothing else can be written."""
    db.execute("CREATE INDEX executions_of_snapshot ON executions (snapshot)")


@migrations()
def m005_open(db: Database) -> None:
    """How many ways lead through an execution; where one was retried there may be several."""
    db.execute("ALTER TABLE executions ADD COLUMN open INTEGER NOT NULL DEFAULT 0")
    db.execute(
        """
        UPDATE executions SET open = (
            SELECT count(*) FROM tasks
            WHERE execution_id = executions.id AND parent = ''
            AND (ended_at IS NULL OR open > 0 OR held)
        ) WHERE ended_at IS NULL
        """
    )


@migrations()
def m006_webhooks(db: Database) -> None:
    """Who is to be told of the end of an execution, and how that stands.

    The index holds all that is asked of what is due, and only what is still to be told.
    """
    db.execute(
        """
        CREATE TABLE webhooks (
            execution_id TEXT PRIMARY KEY,
            url TEXT NOT NULL,
            secret_name TEXT NOT NULL,
            location TEXT NOT NULL,
            with_output INTEGER NOT NULL,
            exposed INTEGER NOT NULL,
            receiver TEXT NOT NULL,
            delivery_id TEXT NOT NULL,
            body TEXT NOT NULL,
            status TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            last_status_code INTEGER NOT NULL,
            last_error TEXT NOT NULL,
            next_at INTEGER,
            delivered_at INTEGER
        ) STRICT
        """
    )
    db.execute(
        "CREATE INDEX webhooks_due ON webhooks (next_at, receiver, execution_id) "
        "WHERE next_at IS NOT NULL"
    )


@migrations()
def m007_idempotency_keys(db: Database) -> None:
    """Which execution a start's idempotency key belongs to.

    Whether it still does is seen by the execution; ``look_at`` is when it is looked up whether the
    row can go.
    """
    db.execute(
        """
        CREATE TABLE idempotency_keys (
            key BLOB PRIMARY KEY,
            execution_id TEXT NOT NULL,
            await_refs TEXT NOT NULL,
            look_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX idempotency_keys_to_look_at ON idempotency_keys (look_at)")


@migrations()
def m008_slots(db: Database) -> None:
    """The slot that an execution holds while it has not ended, by the key that is counted.

    The index is what a start of the executor counts.
    """
    db.execute("ALTER TABLE executions ADD COLUMN slot BLOB NOT NULL DEFAULT x''")
    db.execute(
        "CREATE INDEX executions_in_slots ON executions (slot) "
        "WHERE slot != x'' AND ended_at IS NULL"
    )


@migrations()
def m009_counted(db: Database) -> None:
    """How many executions stand at which status is counted without a look at any of them."""
    db.execute("DROP INDEX executions_running")
    db.execute("DROP INDEX executions_ended")
    for index in (
        "executions_running ON executions (created_at, id, status) WHERE ended_at IS NULL",
        "executions_ended ON executions (ended_at, status) WHERE ended_at IS NOT NULL",
    ):
        db.execute(f"CREATE INDEX {index}")


@migrations()
def m010_unwell(db: Database) -> None:
    """Those that ended badly are found without a look at the many that ended well."""
    db.execute(
        "CREATE INDEX executions_unwell ON executions (created_at, id, status) "
        "WHERE status IN ('FAILED', 'TIMED_OUT', 'TERMINATED')"
    )


@migrations()
def m011_kin(db: Database) -> None:
    """How deep an execution stands below others; who waits for whom is asked after a crash."""
    db.execute("ALTER TABLE executions ADD COLUMN depth INTEGER NOT NULL DEFAULT 0")
    db.execute(
        "CREATE INDEX executions_children ON executions (parent_id) "
        "WHERE parent_id != '' AND ended_at IS NULL"
    )
    db.execute(
        "CREATE INDEX tasks_waiting_for_children ON tasks (execution_id) "
        "WHERE kind = 'SUB_WORKFLOW' AND ended_at IS NULL"
    )

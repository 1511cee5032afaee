"""What is asked of parents and children at a start: it takes as long as there are many of them."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

from services.executor import kinship
from tests.executor.rig import executing, step, workflow

CHILD = workflow("child", step("n", "NOOP"))
PARENT = workflow("parent", {**step("s", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "child"}})


def copied(db: sqlite3.Connection, table: str, where: str, **changes: object) -> None:
    """Another row like the one there is, with ``changes``."""
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    row = db.execute(f"SELECT * FROM {table} WHERE {where}").fetchone()
    values = {**dict(zip(names, row, strict=True)), **changes}
    places = ", ".join("?" * len(values))
    names_ = ", ".join(values)
    db.execute(f"INSERT INTO {table} ({names_}) VALUES ({places})", [*values.values()])


def crowd(first: int, end: int, db: sqlite3.Connection) -> None:
    """Children of one parent: of each number one that runs, and one that has run again."""
    for number in range(first, end):
        for name, ended_at in (("runs", None), ("again", 1)):
            id_, place = f"{name} {number}", 1_000 + 2 * number + (ended_at or 0)
            copied(db, "tasks", "ref = 's'", id=f"task {id_}", ref=id_, sequence=place)
            copied(db, "executions", "workflow = 'child'", id=id_, ended_at=ended_at,
                   parent_task_id=f"task {id_}", restarts=1 if ended_at else 0)  # fmt: skip
        db.execute("INSERT INTO retries_heard VALUES (?, '')", (f"again {number}",))


def steps(db: sqlite3.Connection) -> tuple[int, int, int]:
    """How much SQLite does to answer, and how many orphans and other children it finds."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1

    db.set_progress_handler(count, 100)
    found = kinship.unheard(db)
    db.set_progress_handler(None, 0)
    return done, len(found.orphans), len(found.again)


async def test_twice_as_many_children_of_one_parent_take_twice_as_long(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [CHILD, PARENT]) as rig:
        await rig.run("parent")
        await rig.store.writer.chore(partial(crowd, 0, 300))
        few = await rig.store.readers.read(steps)
        await rig.store.writer.chore(partial(crowd, 300, 600))
        many = await rig.store.readers.read(steps)

    assert (few[1:], many[1:]) == ((300, 300), (600, 600))
    assert many[0] < 3 * few[0]

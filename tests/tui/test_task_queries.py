"""Queries that lists lead to find just what is meant, whatever it is called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.query import matcher, parse
from services.query.tasks import TASKS
from tui.views.task_queries import of_queue, of_worker

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = {name: (lambda row, name=name: row[name]) for name in ("status", "name", "kind", "worker")}


def finds(query: str, **row: Any) -> bool:
    keeps = matcher(parse(query, TASKS), TASKS, FIELDS, NOW)
    return keeps({"status": "SCHEDULED", "name": "", "kind": "", "worker": "", **row})


@pytest.mark.parametrize("name", ["charge", "a b", 'it\'s "1" & (2)', "eu*", "a,b", "NOT", "x:y=z"])
def test_a_name_is_taken_as_it_is(name: str) -> None:
    assert finds(of_queue(name), name=name, kind="SIMPLE")
    assert finds(of_queue(name), name="of another", kind=name)
    assert not finds(of_queue(name), name=f"{name}s", kind="SIMPLE")
    assert not finds(of_queue(name), name=name, status="COMPLETED")
    assert finds(of_queue(f"{name}@space-group"), name=name)
    assert finds(of_worker(name), worker=name)
    assert not finds(of_worker(name), worker=f"{name}s")

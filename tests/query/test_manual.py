"""What docs/query.md says can be written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from services.query import Vocabulary, parse
from services.query.executions import EXECUTIONS
from services.query.tasks import TASKS

MANUAL = (Path(__file__).parents[2] / "docs/query.md").read_text()


def test_the_examples_are_queries() -> None:
    lines = re.findall(r"^    podium executions (.+)$", MANUAL, re.MULTILINE)
    for line in lines:
        parse(" ".join(shlex.split(line)), EXECUTIONS)

    assert len(lines) >= 4


def test_the_examples_of_tasks_are_queries() -> None:
    lines = re.findall(r"^    podium tasks (.+)$", MANUAL, re.MULTILINE)
    for line in lines:
        parse(shlex.split(line)[0], TASKS)

    assert len(lines) >= 3


@pytest.mark.parametrize(("noun", "vocabulary"), [("executions", EXECUTIONS), ("tasks", TASKS)])
def test_every_field_is_told_with_its_other_names(noun: str, vocabulary: Vocabulary) -> None:
    _, _, table = MANUAL.partition(f"## Fields of {noun}")
    table, _, _ = table.partition("\n## ")
    for field in vocabulary.fields:
        for name in (field.name, *field.aliases):
            assert re.search(rf"`{name}[`.]", table), name


def test_the_values_of_documents_are_queries() -> None:
    rows = re.findall(r"^\| ((?:`(?:input|output)\..+?`[, ]*)+) \|", MANUAL, re.MULTILINE)
    for written in re.findall(r"`(.+?)`", " ".join(rows)):
        if not written.endswith("…"):
            parse(written, EXECUTIONS)

    assert len(rows) >= 7

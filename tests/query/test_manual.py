"""What docs/query.md says can be written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from services.query import parse
from services.query.executions import EXECUTIONS

MANUAL = (Path(__file__).parents[2] / "docs/query.md").read_text()


def test_the_examples_are_queries() -> None:
    lines = re.findall(r"^    podium executions (.+)$", MANUAL, re.MULTILINE)
    for line in lines:
        parse(" ".join(shlex.split(line)), EXECUTIONS)

    assert len(lines) >= 4


def test_every_field_is_told_with_its_other_names() -> None:
    _, _, table = MANUAL.partition("## Fields of executions")
    for field in EXECUTIONS.fields:
        for name in (field.name, *field.aliases):
            assert re.search(rf"`{name}[`.]", table), name


def test_the_values_of_documents_are_queries() -> None:
    rows = re.findall(r"^\| ((?:`(?:input|output)\..+?`[, ]*)+) \|", MANUAL, re.MULTILINE)
    for written in re.findall(r"`(.+?)`", " ".join(rows)):
        if not written.endswith("…"):
            parse(written, EXECUTIONS)

    assert len(rows) >= 7

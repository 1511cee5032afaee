"""Faults of the settings are told with their lines, in however long a file."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tui.settings import Known, parse
from tui.settings.files import MOST_BYTES
from tui.settings.lines import lines_of

NAMES = st.text(min_size=1, max_size=8)
VALUES = st.one_of(
    st.integers(), st.booleans(), st.text(max_size=12), st.lists(st.text(max_size=4), max_size=3)
)


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2", ("b",), 2),
        ("\n# b = 1\n[t]\nb = 2\n", ("t", "b"), 4),
        ("a.b.c = 1", ("a", "b"), 1),
        ('[a . \'b.c\']\n"d\\"" = 1', ("a", "b.c", 'd"'), 2),
        ("[[a]]\nb = 1\n[c]\n", ("c",), 3),
        ("a = '''\nb = 1\n'''\nb = 2", ("b",), 4),
        ('a = """\n\\"""\nb = 1"""\nb = 2', ("b",), 4),
        ("a = [\n  1, # ]\n  {b = 2},\n]\nb = 3", ("b",), 5),
        ("a = {b = {c = 1}, d.e = ']'}\r\nf = 2\r\n", ("a", "d", "e"), 1),
        ("a = {b = {c = 1}, d.e = ']'}\r\nf = 2\r\n", ("f",), 2),
        ("a = 1979-05-27T07:32:00.5Z\nb = -1.5e3", ("b",), 2),
    ],
)
def test_a_key_is_found_at_its_line(text: str, path: tuple[str, ...], line: int) -> None:
    tomllib.loads(text)

    assert lines_of(text)[path] == line


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=4))
def test_every_key_of_a_file_is_found(tables: dict[str, dict[str, Any]]) -> None:
    lines: list[str] = []
    wanted: dict[tuple[str, ...], int] = {}
    for name, table in tables.items():
        lines.append(f"[{_quoted(name)}]")
        wanted[(name,)] = len(lines)
        for key, value in table.items():
            lines.append(f"{_quoted(key)} = {_quoted(value)}")
            wanted[(name, key)] = len(lines)
    text = "\n".join(lines)

    assert tomllib.loads(text) == tables
    assert lines_of(text) == wanted


def test_a_fault_at_the_end_of_a_long_file_has_its_line() -> None:
    views = "".join(f'v{n} = "executions"\n' for n in range(10_000))
    text = f"[views]\n{views}last = 3\n"
    assert len(text) < MOST_BYTES

    (fault,) = parse(text, Known()).faults

    assert fault.line == 10_002


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

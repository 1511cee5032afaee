"""JSON that options give, itself or in a file."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from tui.cli.session import document_argument, object_argument


def test_it_is_what_was_written_or_what_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}', "utf-8")

    assert document_argument('[1, "ü"]') == '[1, "ü"]'
    assert object_argument(f"@{tmp_path / 'a.json'}") == '{"a": 1}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "This is no JSON: "),
        ("[" * 50_000 + "]" * 50_000, "nested too deep"),
        ("[1]", "This is no JSON object"),
        ("@there/is/none.json", "none.json cannot be read: No such file"),
    ],
)
def test_what_cannot_be_taken_is_told(text: str, told: str) -> None:
    with pytest.raises(click.BadParameter, match=told):
        object_argument(text)

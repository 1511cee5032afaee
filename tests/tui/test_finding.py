"""What commands make of the words that they are given."""

from __future__ import annotations

import click
import pytest

from services.query import parse
from services.query.executions import EXECUTIONS
from tui.cli.finding import checked


@pytest.mark.parametrize(
    ("query", "words", "same"),
    [
        ("", "", ""),
        ("status:failed", " ", "status:failed"),
        ("", "card decl*", "text:card text:decl*"),
        ("wf:a OR wf:b", "card", "(wf:a OR wf:b) text:card"),
        ("", 'say"s C:\\new', 'text:"say\\"s" text:"C:\\\\new"'),
    ],
)
def test_words_are_asked_for_beside_the_query(query: str, words: str, same: str) -> None:
    assert parse(checked(query, words, EXECUTIONS), EXECUTIONS) == parse(same, EXECUTIONS)


@pytest.mark.parametrize(("query", "words"), [("status:x", ""), ("", "--"), (")", "a")])
def test_what_cannot_be_asked_is_told(query: str, words: str) -> None:
    with pytest.raises(click.BadArgumentUsage):
        checked(query, words, EXECUTIONS)

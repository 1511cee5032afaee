"""What differs between two documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.tui.test_yaml_text import values
from tui.views.changes import ABSENT, Change, changes, diff, same, summary

ROUTE = {"path": "/", "timeoutInSeconds": 30}
documents = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": True}, ["a 1 → true"]),
        ({"a": None}, {}, ["a removed"]),
        ({}, {"a": [1]}, ["a added"]),
        ({"a b": {"c": "x"}}, {"a b": {"c": "y"}}, ['["a b"].c "x" → "y"']),
        ({"s": "x" * 99}, {"s": "y"}, ["s changed"]),
        (
            {"routes": [ROUTE, ROUTE]},
            {"routes": [ROUTE, {**ROUTE, "timeoutInSeconds": 5}]},
            ["routes[1].timeoutInSeconds 30 → 5"],
        ),
        ({"a": [1, 2, 3]}, {"a": [0, 1, 2, 3]}, ["a[0] added"]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, ["a[1] removed"]),
    ],
)
def test_each_difference_is_told_by_its_path(before: Any, after: Any, wanted: list[str]) -> None:
    assert [str(each) for each in changes(before, after)] == wanted


def test_no_value_commands_the_terminal_that_shows_it() -> None:
    found = changes({"a": "\x9b2J", "\x9b": 1}, {"a": "\x1b\u2028", "\x9b": 2})

    assert summary(found) == r'a "\u009b2J" → "\u001b\u2028"; ["\u009b"] 1 → 2'


def test_a_summary_names_three() -> None:
    found = [Change(name, ABSENT, 1) for name in "abcde"]

    assert summary(found) == "a added; b added; c added; and 2 more"
    assert summary(found[:1]) == "a added"
    assert summary([]) == ""


@given(documents, documents)
def test_there_is_a_change_where_documents_differ_and_only_there(before: Any, after: Any) -> None:
    assert bool(changes(before, after)) == (not same(before, after))


@given(documents, documents)
def test_a_diff_leads_from_one_to_the_other(before: Any, after: Any) -> None:
    lines = diff(before, after, ("a", "b"))[2:]

    removed = [line[1:] for line in lines if line.startswith("-")]
    added = [line[1:] for line in lines if line.startswith("+")]
    if same(before, after) and list(before) == list(after):
        assert removed == added
    elif not same(before, after):
        assert removed != added


def test_a_diff_is_read_as_those_of_others() -> None:
    assert diff({"a": 1, "b": 2}, {"a": 1, "b": 3}, ("now", "x.yaml:1")) == [
        "--- now",
        "+++ x.yaml:1",
        "@@ -1,2 +1,2 @@",
        " a: 1",
        "-b: 2",
        "+b: 3",
    ]
    assert diff(None, {"a": 1}, ("nothing", "x"))[3:] == ["+a: 1"]


def test_documents_that_have_nothing_in_common_are_compared_in_no_time() -> None:
    """Two texts of 3,000 lines, all different: difflib alone takes minutes."""
    one: Any = {"s": "\n".join(f"a{number % 7}" for number in range(3_000))}
    two: Any = {"s": "\n".join(f"b{number % 5}" for number in range(3_000))}

    lines = diff(one, two, ("a", "b"))

    assert lines[2:4] == ["@@ -1,3001 +1,3001 @@", " s: |-"]
    assert len(lines) == 4 + 6_000

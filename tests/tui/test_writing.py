"""Definitions as text: read, begun, and given another version."""

from __future__ import annotations

import pytest

from tui.views.editing import Language
from tui.views.writing import begun, has_comments, read, version_of, with_version, written

TEXT = """{ "name": "a", "inner": {"version": 7},
   "version":  1 , "tasks": [] }
"""


@pytest.mark.parametrize("language", ["json", "yaml"])
@pytest.mark.parametrize("kind", ["workflow", "schema", "task"])
def test_a_new_one_is_a_document_whose_name_is_where_the_cursor_is(
    kind: str, language: Language
) -> None:
    text, cursor = begun(kind, language)

    document = read(text[:cursor] + "typed" + text[cursor:], language).document
    assert document is not None
    assert (document["kind"], document["name"]) == (kind, "typed")


def test_another_version_leaves_the_rest_as_it_was_written() -> None:
    assert with_version(TEXT, "json", 2) == TEXT.replace('"version":  1', '"version":  2')
    yaml = "# mine\nname: a\nversion: 1  # the first\ntasks: []\n"
    assert with_version(yaml, "yaml", 12) == yaml.replace("version: 1 ", "version: 12 ")


@pytest.mark.parametrize(
    ("text", "language"),
    [('{"name": "a"}', "json"), ('{"x": {"version": 3}}', "json"), ("name: a\n", "yaml")],
)
def test_a_version_that_was_not_said_is_said(text: str, language: Language) -> None:
    document = read(with_version(text, language, 2), language).document

    assert document == {**(read(text, language).document or {}), "version": 2}


def test_what_is_no_one_document_says_why() -> None:
    assert read("{", "json").fault.startswith("line 1: ")
    assert "2 documents" in read("a: 1\n---\nb: 2\n", "yaml").fault
    assert read("[1]", "json").fault == "A definition is an object."
    assert read('{"a": 1, "a": 2}', "json").document is None


def test_big_numbers_and_the_order_of_keys_survive() -> None:
    document = read('{"b": 123456789012345678901234567890, "a": "ü"}', "json").document

    assert document is not None
    assert read(written(document, "yaml"), "yaml").document == document
    assert list(document) == ["b", "a"]


def test_comments_and_versions_are_known() -> None:
    assert has_comments("a: 1 # why\n", "yaml")
    assert not has_comments('{"a": "# no"}', "json")
    assert version_of({}) == 1
    assert version_of({"version": 4}) == 4
    assert version_of({"version": True}) == 1

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st

from tui.views.json_document import JsonDocument, JsonSearch, find
from tui.views.json_paths import Path
from tui.views.json_tree import MOST_UNFOLDED
from tui.views.lines import MOST_MATCHES

keys = st.text(st.sampled_from("abc"), min_size=1, max_size=2)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.text(st.sampled_from("abX"), max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=25,
)
DOCUMENT = {"a": {"b": [1, {"c": "deep"}], "d": 2}, "e": [[], {}, [3]], "f": "end"}


def shown(document: JsonDocument) -> list[str]:
    return [document.line(row).text.replace("▾ ", "  ")[2:] for row in range(len(document))]


@given(values)
def test_all_unfolded_is_the_document_as_json(value: Any) -> None:
    assert "\n".join(shown(JsonDocument(value))) == json.dumps(value, indent=2, ensure_ascii=False)


@given(values, st.data())
def test_folds_keep_rows_and_paths_in_step(value: Any, data: st.DataObject) -> None:
    document = JsonDocument(value)
    for _ in range(data.draw(st.integers(0, 6))):
        row = data.draw(st.integers(0, len(document) - 1))
        act = data.draw(st.sampled_from([document.toggle, document.toggle_siblings]))
        after = act(row)

        assert 0 <= after < len(document)
        for each in range(len(document)):
            first = document.index(document.path(each))
            assert first <= each
            assert document.row(first)[:2] == document.row(each)[:2]
            assert len(document.line(each).text) <= document.most_cells(each)


@given(values)
def test_folding_everything_twice_shows_everything(value: Any) -> None:
    document = JsonDocument(value)
    before = shown(document)
    document.fold_to(1)
    for row in range(len(document)):
        assert document.row(row).unfolded is None or row in (0, len(document) - 1)
    document.fold_to(99)

    assert shown(document) == before


@given(values)
def test_an_equal_document_is_folded_alike(value: Any) -> None:
    old = JsonDocument(value)
    for part in (2, 3):
        old.toggle(len(old) // part)
    new = JsonDocument(value)
    new.carry(old)

    assert shown(new) == shown(old)


def test_what_is_new_is_unfolded_and_what_was_folded_stays() -> None:
    old = JsonDocument({"a": {"x": 1}, "b": []})
    old.toggle(old.index(("a",)))
    new = JsonDocument({"new": {"z": {"y": 1}}, "a": {"x": 1, "y": 2}, "b": [{"c": 1}]})
    new.carry(old)

    text = "\n".join(shown(new))

    assert "▸ " in text
    assert '"a": { 2 keys }' in text
    assert '"y": 1' in text
    assert '"c": 1' in text


def test_a_row_says_where_it_is() -> None:
    document = JsonDocument(DOCUMENT)
    row = document.index(("a", "b", 1, "c"))

    assert document.line(row).text.strip() == '"c": "deep"'
    assert document.path(row) == ("a", "b", 1, "c")
    assert document.value_at(row + 1) == {"c": "deep"}


def test_a_path_in_a_fold_is_its_row_until_it_is_revealed() -> None:
    document = JsonDocument(DOCUMENT)
    document.toggle(document.index(("a",)))

    assert document.path(document.index(("a", "b", 1, "c"))) == ("a",)
    assert document.path(document.reveal(("a", "b", 1, "c"))) == ("a", "b", 1, "c")


def test_a_value_without_members_folds_what_it_is_in() -> None:
    document = JsonDocument(DOCUMENT)
    row = document.toggle(document.index(("a", "b", 0)))

    assert document.line(row).text.strip() == '▸ "b": [ 2 items ],'


def test_a_fold_says_how_much_is_in_it() -> None:
    document = JsonDocument({"one": [1], "many": dict.fromkeys(map(str, range(1234)), 0)})
    document.fold_to(1)

    assert [line.strip("▸ ") for line in shown(document)[1:3]] == [
        '"one": [ 1 item ],',
        '"many": { 1,234 keys }',
    ]


def test_a_long_text_says_how_much_more_there_is() -> None:
    line = JsonDocument(["x" * 1_206_332]).line(1).text

    assert line.endswith("… 1,204,332 more characters")
    assert len(line) < 2_100


def test_signs_may_be_plain() -> None:
    document = JsonDocument({"a": [1]}, ascii_only=True)
    document.toggle(1)

    assert [document.line(row).text for row in range(2)] == ["v {", '  > "a": [ 1 item ]']


def naive(value: Any, wanted: str, path: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        items: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return []
    found: list[Path] = []
    for key, item in items:
        text = "" if isinstance(item, (dict, list)) else item
        said = text if isinstance(text, str) else json.dumps(text)
        if wanted in said.lower() or (isinstance(key, str) and wanted in key):
            found.append((*path, key))
        found += naive(item, wanted, (*path, key))
    return found


@given(st.lists(values), st.sampled_from(["a", "x", "1", "null", "ab"]))
def test_a_search_finds_keys_and_values_in_their_order(value: Any, wanted: str) -> None:
    assert [match.path for match in find(value, wanted)] == naive(value, wanted)


@given(values, st.sampled_from(["a", "1", "b"]))
def test_going_on_visits_every_match_and_comes_back(value: Any, wanted: str) -> None:
    document = JsonDocument(value)
    document.fold_to(1)
    search = JsonSearch(document, wanted)
    row = 0
    seen: list[int] = []
    for _ in range(search.count):
        place = search.after(row) if seen else search.at(0)
        row = search.line(place)
        seen.append(place)

    assert seen == list(range(search.count))
    if search.count:
        assert search.after(row) == 0
        assert search.before(search.line(0)) == search.count - 1


def test_capitals_are_meant_and_small_letters_are_not() -> None:
    assert len(find({"Key": "KEY"}, "key")) == 1
    assert find({"key": 1}, "KEY") == []


def test_a_search_ends_at_so_many() -> None:
    assert len(find([[1]] * 2 * MOST_MATCHES, "1")) == MOST_MATCHES


def test_a_document_of_too_many_parts_shows_its_outer_levels() -> None:
    document = JsonDocument([[[1]], [[2]]] * MOST_UNFOLDED)
    opened = sum(document.row(row).unfolded is not None for row in range(1, len(document), 997))

    assert opened > 0
    assert len(document) < 5 * MOST_UNFOLDED
    row = document.reveal((99_999, 0, 0))
    assert document.path(row) == (99_999, 0, 0)


def test_nesting_has_no_limit_of_its_own() -> None:
    value: Any = 1
    for _ in range(3000):
        value = [value]
    document = JsonDocument(value)

    assert len(document) == 6001
    assert document.path(3000) == (0,) * 3000
    assert find(value, "1")[0].path == (0,) * 3000

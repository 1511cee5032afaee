"""JSONPath: what it finds, what it refuses, what it costs."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from services.executor.core.jsonpath import MAX_VISITS, BadPath, TooCostly, Visits, find, parse
from services.executor.core.model import Json

STORE: Json = {
    "store": {
        "book": [
            {"title": "Sayings", "price": 8.95, "kind": "reference", "isbn": None},
            {"title": "Sword", "price": 12.99, "kind": "fiction", "tags": ["a", "b"]},
            {"title": "Moby", "price": 8, "kind": "fiction", "isbn": "0-553"},
        ],
        "bicycle": {"color": "red", "price": 19.95},
    },
    "a b": {"c.d": 1, "it's": 2},
    "numbers": [3, 1, 2, True, "x"],
    "pairs": [
        {"at": 0, "one": [1, {"a": [None]}], "other": [1.0, {"a": [None]}]},
        {"at": 1, "one": [1], "other": [True]},
        {"at": 2, "one": {"a": 1}, "other": {"b": 1}},
        {"at": 3, "one": {"a": 1, "b": []}, "other": {"b": [], "a": 1}},
        {"at": 4, "one": [1, 2], "other": [1]},
        {"at": 5, "one": [], "other": {}},
    ],
    "big": 123456789012345678901234567890,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", STORE),
        ("$.big", 123456789012345678901234567890),
        ("store.bicycle.color", "red"),
        ("$.store.book[0].title", "Sayings"),
        ("store.book[-1].title", "Moby"),
        ("store.book[3]", None),
        ("store.book[99999999999999999999999]", None),
        ("store.book.title", None),
        ("store.none.at.all", None),
        ("['a b']['c.d']", 1),
        ('["a b"]["it\'s"]', 2),
        ("['a b']['it\\'s']", 2),
        ("$['a b']['c.d','it\\'s','no']", [1, 2]),
        ("store.book[*].price", [8.95, 12.99, 8]),
        ("store.bicycle.*", ["red", 19.95]),
        ("store.book[0,2].title", ["Sayings", "Moby"]),
        ("store.book[0:2].title", ["Sayings", "Sword"]),
        ("store.book[-2:].title", ["Sword", "Moby"]),
        ("store.book[::2].title", ["Sayings", "Moby"]),
        ("$..price", [8.95, 12.99, 8, 19.95]),
        ("$..book[1].title", ["Sword"]),
        ("$..tags[0]", ["a"]),
        ("$..numbers[0]", [3]),
        ("store.book[?(@.price > 8.5)].title", ["Sayings", "Sword"]),
        ("store.book[?(@.price>1 && @.kind=='fiction')].title", ["Sword", "Moby"]),
        ("store.book[?(@.price>10 || @['kind'] == \"reference\")].title", ["Sayings", "Sword"]),
        ("store.book[?(@.isbn)].title", ["Sayings", "Moby"]),
        ("store.book[?(!@.isbn)].title", ["Sword"]),
        ("store.book[?(@.isbn == null)].title", ["Sayings"]),
        ("store.book[?(!(@.price < 10))].title", ["Sword"]),
        ("store.book[?(@.tags[1] == 'b')].title", ["Sword"]),
        ("store.book[?(@.kind in ['fiction', 'x'])].title", ["Sword", "Moby"]),
        ("store.book[?(@.kind nin ['fiction'])].title", ["Sayings"]),
        ("store.book[?(@.title != 'Moby')].price", [8.95, 12.99]),
        ("store.book[?(@.price in [8, 'x', null])].title", ["Moby"]),
        ("store.book[?(@.tags in ['a'])]", []),
        ("store.book[?(@.tags nin ['a'])].price", [8.95, 12.99, 8]),
        ("store.book[?(@.none in [null])]", []),
        ("store.book[?('a' in @.tags)].title", ["Sword"]),
        ("store.book[?(@.tags == @.tags)].title", ["Sayings", "Sword", "Moby"]),
        ("store.book[?(@.tags != @.kind)].title", ["Sayings", "Sword", "Moby"]),
        ("store.book[?(@.kind > 3)]", []),
        ("numbers[?(@ == 1)]", [1]),
        ("numbers[?(@ >= 2)]", [3, 2]),
        ("numbers[?(@ == true)]", [True]),
        ("numbers[?(@ in [1.0, 'x'])]", [1, "x"]),
        ("numbers[?(@ in [true])]", [True]),
        ("pairs[?(@.one == @.other)].at", [0, 3]),
        ("store.bicycle[?(@.color == 'red')].price", [19.95]),
        ("nothing[*]", []),
        ("nothing[?(@.x)]", []),
        ("store.book.length()", 3),
        ("$..price.length()", 4),
        ("store.bicycle.keys()", ["color", "price"]),
        ("store.bicycle.color.length()", 3),
        ("numbers.min()", 1), ("numbers.max()", 3), ("numbers.sum()", 6), ("numbers.avg()", 2),
        ("numbers.first()", 3), ("numbers.last()", "x"), ("big.length()", None),
        ("nothing.max()", None), ("nothing.keys()", None), ("nothing.avg()", None),
    ],
)  # fmt: skip
def test_a_path_finds(path: str, found: Json) -> None:
    assert find(parse(path), STORE) == found


@pytest.mark.parametrize(
    "path",
    [
        "a..", "a.", "a[", "a[1", "a['b]", "a[x]", "a[1:2:3:4]", "a[::0]", "a]b",
        "a[?(@.x =~ /y/)]",
        "a[?@.x]", "a[?(@.x ==)]", "a[?(@.x == 'y)]", "a[?()]", "a.evil()", "a.length().b",
        "a['b' 'c']", "a[?(@.x in [[1]])]", "a[?(@.x == 1 2)]", "x" * 5000,
        f"a[?({'(' * 60}@.x{')' * 60})]", f"a[?({'!' * 60}@.x)]",
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(path)


def test_work_is_bounded() -> None:
    wide: Json = [[0] * 400 for _ in range(400)]
    with pytest.raises(TooCostly):
        find(parse("$..[*]..[*]"), wide)


def spent(path: str, value: Json) -> int:
    visits = Visits()
    find(parse(path), value, visits=visits)
    return MAX_VISITS - visits.left


@given(st.integers(1, 60), st.integers(0, 20))
def test_a_filter_costs_its_terms_for_each_item(terms: int, items: int) -> None:
    doc: Json = {"n": [1] * items}

    assert spent(f"n[?({' || '.join(['@ == 2'] * terms)})]", doc) == terms * items
    assert spent(f"n[?(@{'.a' * terms} == 2)]", doc) == terms * items
    assert spent(f"n[?(@ in [{','.join(['2'] * terms)}])]", doc) == items


@given(st.integers(0, 60))
def test_a_comparison_costs_what_it_looks_through(length: int) -> None:
    doc: Json = {"n": [{"a": [[1] * length], "b": [[1] * length], "o": dict.fromkeys("xyz", 1)}]}

    assert spent("n[?(@.a == @.b)]", doc) == 1 + 1 + length
    assert spent("n[?(@.o == @.o)]", doc) == 1 + 3
    assert spent("n[?(2 in @.a)]", doc) == 1 + 1


def test_a_long_filter_on_many_items_is_too_costly() -> None:
    filter_ = " || ".join(["@==2"] * 400)
    with pytest.raises(TooCostly):
        find(parse(f"n[?({filter_})]"), {"n": [1] * 1300})


def test_depth_is_no_matter() -> None:
    deep: Json = 1
    for _ in range(20_000):
        deep = [deep]

    assert find(parse("$..none"), deep) == []


def test_a_bad_path_is_a_value_error() -> None:
    assert issubclass(BadPath, ValueError)

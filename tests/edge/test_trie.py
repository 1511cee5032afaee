"""Paths: split before they are decoded, matched as a plain comparison of every template would."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from services.edge.trie import (
    BadPath,
    Elsewhere,
    Found,
    Trie,
    is_parameter,
    path_segments,
    template_segments,
)  # fmt: skip


def trie(*templates: str) -> Trie[str]:
    made: Trie[str] = Trie()
    for template in templates:
        method, _, path = template.partition(" ")
        made.add(method, path, template)
    return made


def found(made: Trie[str], request: str) -> object:
    method, _, path = request.partition(" ")
    match made.find(method, path_segments(path.encode())):
        case Found(value=value, parameters=parameters):
            return (value, *parameters)
        case Elsewhere(methods=methods):
            return sorted(methods)
    return None


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /orders", ("GET /orders",)),
        ("GET /orders/", ("GET /orders",)),
        ("GET /orders/7", ("GET /orders/{id}", "7")),
        ("GET /orders/new", ("GET /orders/new",)),
        ("GET /orders/new/lines", ("GET /orders/{id}/lines", "new")),
        ("GET /", None),
        ("GET /orders//", None),
        ("GET //orders", None),
        ("GET /orders/7/lines/8", None),
        ("POST /orders", ["GET"]),
        ("GET /Orders", None),
        ("GET /orders/.", None),
        ("GET /orders/%2E%2E", None),
    ],
)
def test_a_literal_comes_before_a_parameter_and_gives_way_where_it_leads_nowhere(
    request_line: str, expected: object
) -> None:
    made = trie("GET /orders", "GET /orders/{id}", "GET /orders/new", "GET /orders/{id}/lines")

    assert found(made, request_line) == expected


def test_a_literal_of_another_method_gives_way_to_a_parameter() -> None:
    made = trie("GET /orders/new", "POST /orders/{id}")

    assert found(made, "POST /orders/new") == ("POST /orders/{id}", "new")
    assert found(made, "PUT /orders/new") == ["GET", "POST"]


def test_the_root_is_a_path_too() -> None:
    assert found(trie("GET /"), "GET /") == ("GET /",)


@pytest.mark.parametrize(
    ("raw", "segments"),
    [
        (b"/a%2Fb/c", ("a/b", "c")),
        (b"/caf%C3%A9", ("café",)),
        (b"/%e2%82%ac/", ("€",)),
        (b"/a+b/c%20d", ("a+b", "c d")),
        (b"/%2525", ("%25",)),
        (b"/", ()),
        (b"/a//b", ("a", "", "b")),
    ],
)
def test_a_path_is_split_first_and_decoded_then(raw: bytes, segments: tuple[str, ...]) -> None:
    assert path_segments(raw) == segments


@pytest.mark.parametrize(
    "raw", [b"/%", b"/%2", b"/a%zz", b"/%2/%F", b"/%ff", b"/%00", b"/%C3", b"*", b"", b"/\xc3\xa9"]
)
def test_a_path_that_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(BadPath):
        path_segments(raw)


segment = st.sampled_from(["a", "b", "c", "{x}", "{y}"])
templates = st.lists(
    st.tuples(st.sampled_from(["GET", "POST"]), st.lists(segment, max_size=4)), max_size=12
)
requests = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=4)


@given(templates, st.sampled_from(["GET", "POST"]), requests)
def test_the_trie_finds_what_a_comparison_with_every_template_finds(
    given_templates: list[tuple[str, list[str]]], method: str, path: list[str]
) -> None:
    # As in the registry, two templates that differ in parameter names only cannot both be.
    erased = {
        (m, tuple("{}" if is_parameter(s) else s for s in parts)): (m, "/" + "/".join(parts))
        for m, parts in given_templates
    }
    made: Trie[tuple[str, str]] = Trie()
    for each in erased.values():
        made.add(*each, each)

    got = made.find(method, tuple(path))

    fitting = [each for each in erased.values() if fits(each[1], path)]
    mine = [each for each in fitting if each[0] == method]
    if mine:
        best = min(mine, key=lambda each: [is_parameter(s) for s in template_segments(each[1])])
        values = zip(template_segments(best[1]), path, strict=True)
        assert got == Found(best, tuple(v for s, v in values if is_parameter(s)))
    elif fitting:
        assert isinstance(got, Elsewhere)
        assert got.methods == {m for m, _ in fitting}
    else:
        assert got is None


def fits(template: str, path: list[str]) -> bool:
    parts = template_segments(template)
    return len(parts) == len(path) and all(
        is_parameter(part) or part == given for part, given in zip(parts, path, strict=True)
    )


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((), True),
        (("api",), True),
        (("api", "orders"), True),
        (("api", "any"), True),
        (("api", "orders", "7"), True),
        (("api", "any", "7"), False),
        (("orders",), False),
    ],
)
def test_it_is_known_how_paths_begin(segments: tuple[str, ...], expected: bool) -> None:
    assert trie("GET /api/orders/{id}", "POST /api/{name}").begins(segments) is expected

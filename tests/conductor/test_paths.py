"""Paths of the management listener: each leads to its own page, whatever stands beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import pytest

from services.edge.management.page import Page
from services.edge.management.pages import PAGES
from services.edge.trie import Found, Trie, is_parameter, template_segments
from services.unserved import UNSERVED_PAGES

_PARAMETER = re.compile(r"\{\w+\}")
PATHS = [(method, path) for method, path, _ in PAGES]


def as_found(method: str, path: str) -> str:
    """What tells a path from others: not how its parameters are called, nor a slash at its end."""
    return f"{method} {_PARAMETER.sub('{}', path).rstrip('/')}"


@pytest.fixture(scope="module")
def found_by_path() -> Trie[tuple[str, Page]]:
    pages: Trie[tuple[str, Page]] = Trie()
    for method, path, page in PAGES:
        pages.add(method, path, (path, page))
    return pages


def test_no_page_takes_the_place_of_another() -> None:
    twice = [place for place, count in Counter(as_found(*each) for each in PATHS).items()
             if count > 1]  # fmt: skip
    assert twice == []


def test_nothing_is_served_that_is_said_not_to_be() -> None:
    refused = {as_found(method, path) for method, path, _ in UNSERVED_PAGES}
    paths = Counter(as_found(*each) for each in PATHS)
    assert {place: paths[place] for place in refused if paths[place] != 1} == {}


def test_each_path_leads_to_its_own_page(found_by_path: Trie[tuple[str, Page]]) -> None:
    for method, path in PATHS:
        segments = template_segments(path)
        asked = tuple("any-zq" if is_parameter(each) else each for each in segments)
        found = found_by_path.find(method, asked)
        assert isinstance(found, Found), (method, path)
        assert found.value[0] == path


def test_literal_paths_win_over_parameters(found_by_path: Trie[tuple[str, Page]]) -> None:
    """Where one path has a word at a place where another has a parameter, the word is taken."""
    contested = 0
    for method, path, beside in _side_by_side():
        asked = tuple(map(_word, path, beside))
        found = found_by_path.find(method, asked)
        assert isinstance(found, Found)
        won = _literals(template_segments(found.value[0]))
        assert won >= max(_literals(path), _literals(beside)), (path, beside)
        contested += 1
    assert contested > 20


def _side_by_side() -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Method and segments of each two paths that both fit some request."""
    places = [(method, template_segments(path)) for method, path in PATHS]
    for (method, path), (other, beside) in combinations(places, 2):
        if method == other and len(path) == len(beside) and all(map(_fit, path, beside)):
            yield method, path, beside


def _fit(here: str, there: str) -> bool:
    return here == there or is_parameter(here) or is_parameter(there)


def _word(here: str, there: str) -> str:
    """What a request has there that has every word of both."""
    return next((each for each in (here, there) if not is_parameter(each)), "any-zq")


def _literals(segments: tuple[str, ...]) -> tuple[bool, ...]:
    """Where the words are; the first that differs decides."""
    return tuple(not is_parameter(each) for each in segments)

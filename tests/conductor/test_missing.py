from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from services.edge.management.conductor.missing import below
from services.edge.management.pages import PAGES
from services.edge.trie import Found, Trie, template_segments
from services.unserved import UNSERVED, UNSERVED_BELOW, UNSERVED_PAGES
from tests.conductor.rows import Row, exchanged

_SENTENCES = (*UNSERVED, *UNSERVED_BELOW.values())
_CALL = re.compile(r"""call_api\(\s*['"]([^'"]+)['"],\s*['"](\w+)['"]""")


@pytest.mark.parametrize(
    ("method", "path", "instead"), UNSERVED_PAGES, ids=[f"{m} {p}" for m, p, _ in UNSERVED_PAGES]
)
async def test_what_there_is_not_says_what_there_is(
    api: httpx.AsyncClient, method: str, path: str, instead: str
) -> None:
    asked = re.sub(r"\{\w+\}", "x", path)
    answer = {
        "type": "urn:podium:problem:not-implemented", "status": 501, "message": instead,
        "instance": asked, "retryable": False,
    }  # fmt: skip
    await exchanged(api, Row(f"{method} {path}", "", asked, 501, answer=answer), {})


@pytest.mark.parametrize(("path", "instead"), UNSERVED_BELOW.items(), ids=UNSERVED_BELOW)
async def test_so_does_whatever_is_below(api: httpx.AsyncClient, path: str, instead: str) -> None:
    answer = {"status": 501, "message": instead, "retryable": False}
    for method, asked in (("GET", path), ("POST", f"{path}/x"), ("DELETE", f"{path}/x/y/z/")):
        row = Row(f"{method} {path}", "", asked, 501, answer={**answer, "instance": asked})
        await exchanged(api, row, {})


async def test_what_only_begins_alike_is_not_there(api: httpx.AsyncClient) -> None:
    await exchanged(api, Row("GET /api/promptsy", "", "/api/promptsy", 404), {})


def test_every_path_of_conductors_python_client_is_answered_by_name() -> None:
    found_by_path: Trie[str] = Trie()
    for method, path, _ in PAGES:
        found_by_path.add(method, path, path)
    called = set(_called())
    unknown = {
        (method, path)
        for method, path in called
        if not isinstance(found_by_path.find(method, template_segments(path)), Found)
        and below(template_segments(path)) is None
    }
    assert (len(called) > 200, unknown) == (True, set())


def _called() -> Iterator[tuple[str, str]]:
    """Method and path of each call that is written out in the client's own classes."""
    package = find_spec("conductor.client")
    assert package is not None
    for folder in package.submodule_search_locations or ():
        for file in Path(folder).rglob("*.py"):
            for path, method in _CALL.findall(file.read_text()):
                yield method, f"/api/{path.lstrip('/')}"


async def test_a_stranger_is_not_told(api: httpx.AsyncClient) -> None:
    stranger = {"x-authorization": "no token"}
    for path in ("/api/users", "/api/prompts"):
        answer = await api.get(path, headers=stranger)
        assert (answer.status_code, answer.json()["error"]) == (401, "INVALID_TOKEN")


def test_each_says_a_way_out_in_a_sentence_or_two() -> None:
    assert all(len(instead) <= 200 and instead.endswith(".") for instead in _SENTENCES)
    assert len({(method, path) for method, path, _ in UNSERVED_PAGES}) == len(UNSERVED_PAGES)

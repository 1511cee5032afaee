from __future__ import annotations

import re

import httpx
import pytest

from services.unserved import UNSERVED, UNSERVED_PAGES
from tests.conductor.rows import Row, exchanged


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


async def test_a_stranger_is_not_told(api: httpx.AsyncClient) -> None:
    stranger = {"x-authorization": "no token"}
    answer = await api.get("/api/users", headers=stranger)
    assert (answer.status_code, answer.json()["error"]) == (401, "INVALID_TOKEN")


def test_each_says_a_way_out_in_a_sentence_or_two() -> None:
    assert all(len(instead) <= 200 and instead.endswith(".") for instead in UNSERVED)
    assert len({(method, path) for method, path, _ in UNSERVED_PAGES}) == len(UNSERVED_PAGES)

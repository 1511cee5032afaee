"""The page of a service: who may open it, what a browser may do with it, and its files."""

from __future__ import annotations

import base64
import gzip
import re

import httpx
import pytest

from services.edge.docs.assets import takes_gzip
from services.edge.docs.page import page
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, Json, put, route, service

NOBODY = {"x-api-key": ""}


def shop(**fields: object) -> Json:
    return service(route("GET", "/{id}"), id="shop", path="/shop", name="The shop", **fields)


async def opened(edge: Edge) -> httpx.Response:
    answer = await edge.client.get("/shop/docs", headers=NOBODY)
    assert answer.status_code == 200, answer.text
    return answer


def files_of(answer: httpx.Response) -> list[str]:
    return re.findall(r'(?:src|href)="(/-/docs/[^"]+)"', answer.text)


async def test_the_page_names_its_document_and_runs_nothing_of_its_own(edge: Edge) -> None:
    put(edge.replica, shop())

    answer = await opened(edge)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'data-document="/shop/openapi"' in answer.text
    assert "<title>The shop</title>" in answer.text
    policy = answer.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any("unsafe" in each for each in policy)
    assert not re.search(r"<script>|<style|\son\w+=", answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_all_that_it_needs_is_the_gateways_own(edge: Edge) -> None:
    put(edge.replica, shop())
    answer = await opened(edge)

    addresses = re.findall(r'(?:src|href|data-document)="([^"]+)"', answer.text)
    files = {path: await edge.client.get(path, headers=NOBODY) for path in files_of(answer)}

    assert all(address.startswith("/") for address in addresses)
    assert len(files) == 5
    assert all(file.status_code == 200 and file.content for file in files.values())
    types = {path.rpartition(".")[2]: file.headers["content-type"] for path, file in files.items()}
    assert types == {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "png": "image/png",
    }
    for file in files.values():
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["x-content-type-options"] == "nosniff"


async def test_files_are_sent_compressed_to_whom_takes_it(edge: Edge) -> None:
    put(edge.replica, shop())
    bundle = next(each for each in files_of(await opened(edge)) if "bundle" in each)

    async def raw(coding: str) -> tuple[httpx.Response, bytes]:
        async with edge.client.stream("GET", bundle, headers={"accept-encoding": coding}) as sent:
            return sent, b"".join([chunk async for chunk in sent.aiter_raw()])

    zipped, small = await raw("br, gzip")
    plain, large = await raw("identity")

    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert len(small) < len(large) / 3
    assert gzip.decompress(small) == large
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert zipped.headers["vary"] == "Accept-Encoding"
    held = {"if-none-match": zipped.headers["etag"], "accept-encoding": "gzip"}
    assert (await edge.client.get(bundle, headers=held)).status_code == 304


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        (b"gzip", True),
        (b"br;q=1.0, GZIP ; q=0.5", True),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000", False),
        (b"br", False),
        (b"", False),
        (b"nogzip", False),
    ],
)
def test_a_coding_of_no_weight_is_not_taken(accepted: bytes, taken: bool) -> None:
    assert takes_gzip(accepted) is taken


@pytest.mark.parametrize(
    "name", ["index.html", "swagger-ui.js", "page.py", "..%2Fassets.py", "../page.py", "%2e%2e"]
)
async def test_no_other_file_is_there(edge: Edge, name: str) -> None:
    put(edge.replica, shop())
    folder = files_of(await opened(edge))[0].rpartition("/")[0]

    # The client would resolve dots itself.
    target = httpx.URL(f"http://{edge.address}").copy_with(raw_path=f"{folder}/{name}".encode())
    assert (await edge.client.get(target)).status_code == 404


async def test_files_of_another_version_are_not_there(edge: Edge) -> None:
    assert (await edge.client.get("/-/docs/5.0.0/initializer.js")).status_code == 404


async def test_it_is_there_to_be_read(edge: Edge) -> None:
    put(edge.replica, shop())

    async def statuses(path: str) -> list[int]:
        methods = ("GET", "HEAD", "OPTIONS", "POST")
        answers = [await edge.client.request(each, path, headers=NOBODY) for each in methods]
        return [answer.status_code for answer in answers]

    head = await edge.client.head("/shop/docs")

    assert await statuses("/shop/docs") == [200, 200, 204, 405]
    assert await statuses("/shop/docs/") == [200, 200, 204, 405]
    for nowhere in ("/nowhere/docs", "/sh%20op/docs", "/sh%C3%B6p/docs", "/shop%2Fdocs", "/docs"):
        assert await statuses(nowhere) == [404, 404, 404, 404], nowhere
    assert int(head.headers["content-length"]) > 0
    assert head.content == b""


async def test_a_browser_that_has_it_is_not_sent_it_again(edge: Edge) -> None:
    put(edge.replica, shop())
    tag = (await opened(edge)).headers["etag"]

    again = await edge.client.get("/shop/docs", headers={"if-none-match": tag})
    put(edge.replica, {**shop(), "name": "The other shop"})
    changed = await edge.client.get("/shop/docs", headers={"if-none-match": tag})

    assert again.status_code == 304
    assert changed.status_code == 200


async def test_a_browser_asks_for_the_key_where_the_service_keeps_it(edge: Edge) -> None:
    put(edge.replica, shop(docsPublic=False))

    def basic(user: str, password: str) -> dict[str, str]:
        proof = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"authorization": f"Basic {proof}", **NOBODY}

    for path in ("/shop/docs", "/shop/openapi"):
        without = await edge.client.get(path, headers=NOBODY)
        challenges = without.headers.get_list("www-authenticate")
        assert without.status_code == 401
        assert challenges == ['Bearer realm="shop"', 'Basic realm="shop", charset="UTF-8"']
        for headers in (basic("me", KEY), basic(KEY, ""), {"x-api-key": KEY}):
            assert (await edge.client.get(path, headers=headers)).status_code == 200
        assert (await edge.client.get(path, headers=basic("me", "wrong"))).status_code == 401


def test_what_a_service_is_called_is_text_and_nothing_more() -> None:
    title = "</title><script>alert(1)</script>\"'&"

    html = page(title, '/x"><script>/openapi', "/-/docs/1").decode()

    assert "<script>" not in html
    assert "&lt;/title&gt;&lt;script&gt;alert(1)" in html

"""The page of a service in a real browser: it shows, it calls, and it runs nothing of others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.system.conftest import expose, needs
from tests.system.running import Suite

# A browser has to start, and a machine that does much else takes its time.
pytestmark = pytest.mark.timeout(90)
PATIENCE_MS = 20_000
WATCH = "addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))"
MARKS = (
    "<script>window.ran=1</script><img src=x onerror='window.ran=2'><svg onload='window.ran=3'>"
    "<iframe src='https://elsewhere.example/'></iframe>![](https://elsewhere.example/x.png)"
    "[link](javascript:window.ran=4)"
)

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    needs("chromium")
    # Chromium keeps root out of its sandbox.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=PATIENCE_MS * 2
        )
        yield browser
        browser.close()


@contextmanager
def page_of(browser: Browser, complaints: list[str], **options: Any) -> Iterator[Page]:
    """A page; what it complains of, and every request to another host, is put down."""

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def asked(request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            complaints.append(request.url)

    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        yield page


def rated(suite: Suite, service_id: str, **fields: Any) -> None:
    """A service that answers with the stars that it is given, and the name of whom it is about."""
    task = {"name": "x", "taskReferenceName": "x", "type": "INLINE"}
    inputs = {"evaluatorType": "javascript", "expression": "$.of + ': ' + $.stars"}
    told = {key: f"${{workflow.input.{key}}}" for key in ("of", "stars")}
    schema = {
        "type": "object",
        "properties": {"stars": {"$ref": "#/definitions/stars"}},
        "required": ["stars"],
        "definitions": {"stars": {"type": "integer", "minimum": 1, "examples": [4]}},
    }
    route = {"path": "/{of}/rate", "description": "Rate it", "inputSchema": schema}
    output = {"outputParameters": {"said": "${x.output.result}"}}
    documents = expose(
        service_id, {**task, "inputParameters": inputs | told}, workflow=output, route=route
    )
    documents[-1] |= fields
    suite.apply(*documents)


def operations(page: Page) -> list[str]:
    page.locator(".opblock").first.wait_for()
    return page.locator(".opblock-summary-path").all_inner_texts()


def test_a_call_is_tried_from_the_page(suite: Suite, browser: Browser) -> None:
    rated(suite, "page-open")
    complaints: list[str] = []

    with page_of(browser, complaints) as page:
        page.goto(f"{suite.gateway}/page-open/docs")
        # swagger-ui lets paths break after a slash.
        assert "/page-open/{of}/rate" in [each.replace("\u200b", "") for each in operations(page)]
        page.get_by_role("button", name="Authorize").first.click()
        page.locator(".auth-container input").first.fill(suite.keys["page-open"])
        page.locator(".auth-container button.authorize").first.click()
        page.locator(".auth-container button.btn-done").first.click()
        page.get_by_text("Rate it").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_placeholder("of", exact=True).fill("pears")
        page.locator("textarea.body-param__text").fill('{"stars": 4}')
        page.get_by_role("button", name="Execute").click()
        answer = page.locator(".live-responses-table .response").first
        expect(answer.locator(".response-col_status")).to_contain_text("200")
        expect(answer.locator(".highlight-code").first).to_contain_text('"said": "pears: 4"')
        expect(page.locator(".errors-wrapper")).to_have_count(0)

    assert complaints == []


def test_the_browser_asks_for_the_key_of_a_page_that_is_kept(
    suite: Suite, browser: Browser
) -> None:
    rated(suite, "page-kept", docsPublic=False)
    address = f"{suite.gateway}/page-kept/docs"
    complaints: list[str] = []

    # It would ask its user now: here is none.
    with page_of(browser, []) as page, pytest.raises(Error, match="AUTH_CREDENTIALS"):
        page.goto(address)
    key = {"username": "me", "password": suite.keys["page-kept"]}
    with page_of(browser, complaints, http_credentials=key) as page:
        opened = page.goto(address)
        shown = operations(page)

    assert opened is not None
    assert opened.status == 200
    assert len(shown) == 3
    assert complaints == []


def test_what_a_service_says_of_itself_runs_nothing(suite: Suite, browser: Browser) -> None:
    rated(suite, "page-sly", name=MARKS, description=f"**Pears** {MARKS}")
    finished: list[str] = []

    with page_of(browser, []) as page:
        page.on("requestfinished", lambda request: finished.append(request.url))
        page.goto(f"{suite.gateway}/page-sly/docs?url=https://elsewhere.example/openapi")
        operations(page)
        expect(page.locator(".information-container strong")).to_have_text("Pears")
        assert page.title() == MARKS
        assert page.evaluate("window.ran") is None
        assert page.locator("iframe").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0

    assert finished
    assert all(url.startswith(suite.gateway) for url in finished)

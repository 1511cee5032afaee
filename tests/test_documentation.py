"""What the pages for users say of the product holds: links, examples, problems, commands."""

from __future__ import annotations

import ast
import base64
import re
import time
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from services.edge.problems import KINDS
from services.executor.core.signatures import signed
from services.registry.definitions import parse
from services.yaml_documents import read_documents
from tui.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/gateway").glob("*.md")]
)
GUIDE = [ROOT / "docs/gateway.md", *sorted((ROOT / "docs/gateway").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What others may have linked to before the page was parted.
EARLIER_ANCHORS = {
    "from-a-request-to-the-workflows-input",
    "answers",
    "kept-answers",
    "following-a-call",
    "when-a-call-breaks-off",
    "calls-that-are-done-once",
    "keys",
    "completion-webhooks",
    "what-a-service-says-of-itself",
    "routes-as-tools",
    "trying-a-route",
    "pages-of-other-origins",
    "callbacks",
    "figures",
    "the-management-api",
    "managing-the-gateway-over-http",
}


def anchors(page: Path) -> set[str]:
    """What ``#…`` may name on ``page``: its headings as GitHub names them, and its own anchors."""
    text = page.read_text()
    headings = (re.sub(r"[^\w\- ]", "", each.lower()) for each in _HEADING.findall(text))
    return {each.replace(" ", "-") for each in headings} | set(_ANCHOR.findall(text))


def broken(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [each for each in _LINK.findall(page.read_text()) if "://" not in each]

    assert [each for each in links if broken(page, each)] == []


@pytest.mark.parametrize("name", ["security", "reliability"])
def test_every_test_that_a_promise_names_is_there(name: str) -> None:
    text = (ROOT / f"docs/{name}.md").read_text()
    named = re.findall(r"`((?:tests/)?(?:\w+/)*test_\w+\.py)(?:::(\w+)…?)?`", text)

    assert named
    for file, test in named:
        path = ROOT / file if file.startswith("tests/") else ROOT / "tests/system" / file
        assert path.exists(), file
        assert f"def {test}" in path.read_text(), (file, test)


def test_the_gateways_first_page_keeps_its_earlier_anchors() -> None:
    assert anchors(ROOT / "docs/gateway.md") >= EARLIER_ANCHORS


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "docs/decisions").glob("*.md"))]

    # Not every number needs a record: some are kept for what is thought about at the same time.
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"[0-9]{4}", number) for number in numbers)


def test_every_type_of_problem_is_told_with_its_status() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)`(?: \(`([^`]+)`\))? \| (\d+) \| \S",
        (ROOT / "docs/gateway/answers.md").read_text(),
        re.MULTILINE,
    )

    assert sorted(rows) == sorted((n, kind.type, str(kind.status)) for n, kind in KINDS.items())


def test_every_example_of_a_definition_is_one() -> None:
    blocks = list(chain.from_iterable(_YAML.findall(page.read_text()) for page in GUIDE))
    documents = [each.document for block in blocks for each in read_documents(block)]

    assert len(blocks) >= len(GUIDE) - 4
    for document in documents:
        parse(document)


def test_the_receiver_of_the_example_knows_a_signature_from_a_forgery() -> None:
    page = (ROOT / "docs/gateway/webhooks.md").read_text()
    source = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    kept: list[ast.stmt] = [
        each for each in ast.parse(source).body if isinstance(each, ast.Import | ast.FunctionDef)
    ]
    receiver: dict[str, Any] = {}
    exec(compile(ast.Module(kept, []), "receiver.py", "exec"), receiver)
    key = bytes(range(32))
    secret = f"whsec_{base64.b64encode(key).decode()}"

    headers = signed([b"another key, of thirty-two bytes", key], "one", int(time.time()), b"{}")
    late = signed([key], "one", int(time.time()) - 301, b"{}")

    assert receiver["verified"](secret, headers, b"{}")
    assert not receiver["verified"](secret, headers, b"[]")
    assert not receiver["verified"](secret, late, b"{}")


def test_the_readme_tells_of_every_command() -> None:
    table = (ROOT / "README.md").read_text()

    told = re.findall(r"`(?:podium )?([a-z-]+)", table)
    assert set(COMMANDS) <= set(told)

"""The pictures of the console: those that are taken are there, and those that pages name are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.tui.pictures import FOLDER, PICTURES, ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+\.svg)\)")


@pytest.mark.parametrize("name", [picture.name for picture in PICTURES])
def test_each_picture_was_taken_and_is_an_svg(name: str) -> None:
    assert ElementTree.parse(FOLDER / f"{name}.svg").getroot().tag.endswith("svg")


def test_there_is_no_picture_that_nobody_takes() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == {picture.name for picture in PICTURES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pictures_that_a_page_shows_are_there(page: Path) -> None:
    named = _PICTURE.findall(page.read_text("utf-8"))

    assert [name for name in named if not (page.parent / name).is_file()] == []


def test_the_readme_shows_the_main_screens() -> None:
    assert len(_PICTURE.findall((ROOT / "README.md").read_text("utf-8"))) >= 4

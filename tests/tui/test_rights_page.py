"""docs/rights.md and the short of it in docs/security.md are what the table of rights says."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.rights import RIGHTS, rpc
from tui.views.rights_page import AREAS, PAGE, SECTION, page, with_summary

ROOT = Path(__file__).parents[2]


def test_the_page_of_rights_is_what_the_table_says() -> None:
    assert (ROOT / PAGE).read_text() == page(), "make docs"


def test_the_short_of_it_is_what_the_table_says() -> None:
    section = (ROOT / SECTION).read_text()
    assert section == with_summary(section), "make docs"


@pytest.mark.parametrize("area", AREAS)
def test_what_stands_in_one_line_takes_the_same(area: str) -> None:
    takes = {(RIGHTS[rpc(name)].roles, RIGHTS[rpc(name)].granted) for name in AREAS[area]}
    assert len(takes) == 1

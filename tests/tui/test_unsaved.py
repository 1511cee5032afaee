"""Texts that are not stored, kept on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tui.settings.unsaved import MOST_CHARACTERS, MOST_DRAFTS, Drafts, Unsaved

DRAFT = Unsaved("suite", "workflow", "a", 1, "json", "etag", "{}", '{"a": 1', "2026-01-31 12:00:00")


def test_it_is_found_by_what_it_is_a_draft_of(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    assert drafts.keep(DRAFT) == ""

    assert drafts.find(replace(DRAFT, text="other", etag="other")) == DRAFT
    for other in ({"name": "b"}, {"version": 2}, {"context": "x"}, {"kind": "schema"}):
        assert drafts.find(replace(DRAFT, **other)) is None
    drafts.drop(DRAFT)
    assert drafts.find(DRAFT) is None
    drafts.drop(DRAFT)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    Drafts(tmp_path / "state").keep(DRAFT)

    [file] = (tmp_path / "state" / "drafts").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_no_draft_is_none(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.keep(DRAFT)
    [file] = (tmp_path / "drafts").iterdir()
    for text in ("", "{", "[]", '{"text": 1}', file.read_text().replace('"json"', '"no"')):
        file.write_text(text)
        assert drafts.find(DRAFT) is None


def test_what_cannot_be_kept_says_why_and_too_much_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("in the way")
    assert "cannot be written" in Drafts(tmp_path).keep(DRAFT)
    assert Drafts(None).keep(DRAFT) == ""
    assert Drafts(None).find(DRAFT) is None
    other = Drafts(tmp_path / "other")
    other.keep(replace(DRAFT, text="x" * MOST_CHARACTERS))
    assert other.find(DRAFT) is None


def test_the_oldest_of_many_are_let_go(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    for number in range(MOST_DRAFTS + 3):
        drafts.keep(replace(DRAFT, version=number))

    assert len(list((tmp_path / "drafts").iterdir())) == MOST_DRAFTS
    assert drafts.find(replace(DRAFT, version=MOST_DRAFTS + 2)) is not None

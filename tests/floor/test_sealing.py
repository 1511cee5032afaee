"""Sealing: only the key opens, and nothing that was changed opens at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from services.process import StartupError
from services.sealing import Sealer, Unsealable, read_key

KEY = b"a key of more than thirty-two bytes!"
sealer = Sealer(KEY)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_what_was_sealed_opens(text: str) -> None:
    sealed = sealer.seal(text)
    assert Sealer(KEY).open(sealed) == text
    assert sealed.isascii()


def test_two_seals_of_one_text_differ() -> None:
    assert sealer.seal("x") != sealer.seal("x")


def test_another_key_does_not_open() -> None:
    with pytest.raises(Unsealable):
        Sealer(KEY + b"2").open(sealer.seal("hunter2"))


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_a_changed_seal_does_not_open(where: int, character: str) -> None:
    sealed = sealer.seal("hunter2")
    place = where % len(sealed)
    changed = sealed[:place] + character + sealed[place + 1 :]
    if changed != sealed:
        with pytest.raises(Unsealable):
            sealer.open(changed)


def test_a_seal_is_written_in_one_way_only() -> None:
    sealed = sealer.seal("hunter2")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 35 bytes: two bits of the last character before the padding are none of them.
    place = len(sealed) - 2
    others = {sealed[:place] + each + sealed[place + 1 :] for each in alphabet} - {sealed}
    for changed in others:
        with pytest.raises(Unsealable):
            sealer.open(changed)


@given(st.text())
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    for each in (text, "v1." + text):
        with pytest.raises(Unsealable):
            sealer.open(each)


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b" " * 40])
def test_a_key_that_is_too_short_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(StartupError, match="needs at least 32"):
        read_key(tmp_path / "k")


def test_a_key_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be read"):
        read_key(tmp_path / "nope")


def test_what_is_named_by_words_is_the_same_for_the_same_words_and_key_only() -> None:
    one, two = Sealer(b"k" * 32), Sealer(b"l" * 32)
    named = [one.named("a", "b"), one.named("ab"), one.named("a", "b", ""), two.named("a", "b")]

    assert one.named("a", "b") == Sealer(b"k" * 32).named("a", "b")
    assert len(set(named)) == len(named)
    assert {len(each) for each in named} == {32}

"""Sealing: only the key opens, and nothing that was changed opens at all."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, strategies as st

from services.process import StartupError
from services.sealing import Sealer, Unsealable, key_line, keys_in, read_key, sealed_by, sealer_of

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
    for each in (text, "v1." + text, f"v2.{sealer.key_id}.{text}"):
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


OLD, NEW = "o" * 32, "n" * 32


def test_the_first_key_seals_and_all_open() -> None:
    before, after = Sealer(OLD.encode()), Sealer(NEW.encode(), OLD.encode())
    sealed = before.seal("hunter2")

    assert after.open(sealed) == "hunter2"
    assert (sealed_by(sealed), sealed_by(after.seal("x"))) == (before.key_id, after.key_id)
    again = after.resealed(sealed)
    assert after.resealed(again) == again
    with pytest.raises(Unsealable):
        before.open(again)


def test_what_was_sealed_before_keys_had_names_opens() -> None:
    # As an earlier release wrote it, by the same key.
    sealed = "v1.AAAAAAAAAAAAAAAATfFBa5tbRI4FWENAivgSGVQMOu8wFGM="

    assert sealed_by(sealed) == ""
    assert Sealer(NEW.encode(), KEY).open(sealed) == "hunter2"


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (OLD.encode() + b"\n", [OLD]),
        (f"{NEW}\n{OLD}\n".encode(), [NEW, OLD]),
        (f"{NEW}\r\n\r\n  {OLD}\n{NEW}".encode(), [NEW, OLD]),
        # Bytes of any kind, and lines of base64 of which one is short, are one key.
        (b"\xff" * 20 + b"\n" + b"\xfe" * 20, None),
        (b"a" * 64 + b"\n" + b"b" * 24, None),
    ],
)
def test_a_file_holds_a_key_a_line(tmp_path: Path, content: bytes, keys: list[str] | None) -> None:
    (tmp_path / "k").write_bytes(content)

    expected = [content.strip()] if keys is None else [each.encode() for each in keys]
    assert list(keys_in(tmp_path / "k")) == expected


def test_a_key_that_is_put_into_the_file_is_taken_and_one_taken_out_stays_until_forgotten(
    tmp_path: Path,
) -> None:
    path = tmp_path / "k"
    path.write_text(OLD)
    sealer = sealer_of(path)
    sealed = sealer.seal("hunter2")

    write(path, f"{NEW}\n{OLD}\n")
    assert sealer.refresh()
    assert not sealer.refresh()
    assert len(sealer.key_ids) == 2
    write(path, NEW)
    assert sealer.refresh()
    assert sealer.open(sealed) == "hunter2"
    sealer.forget()
    with pytest.raises(Unsealable):
        sealer.open(sealed)


def test_what_another_process_sealed_by_a_new_key_opens_at_once(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_text(OLD)
    slow = sealer_of(path)
    write(path, f"{NEW}\n{OLD}\n")

    assert slow.open(sealer_of(path).seal("hunter2")) == "hunter2"


@pytest.mark.parametrize("content", ["", "short", NEW, None])
def test_a_file_that_has_lost_its_keys_changes_nothing(
    tmp_path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "k"
    path.write_text(OLD)
    sealer = sealer_of(path)
    sealed = sealer.seal("hunter2")
    path.unlink() if content is None else write(path, content)

    assert not sealer.refresh()
    assert (sealer.open(sealed), len(caplog.records)) == ("hunter2", 1)
    assert OLD not in caplog.text
    assert NEW not in caplog.text


@given(st.binary(min_size=32, max_size=80))
def test_every_key_can_stand_in_a_line(key: bytes) -> None:
    key = key.strip() + b"." * 32

    with TemporaryDirectory() as folder:
        path = Path(folder, "k")
        path.write_text(f"{NEW}\n{key_line(key)}\n")
        assert list(keys_in(path)) == [NEW.encode(), key]


def write(path: Path, content: str) -> None:
    """By rename, as whoever changes a key file does."""
    path.with_name("new").write_text(content)
    path.with_name("new").replace(path)

"""A callback token says which attempt it is for, and cannot be made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from services.executor.effects.callbacks import CallbackClaim, CallbackTokens

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOKENS = CallbackTokens(b"k" * 32)
EXECUTION = "6f1d3a52-9a55-4a4e-8f0e-0d6b8d0d7a10"
TASK = "00000000-0000-5000-8000-000000000001"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_a_token_gives_back_what_it_was_made_of_until_it_expires() -> None:
    token = TOKENS.mint(EXECUTION, TASK, NOON)

    assert len(token) == 96
    assert set(token) <= set(ALPHABET)
    claim = CallbackClaim(EXECUTION, TASK, NOON)
    assert TOKENS.read(token, NOON - timedelta(milliseconds=1)) == claim
    assert TOKENS.read(token, NOON) is None


@given(st.uuids(), st.uuids(), st.timedeltas(timedelta(), timedelta(days=2_000_000)))
def test_any_claim_survives_the_way_and_back(execution: UUID, task: UUID, since: timedelta) -> None:
    at = EPOCH + since
    token = TOKENS.mint(str(execution), str(task), at)

    assert token == TOKENS.mint(str(execution), str(task), at)
    claim = TOKENS.read(token, EPOCH - timedelta(days=1))
    assert claim is not None
    assert (claim.execution_id, claim.task_id) == (str(execution), str(task))
    assert timedelta() <= at - claim.expires_at < timedelta(milliseconds=1)


@given(st.integers(0, 95), st.sampled_from(ALPHABET))
def test_a_changed_letter_makes_it_worthless(place: int, letter: str) -> None:
    token = TOKENS.mint(EXECUTION, TASK, NOON + timedelta(days=1))
    changed = token[:place] + letter + token[place + 1 :]

    assert (TOKENS.read(changed, NOON) is None) == (changed != token)


@given(st.text() | st.text(ALPHABET, min_size=96, max_size=96))
def test_anything_else_is_no_token(text: str) -> None:
    assert TOKENS.read(text, NOON) is None


def test_another_key_reads_nothing() -> None:
    token = TOKENS.mint(EXECUTION, TASK, NOON + timedelta(days=1))

    assert CallbackTokens(b"l" * 32).read(token, NOON) is None


def test_ids_that_would_not_come_back_as_they_are_make_no_token() -> None:
    for bad in ("", "wf-1", EXECUTION.upper(), EXECUTION.replace("-", "")):
        with pytest.raises(ValueError, match="UUID"):
            TOKENS.mint(bad, TASK, NOON)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CallbackTokens(b"short")

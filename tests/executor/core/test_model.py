"""Copies and derived ids."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from services.executor.core.copies import changed
from services.executor.core.identity import derived_id, fraction, idempotency_key
from tests.executor.core.simulator import Simulator, http, workflow


def test_a_changed_copy_is_what_replace_makes() -> None:
    run = Simulator(workflow(http("a"))).begin()
    before = run.task("a")

    assert changed(before, reason="x", attempt=3) == replace(before, reason="x", attempt=3)
    assert before.reason == ""


def test_a_field_that_there_is_none_of_is_refused() -> None:
    run = Simulator(workflow(http("a"))).begin()

    with pytest.raises(TypeError, match="'reasons'"):
        changed(run.task("a"), reasons="x")


@given(st.text(), st.integers())
def test_derived_ids_are_uuids_and_the_same_each_time(text: str, number: int) -> None:
    derived = derived_id(text, number)

    assert str(UUID(derived)) == derived
    assert UUID(derived).version == 8
    assert derived_id(text, number) == derived
    assert derived_id(text, number + 1) != derived


def test_a_key_depends_on_each_of_its_parts() -> None:
    keys = {
        idempotency_key("e", 0, "r", 0, 0, 0), idempotency_key("f", 0, "r", 0, 0, 0),
        idempotency_key("e", 1, "r", 0, 0, 0), idempotency_key("e", 0, "s", 0, 0, 0),
        idempotency_key("e", 0, "r", 1, 0, 0), idempotency_key("e", 0, "r", 0, 1, 0),
        idempotency_key("e", 0, "r", 0, 0, 1),
    }  # fmt: skip

    assert len(keys) == 7


def test_chance_is_spread_evenly() -> None:
    drawn = [fraction("id", number) for number in range(2_000)]

    assert all(0 <= one <= 1 for one in drawn)
    assert [sum(step / 4 <= one < (step + 1) / 4 for one in drawn) // 100 for step in range(4)] in (
        [[a, b, c, d] for a in (4, 5) for b in (4, 5) for c in (4, 5) for d in (4, 5)]
    )

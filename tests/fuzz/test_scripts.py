"""Any value through a script worker, and any text as a script: a value, or why there is none."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.javascript import Scripts, pool
from services.javascript.replies import ScriptFailed
from tests.fuzz.chance import documents, texts, tries


@pytest.fixture(scope="module")
async def scripts() -> AsyncGenerator[Scripts]:
    async with pool(1, deadline=timedelta(seconds=20)) as scripts:
        yield scripts


def as_javascript_has_it(value: Any) -> Any:
    """Numbers are doubles there, and no object has a prototype of its own in JSON."""
    match value:
        case bool() | None | str():
            return value
        case int() | float():
            try:
                number = float(value)
            except OverflowError:
                return None
            return None if math.isnan(number) or math.isinf(number) else number
        case list():
            return [as_javascript_has_it(each) for each in value]
    return {key: as_javascript_has_it(each) for key, each in value.items()}


@tries(150)
@given(documents)
async def test_any_input_comes_back_as_it_went_in(scripts: Scripts, value: Any) -> None:
    scope = json.dumps({"value": as_javascript_has_it(value)})

    found = await scripts.evaluate("$.value", scope, name="s")

    assert as_javascript_has_it(found) == as_javascript_has_it(value)


@tries(60)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(('"', "\\", "\n", "\x00", "é", "日", "a", '"a', "\\n", "😀")),
            st.sampled_from((1, '"', [], {"\t": 1})),
            max_size=3,
        ),
        max_size=6,
    )
)
async def test_keys_of_one_character_come_back_as_they_went_in(
    scripts: Scripts, value: list[dict[str, Any]]
) -> None:
    scope = json.dumps({"__proto__": {"a": 1}, "value": value})

    assert await scripts.evaluate("$.value", scope, name="s") == value
    # What it takes is the realm's, too: nothing of it can be reached.
    assert (
        await scripts.evaluate("typeof unmarked + typeof read", "{}", name="s") == "undefined" * 2
    )


@tries(150)
@given(texts)
async def test_any_text_as_a_script_harms_nobody(scripts: Scripts, text: str) -> None:
    with suppress(ScriptFailed):
        await scripts.evaluate(text, '{"a": 1}', name="s")
    assert await scripts.evaluate("1 + 1", "{}", name="s") == 2

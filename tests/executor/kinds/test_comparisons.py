"""Comparisons read without a JavaScript engine: they say what the engine says, or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st

from services.executor.core.model import Json
from services.executor.kinds.comparisons import comparison
from services.javascript import pool

SCOPE: dict[str, Json] = {
    "output": {
        "status": 200,
        "ratio": 0.5,
        "whole": 200.0,
        "large": 2**53 + 1,
        "state": "DONE",
        "digits": "200",
        "empty": "",
        "done": True,
        "open": False,
        "nothing": None,
        "list": [1],
        "within": {"status": -1},
    }
}
PATHS = [f"output.{name}" for name in (*SCOPE["output"], "missing", "within.status", "list.length")]  # type: ignore[misc]
LITERALS = ["200", "0", "-1", "1", "true", "false", "null", "'DONE'", '"200"', "''", "201"]
OPERATORS = ["==", "===", "!=", "!==", "<", "<=", ">", ">="]
FORMS = ["{}", " {} ; ", "(function () {{ return {}; }})();", "(function(){{return {}}})()"]


async def test_a_comparison_holds_exactly_when_javascript_says_so() -> None:
    # Over 0.25 s: some 200 scripts go through a real worker.
    answered = 0
    async with pool(1) as scripts:
        for path in PATHS:
            for operator in OPERATORS:
                for literal in LITERALS:
                    source = f"$.{path} {operator} {literal}"
                    read = comparison(source)
                    assert read is not None
                    holds = read.holds(SCOPE)
                    if holds is not None:
                        answered += 1
                        said = await scripts.evaluate(source, json.dumps(SCOPE), name=source)
                        assert holds is said, source

    assert answered > 200


@pytest.mark.parametrize("form", FORMS)
def test_the_usual_ways_to_write_one_are_read(form: str) -> None:
    read = comparison(form.format("$.output.status == 200"))

    assert read is not None
    assert read.path == ("output", "status")
    assert read.holds(SCOPE) is True


@pytest.mark.parametrize(
    "source",
    [
        "$.output.status == 200 && $.output.done",
        "(function () { return\n$.output.status == 200; })()",
        "$.output.status == 0200",
        "$.output.status == 2e2",
        "$.output.status == 200.5",
        "$.output.status = 200",
        "$.output['status'] == 200",
        "$.output?.status == 200",
        "$.output.state == 'it\\'s'",
        "'use strict'; $.output.status == 200",
        "200 == $.output.status",
        "$ == 1",
        "$.output.status == $.output.status",
        "",
    ],
)
def test_what_is_more_than_a_comparison_is_left_to_javascript(source: str) -> None:
    assert comparison(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "$.output.missing == null",
        "$.output.missing.status == 200",
        "$.output.list.length == 1",
        "$.output.state.length == 4",
        "$.output.digits == 200",
        "$.output.large == 900",
        "$.output.nothing == false",
        "$.output.state < 'E'",
    ],
)
def test_what_javascript_would_convert_or_look_up_elsewhere_has_no_answer(source: str) -> None:
    read = comparison(source)

    assert read is not None
    assert read.holds(SCOPE) is None


@given(st.text(alphabet="$.=!<>ab1'\"(){};\n return", max_size=60))
@settings(max_examples=200)
def test_any_text_is_read_or_not_without_an_error(source: str) -> None:
    read = comparison(source)

    assert read is None or read.holds({"a": {"b": 1}}) in (True, False, None)

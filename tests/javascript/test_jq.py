"""jq programs run where JavaScript does: a hostile one loses its worker and nobody else notices.

Some take up to 0.4 s each: a program must run into its deadline.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from services.javascript import JQ, ScriptFailed, Scripts, pool

LIMIT = r"ran longer than 0\.3 s|used more than 128 MB of memory|died twice"
HOSTILE = [
    "def f: f; f",
    "def f: 1 + f; f",
    "[limit(1e9; repeat(.))]",
    "range(1e12)",
    "[range(1e9)]",
    'last(repeat("xxxxxxxxxx" * 1000000))',
    "reduce range(1e9) as $i (0; [., .])",
    'def f: try error("x") catch f; f',
]


@pytest.fixture(scope="module")
async def two() -> AsyncGenerator[Scripts]:
    """Two workers: one for whoever is hostile, one for the others."""
    async with pool(2, deadline=timedelta(seconds=0.3), memory_bytes=128 << 20) as scripts:
        await asyncio.gather(*(scripts.evaluate("1", "{}", name="warm") for _ in range(2)))
        yield scripts


@pytest.mark.parametrize(
    ("program", "given", "results"),
    [
        (".a", {"a": 1}, [1]),
        (".a[]", {"a": [1, 2]}, [1, 2]),
        ("empty", {}, []),
        (".orders | map(.n) | add", {"orders": [{"n": 1}, {"n": 2}]}, [3]),
        ("keys_unsorted", {"z": 1, "a": 2}, [["z", "a"]]),
        (". # a comment at the end", 1, [1]),
        ("nan, (1 / 3 | . * 3)", None, [None, 1]),
        (".text", {"text": "é\ud800\U0001f600"}, ["é\ufffd\U0001f600"]),
        ("\"\\(.n) pieces\" | ascii_upcase", {"n": 3}, ["3 PIECES"]),
        ("label $out | 1, break $out, 2", None, [1]),
    ],
)  # fmt: skip
async def test_a_program_gives_all_its_results(
    scripts: Scripts, program: str, given: object, results: list[object]
) -> None:
    assert await scripts.query(program, json.dumps(given), name="q") == results


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (
            ".a |",
            r"Script q is no valid jq program: syntax error.*end of file \(line 1\)",
        ),
        (".\n| foo", r"foo/0 is not defined \(line 2\)"),
        ("", "Top-level program not given"),
        (".a\0 .b", "NUL"),
        ('import "secrets" as $s; $s', "syntax error"),
        ('include "secrets"; .', "syntax error"),
        (".a[]", r"Script q raised Cannot iterate over number \(1\)"),
        ('error("no " + "way")', "Script q raised no way"),
        ("input", "Script q raised break"),
    ],
)
async def test_what_gives_nothing_says_why(scripts: Scripts, program: str, why: str) -> None:
    with pytest.raises(ScriptFailed, match=why):
        await scripts.query(program, '{"a": 1}', name="q")


async def test_the_environment_and_files_are_not_there(scripts: Scripts) -> None:
    assert os.environ
    found = await scripts.query("$ENV, env, input_filename, get_search_list", "1", name="q")

    assert found == [{}, {}, None, []]
    module = '"/etc/passwd" | try modulemeta catch .'
    assert await scripts.query(module, "1", name="q") == ["module not found: /etc/passwd"]


async def test_no_program_sees_what_another_left(scripts: Scripts) -> None:
    await scripts.query("def leak: 1; leak", "1", name="q")

    with pytest.raises(ScriptFailed, match="leak/0 is not defined"):
        await scripts.query("leak", "1", name="q")
    assert await scripts.evaluate("$.n + 1", '{"n": 1}', name="js") == 2


async def test_a_program_is_checked_and_not_run(scripts: Scripts) -> None:
    assert await scripts.check("def f: f; f", JQ) is None
    assert await scripts.check(".a | foo(1)", JQ) == "foo/1 is not defined (line 1)"
    assert await scripts.check(".a | |", JQ) is not None


@pytest.mark.parametrize("program", HOSTILE)
async def test_a_hostile_program_only_costs_its_worker(two: Scripts, program: str) -> None:
    hostile = asyncio.create_task(two.query(program, "[1]", name="hostile"))
    other = await two.query(".[0] + 1", "[1]", name="other")

    with pytest.raises(ScriptFailed, match=LIMIT):
        await hostile
    assert other == [2]


async def test_too_much_comes_back_as_that(scripts: Scripts) -> None:
    with pytest.raises(ScriptFailed, match="returned more than 10 MiB"):
        await scripts.query('"x" * 11000000', "1", name="q")

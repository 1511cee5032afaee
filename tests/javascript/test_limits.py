"""A script that takes too much loses its worker; nobody else notices.

These take up to 0.4 s each: a script must run into its deadline.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from services.javascript import ScriptFailed, Scripts, pool

TIME = r"ran longer than 0\.3 s"
MEMORY = r"used more than 128 MB of memory"
EITHER = f"{TIME}|{MEMORY}"

HOSTILE = [
    ("while (true);", TIME),
    ("for (;;) { try { throw 1; } catch {} }", TIME),
    ("(function f() { try { f(); } finally { f(); } })()", TIME),
    ("var a = []; while (true) a.push({n: 1})", EITHER),
    ("var a = []; while (true) a.push(new Uint8Array(1e6).fill(1))", EITHER),
    ("var s = 'x'; while (true) s = (s + s).slice(0, 1e8) + s.indexOf('y')", EITHER),
    ("var s = 'x'; while (true) s += s", "Invalid string length"),
    ("new Array(5e7).fill(0).length", EITHER),
    ("Array.from({length: 5e7}, Math.random).sort().length", EITHER),
    ("/^(a+)+$/.test('a'.repeat(40) + 'b')", TIME),
    ("var b = 3n; while (true) b *= b", f"{EITHER}|threw RangeError"),
    ("Array(2 ** 28).join('xx').length", f"{EITHER}|threw"),
    ("(function f(n) { return f(n + 1) + 1; })(0)", "Maximum call stack size exceeded"),
    ("eval('('.repeat(1e6))", "threw|not valid"),
    ("'x'.repeat(2 ** 28)", f"returned more than 10 MiB|{EITHER}"),
    ("'ä'.repeat(6 * 2 ** 20)", f"returned more than 10 MiB|{TIME}"),
    ("var a = [1]; for (var i = 0; i < 60; i++) a = [a, a]; a", f"{EITHER}|Invalid string length"),
    ("(async () => { while (true) await 1; })()", TIME),
    ("var p = () => Promise.resolve().then(p); p(); 1", TIME),
    ("Promise.resolve().then(() => { var a = []; while (true) a.push({n: 1}); }); 1", EITHER),
    ("({toJSON() { while (true); }})", TIME),
    ("({get a() { while (true); }})", TIME),
    ("throw {toString() { while (true); }, toJSON() { while (true); }}", TIME),
    ("var e = new Error(); e.toString = () => { while (true); }; throw e", TIME),
    ("Object.freeze(globalThis); while (true);", TIME),
]


@pytest.fixture(scope="module")
async def two() -> AsyncGenerator[Scripts]:
    """Two workers: one for whoever is hostile, one for the others."""
    async with pool(2, deadline=timedelta(seconds=0.3), memory_bytes=128 << 20) as scripts:
        await asyncio.gather(*(scripts.evaluate("1", "{}", name="warm") for _ in range(2)))
        yield scripts


@pytest.fixture(scope="module")
async def patient() -> AsyncGenerator[Scripts]:
    """A worker whose memory matters, and not how fast this machine is."""
    async with pool(1, deadline=timedelta(seconds=20), memory_bytes=128 << 20) as scripts:
        yield scripts


@pytest.mark.parametrize(("source", "why"), HOSTILE, ids=[source for source, _ in HOSTILE])
async def test_a_hostile_script_harms_only_itself(two: Scripts, source: str, why: str) -> None:
    async with asyncio.TaskGroup() as group:
        hostile = group.create_task(failing(two, source))
        others = [
            group.create_task(two.evaluate("$.n + 1", json.dumps({"n": n}), name="innocent"))
            for n in range(20)
        ]

    assert [other.result() for other in others] == list(range(1, 21))
    assert hostile.result().args[0].startswith("Script hostile ")
    assert hostile.result().timed_out == ("ran longer" in hostile.result().detail)
    with pytest.raises(ScriptFailed, match=why):
        raise hostile.result()
    assert await two.evaluate("[typeof a, typeof s, 1]", "{}", name="next") == ["undefined"] * 2 + [
        1
    ]


async def failing(scripts: Scripts, source: str) -> ScriptFailed:
    try:
        value = await scripts.evaluate(source, "{}", name="hostile")
    except ScriptFailed as failure:
        return failure
    raise AssertionError(f"{source} gave {value!r}")


async def test_two_hostile_scripts_delay_the_queue_and_no_more(two: Scripts) -> None:
    async with asyncio.TaskGroup() as group:
        hostile = [group.create_task(failing(two, "while (true);")) for _ in range(2)]
        others = [group.create_task(two.evaluate("2", "{}", name="queued")) for _ in range(5)]

    assert all(task.result().timed_out for task in hostile)
    assert [other.result() for other in others] == [2] * 5


@pytest.mark.parametrize("what", ["source", "scope"])
async def test_more_than_ten_mebibytes_are_not_even_sent(patient: Scripts, what: str) -> None:
    fits = '"' + "x" * ((10 << 20) - 2) + '"'
    given = {"source": "1", "scope": "{}", what: fits + " "}

    with pytest.raises(ScriptFailed) as caught:
        await patient.evaluate(**given, name="large")

    assert caught.value.detail == f"The {what} of script large is larger than 10 MiB."
    assert await patient.evaluate("$.length", fits, name="large") == len(fits) - 2


async def test_what_honest_scripts_leave_in_memory_is_not_counted_against_the_next(
    patient: Scripts,
) -> None:
    honest = "Array.from({length: 3e5}, (_, n) => ({n, text: 'x' + n})).length"

    for _ in range(12):
        assert await patient.evaluate(honest, "{}", name="honest") == 300_000

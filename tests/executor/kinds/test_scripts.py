"""What scripts name, and that what is not sent to them is nothing that they could see."""

from __future__ import annotations

import pytest

from services.executor.core.model import Json
from services.executor.documents import text_of
from services.executor.kinds.comparisons import comparison
from services.executor.kinds.scripts import Used, needed, picked, used
from services.javascript import ScriptFailed, Scripts, pool
from tests.executor.core.simulator import Simulator, answer, task, workflow

ALL: Used = {}
OUTPUT: Json = {
    "status": 200,
    "body": {"done": False, "list": [{"n": 1}, {"n": 2}], "text": "abc", "none": None, "a-b": 5},
    "valueOf": 7,
}
VALUES: dict[str, Json] = {"output": OUTPUT, "input": {"n": 20, "é": 1}, "first": {"output": {}}}


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("$.a + $.b.c", {"a": ALL, "b": {"c": ALL}}), ("a$.b", {}), ("$$", {}), ("'$5'", {}),
        ("$", None), ("$[0]", None), ("`${$.a}`", None), ("f($)", None), ("$/**/.a", None),
        ("$\n.a", {"a": ALL}), ("$ ?. a?.b", {"a": {"b": ALL}}), ("$.a ? .5 : 1", {"a": ALL}),
        ("$.ä", None), ("$.e\u0301", None), ("$.a\\u0062", None), ("$.a.bä", {"a": ALL}),
        ("$.a.b\\u0063", {"a": ALL}), ("$.a1_", {"a1_": ALL}),
        ("$.a.b.c + $.a.b", {"a": {"b": ALL}}), ("$.a.b + $.a.b.c", {"a": {"b": ALL}}),
        ("$.a + $.a.b", {"a": ALL}), ("$.a.b + $.a.c", {"a": {"b": ALL, "c": ALL}}),
        ("$.a[n].c", {"a": ALL}), ("$.a.b[0]", {"a": {"b": ALL}}),
        ("$.a.hasOwnProperty('b')", {"a": ALL}), ("$.hasOwnProperty('a')", None),
        ("$" + ".a" * 9, {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": ALL}}}}}}}}),
    ],
)  # fmt: skip
def test_what_a_script_uses(source: str, use: Used | None) -> None:
    assert used(source) == use
    assert used(source + " " * 20_000) == use


def test_only_the_members_that_are_used_are_picked() -> None:
    use: Used = {"output": {"status": ALL, "body": {"text": {"length": ALL}, "gone": ALL}}, "x": {}}

    assert picked(VALUES, use) == {"output": {"status": 200, "body": {"text": "abc"}}}


SCRIPTS = (
    "$.output.status === 200 && !$.output.body.done",
    "(function () { return !!$.output.body.missing; })()",
    "$.output.body.list.map(function (each) { return each.n + $.input.n; })",
    "$.output.body.list.length + $.output.body.text.length",
    "$.output.body.hasOwnProperty('done') && $.hasOwnProperty('output')",
    "Object.keys($.output.body)",
    "$.output.valueOf + $.output.body.constructor.name + $.output.body",
    "$.output.body['a' + '-b'] + $.output.body.none",
    "$.output?.body?.done?.x",
    "$.first.output.body === undefined && typeof $.second",
    "JSON.stringify($.output) + $.output.body.done",
    "$.output.body.done = 5; $.output.body.more = 6; [$.output.body.done, $.output.body.more]",
    "$.input.n = $.output; $.input.n.body.text",
    "for (name in $.input) name",
    "$.output.body.nothing.deeper",
    "$.output.body.text()",
    "$.second.output",
    "$.input.e\u0301",
    "var copy = $; copy.output.status",
)


# 0.4 s: a worker starts.
async def test_a_script_sees_no_difference() -> None:
    async with pool(1) as scripts:
        for source in SCRIPTS:
            whole = await _outcome(scripts, source, VALUES)
            assert await _outcome(scripts, source, needed(source, VALUES)) == whole, source


async def _outcome(scripts: Scripts, source: str, scope: dict[str, Json]) -> Json:
    try:
        value: Json = await scripts.evaluate(source, text_of(scope), name="tried")
    except ScriptFailed as failed:
        return failed.detail
    return value


def test_a_condition_on_a_part_of_a_large_answer_is_sent_that_part_alone() -> None:
    condition = "(function(){ return !!$.output.response.body.done && $.first.output.n > 1; })()"
    scopes: list[Json] = []
    flow = workflow(
        task("first", "INLINE", {"expression": "n", "evaluatorType": "value-param"}),
        task("a", "HTTP_POLL", {"uri": "http://x", "terminationCondition": condition}),
    )

    def judge(source: str, scope: object) -> Json:
        assert isinstance(scope, dict)
        scopes.append(scope)
        return True

    run = Simulator(flow, judge=judge).begin()
    run.answers("a", answer({"done": True, "data": "x" * (6 << 20)}))

    assert scopes == [{"output": {"response": {"body": {"done": True}}}, "first": {"output": {}}}]
    assert run.status == "COMPLETED"


def test_no_script_is_kept_that_is_longer_than_scripts_are() -> None:
    long = "$.output.done == 1" + " " * 100_000

    assert comparison(long) is None
    assert used(long) is not used(long)

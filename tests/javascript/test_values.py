"""What a script sees, and what comes back."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from services.javascript import Json, ScriptFailed, Scripts

RESPONSE = '{"output": {"response": {"statusCode": 200, "body": {"done": [1, 2]}}}}'


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("(function(){ return $.output.response.statusCode == 200; })();", True),
        ("$.output.response.statusCode > 300 ? true : false;", False),
        ("true", True),
        ("'a\\u0000b'", "a\0b"),
        ("", None),
        ("undefined", None),
        ("(function () {})()", None),
        ("var n = 2; n = n + 1; n * 2", 6),
        ("total = 5; total + 1", 6),
        ("this.seen = 3; seen", 3),
        ("let Map = 4; Map", 4),
        ("var Set = 4; Set", 4),
        ("typeof nowhere", "undefined"),
        ("'use strict'; (function () { return this === undefined; })()", True),
        ("if ($.output) 'yes'; else 'no'", "yes"),
        ("for (var i = 0, n = 0; i < 1000; i++) n += i; n", 499500),
        ("$.output.response.body.done.map(x => ({x}))", [{"x": 1}, {"x": 2}]),
        ("$.output.response.statusCode = 404; $.output.response.statusCode", 404),
        ("NaN", None),
        ("[Infinity, -Infinity, undefined, () => 1]", [None, None, None, None]),
        ("({a: undefined, b: () => 1, c: new Date(0)})", {"c": "1970-01-01T00:00:00.000Z"}),
        ("1e21", 1e21),
        ("0.1 + 0.2", 0.30000000000000004),
        ("console.log('x'); 1", 1),
        ("/(\\d+)/.exec('a12'); RegExp.$1", "12"),
        ("var o = {}; o.constructor = 1; o.toString = 2; o", {"constructor": 1, "toString": 2}),
        ("var e = new Error('a'); e.message = 'b'; e.name = 'C'; String(e)", "C: b"),
        ("function F() {} F.prototype.toString = () => 'mine'; String(new F())", "mine"),
        ("class E extends Error { get name() { return 'E'; } } String(new E('x'))", "E: x"),
        ("/* closed */ 1 // open", 1),
        ("new Intl.NumberFormat('en').format(1234.5)", "1,234.5"),
    ],
)
async def test_a_script_gives_the_value_of_its_last_statement(
    scripts: Scripts, source: str, value: Json
) -> None:
    assert await scripts.evaluate(source, RESPONSE, name="one") == value


async def test_the_scope_can_have_another_name(scripts: Scripts) -> None:
    assert await scripts.evaluate("event.n + 1", '{"n": 1}', name="one", frame="event") == 2
    assert await scripts.evaluate("typeof event", "{}", name="one") == "undefined"


@pytest.mark.parametrize("frame", ["", "a b", "a,b", "1", "a=1", "é"])
async def test_a_name_that_is_no_identifier_is_refused(scripts: Scripts, frame: str) -> None:
    with pytest.raises(ValueError, match="name of a variable"):
        await scripts.evaluate("1", "{}", name="one", frame=frame)


@pytest.mark.parametrize("scope", ["", "{", "NaN", "{'a': 1}", "undefined", "1;2"])
async def test_a_scope_that_is_no_json_is_the_callers_fault(scripts: Scripts, scope: str) -> None:
    with pytest.raises(ValueError, match="scope of script one is not JSON"):
        await scripts.evaluate("1", scope, name="one")


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("\n$.a.x", "TypeError: Cannot read properties of undefined (reading 'x')", 2),
        ("nowhere", "ReferenceError: nowhere is not defined", 1),
        ("function f() {\n  throw new RangeError('far');\n}\nf()", "RangeError: far", 2),
        ("JSON.parse('{')", "SyntaxError: Expected property name or '}' in JSON", 1),
        ("throw 'plain'", "plain", None),
        ("throw 42", "42", None),
        ("throw null", "null", None),
        ("throw undefined", "undefined", None),
        ("throw Symbol('s')", "Symbol(s)", None),
        ("throw {code: 7}", '{"code":7}', None),
        ("throw () => 1", "() => 1", None),
        ("throw {toJSON() { throw 1; }}", "something that cannot be shown", None),
        ("throw {get a() { throw 1; }}", "something that cannot be shown", None),
        ("var e = new Error(); e.toString = () => { throw e; }; throw e", "something that", 1),
        ("throw new Proxy({}, {getPrototypeOf() { throw 1; }})", "something that cannot", None),
        (
            "throw Object.defineProperty(new Error('m'), 'stack', {get() { throw 1; }})",
            "Error: m",
            None,
        ),
        ("throw new Error('long'.repeat(1e6))", "Error: longlong", 1),
        ("(function f() { f(); })()", "RangeError: Maximum call stack size exceeded", 1),
    ],
)
async def test_a_throw_is_told_with_its_message_and_line(
    scripts: Scripts, source: str, message: str, line: int | None
) -> None:
    with pytest.raises(ScriptFailed) as caught:
        await scripts.evaluate(source, "{}", name="one")

    if message.startswith("RangeError"):
        assert caught.value.plain == f"Script one threw RangeError (line {line})."
    assert caught.value.detail.startswith(f"Script one threw {message}")
    assert len(caught.value.detail) < 1100
    assert caught.value.line == line
    assert not caught.value.timed_out


@pytest.mark.parametrize(
    ("source", "line"),
    [("1 +* 2", 1), ("\n\nlet a = ;", 3), ("(", 1), ("return 1", 1), ("'\ud800' +", 1), ("`", 1)],
)
async def test_what_is_no_javascript_is_told_with_its_line(
    scripts: Scripts, source: str, line: int
) -> None:
    with pytest.raises(ScriptFailed) as caught:
        await scripts.evaluate(source, "{}", name="one")

    assert caught.value.detail.startswith("Script one is not valid JavaScript: SyntaxError: ")
    assert caught.value.line == line
    assert f"(line {line})" in (await scripts.check(source) or "")


@pytest.mark.parametrize(
    "source", ["1", "", "while (true);", "throw 1", "var a; function f() {}", "let $ = 1; $"]
)
async def test_a_check_runs_nothing(scripts: Scripts, source: str) -> None:
    assert await scripts.check(source) is None


async def test_a_check_sees_what_only_strict_code_forbids(scripts: Scripts) -> None:
    assert "line 1" in (await scripts.check("'use strict'; with ({}) 1") or "")
    assert await scripts.check("with ({}) 1") is None


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("() => 1", "a function"),
        ("Symbol('s')", "a symbol"),
        ("10n", "a BigInt"),
        ("({a: 10n})", "a value that cannot be written as JSON: TypeError: Do not know"),
        ("var a = {}; a.a = a; a", "a value that cannot be written as JSON: TypeError: Convert"),
        ("(async () => 1)()", "a promise"),
        ("({toJSON() {}})", "a value whose toJSON gives none"),
        ("({get a() { throw new Error('no'); }})", "a value that cannot be written as JSON: Err"),
        ("var a = []; for (var i = 0; i < 600; i++) a = [a]; a", "a value nested more than 512"),
    ],
)
async def test_what_has_no_json_form_is_told(scripts: Scripts, source: str, what: str) -> None:
    with pytest.raises(ScriptFailed, match="no JSON form") as caught:
        await scripts.evaluate(source, "{}", name="one")

    assert caught.value.detail.startswith(f"Script one returned {what}")


async def test_512_levels_are_not_too_deep(scripts: Scripts) -> None:
    nest = "var a = '[{]}\"'; for (var i = 0; i < {n}; i++) a = [a]; a".replace("{n}", "512")

    deepest = await scripts.evaluate(nest, "{}", name="one")

    assert json.dumps(deepest).count("[") == 513


async def test_raw_json_cannot_be_written(scripts: Scripts) -> None:
    assert await scripts.evaluate("typeof JSON.rawJSON", "{}", name="one") == "undefined"


async def test_integers_beyond_doubles_lose_digits(scripts: Scripts) -> None:
    assert await scripts.evaluate("$", str(2**53 + 1), name="one") == 2**53


async def test_keys_that_are_indexes_come_first(scripts: Scripts) -> None:
    result = await scripts.evaluate("$", '{"b": 1, "10": 2, "a": 3, "9": 4}', name="one")

    assert isinstance(result, dict)
    assert list(result) == ["9", "10", "b", "a"]


async def test_a_key_named_proto_is_a_key(scripts: Scripts) -> None:
    scope = '{"__proto__": {"admin": true}, "a": {"constructor": null, "toString": 1}}'

    assert await scripts.evaluate("$", scope, name="one") == json.loads(scope)
    assert await scripts.evaluate("$.admin === undefined", scope, name="one") is True


numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
keys = st.text(st.characters(), max_size=8).filter(lambda key: not key.isdigit())
texts = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys | texts, inner, max_size=5),
    max_leaves=30,
)


def as_doubles(document: Json) -> Json:
    """JavaScript writes 5.333734524564575e+16 as 53337345245645750: the same double."""
    match document:
        case list():
            return [as_doubles(item) for item in document]
        case dict():
            return {key: as_doubles(item) for key, item in document.items()}
        case int() if abs(document) > 2**53:
            return float(document)
    return document


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents, escaped=st.booleans())
async def test_a_document_survives_the_way_there_and_back(
    scripts: Scripts, document: Json, escaped: bool
) -> None:
    scope = json.dumps(document, ensure_ascii=escaped)

    result = await scripts.evaluate("$", scope, name="one")

    assert as_doubles(result) == document


async def test_a_large_document_survives_too(scripts: Scripts) -> None:
    document = [{"n": n, "text": "äöü\ud800\0" * 4} for n in range(20_000)]

    for escaped in (True, False):
        scope = json.dumps(document, ensure_ascii=escaped)
        assert await scripts.evaluate("$", scope, name="one") == document

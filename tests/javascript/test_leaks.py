"""A script leaves nothing behind for the next one in the same worker, and finds nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from services.javascript import Json, ScriptFailed, Scripts

FOUND = Path(__file__).with_name("reachable.js").read_text("utf-8")

# Private fields can be put on frozen objects too.
STAMP = """
class Stamp extends (function (object) { return object; }) {
  #secret = 7;
  static on(object) { return #secret in object; }
}
"""

LEAKS: list[tuple[str, str, Json]] = [
    # globals, however they are made
    ("leak = 's'", "typeof leak", "undefined"),
    ("var leak = 's'", "typeof leak", "undefined"),
    ("let leak = 's'", "typeof leak", "undefined"),
    ("class Leak {}", "typeof Leak", "undefined"),
    ("function leak() {}", "typeof leak", "undefined"),
    ("this.leak = 's'", "this.leak === undefined", True),
    ("globalThis.leak = 's'", "'leak' in globalThis", False),
    (
        "(0, eval)('var leak = 1; function leak2() {}')",
        "typeof leak + typeof leak2",
        "undefined" * 2,
    ),
    ("(0, eval)('let leak = 1')", "typeof leak", "undefined"),
    ("Function('leak = 1')()", "typeof leak", "undefined"),
    ("Function('this.leak = 1')()", "typeof leak", "undefined"),
    ("setLeak = x => { leak = x }; setLeak(1)", "typeof setLeak + typeof leak", "undefined" * 2),
    ("globalThis[Symbol.for('leak')] = 1", "globalThis[Symbol.for('leak')] === undefined", True),
    ("Object.defineProperty(globalThis, 'leak', {value: 1})", "typeof leak", "undefined"),
    (
        "__defineGetter__.call(globalThis, 'leak', () => { throw 1; })",
        "typeof leak",
        "undefined",
    ),
    ("Object.preventExtensions(globalThis)", "x = 1; x", 1),
    ("Object.freeze(globalThis)", "x = 1; x", 1),
    ("Object.setPrototypeOf(globalThis, {leak: 1})", "typeof leak", "undefined"),
    (
        "Object.setPrototypeOf(globalThis, new Proxy({}, {has() { return true; }}))",
        "typeof y",
        "undefined",
    ),
    ("globalThis.__proto__ = null", "String(globalThis)", "[object Object]"),
    ("toString = () => 'leak'", "String(globalThis)", "[object Object]"),
    ("undefined = 1; NaN = 1; Infinity = 1", "[undefined, NaN, Infinity]", [None, None, None]),
    ("$ = {leak: 1}; arguments[0] = $; arguments.leak = 1", "[$, arguments.leak]", [{}, None]),
    ("arguments.callee.leak = 1", "arguments.callee.leak === undefined", True),
    ("arguments.callee.prototype.leak = 1", "arguments.callee.prototype.leak === undefined", True),
    (
        "(function f() { f.caller.leak = 1; })()",
        "(function f() { return f.caller && f.caller.leak; })()",
        None,
    ),
    # built-ins
    (
        "Array = 1; JSON = 1; Math = 1; Object = 1; Promise = 1; eval = 1",
        "[Array, JSON, Math, Object, Promise, eval].filter(x => x === 1)",
        [],
    ),
    ("function Array() { return 1; }", "Array(2).length", 2),
    ("(0, eval)('function Array() { return 1; }')", "Array(2).length", 2),
    ("delete globalThis.Math; delete Math.abs", "Math.abs(-1)", 1),
    ("Math.leak = 1; Math.abs = () => 7", "[Math.leak, Math.abs(-1)]", [None, 1]),
    ("Math.random = () => 7", "Math.random() < 1", True),
    ("JSON.stringify = () => '666'; JSON.parse = () => 666", "[$, 1]", [{}, 1]),
    (
        "Date.now = () => 7; Date.prototype.getTime = () => 7",
        "[Date.now(), new Date().getTime()].includes(7)",
        False,
    ),
    (
        "Intl.leak = 1; Intl.NumberFormat.prototype.format = 1",
        "[Intl.leak, new Intl.NumberFormat('en').format(1)]",
        [None, "1"],
    ),
    ("console.log = 1; console.leak = 1", "[typeof console.log, console.leak]", ["function", None]),
    (
        "Reflect.ownKeys = () => []; leak = 1",
        "[typeof leak, Reflect.ownKeys({a: 1})]",
        ["undefined", ["a"]],
    ),
    ("Object.prototype.leak = 1", "({}).leak === undefined", True),
    ("Object.prototype.toString = () => 'leak'", "String({})", "[object Object]"),
    (
        "Object.prototype.__defineGetter__.call(Object.prototype, 'leak', () => 1)",
        "({}).leak === undefined",
        True,
    ),
    ("({}).__proto__.leak = 1", "({}).leak === undefined", True),
    ("Object.setPrototypeOf(Object.prototype, {leak: 1})", "({}).leak === undefined", True),
    ("Object.setPrototypeOf(Array.prototype, {leak: 1})", "[].leak === undefined", True),
    ("Array.prototype.push(7)", "[].concat(Array.prototype).length", 0),
    ("Array.prototype.map = 1", "[1].map(x => x)", [1]),
    ("Array.prototype.toJSON = () => 'leak'", "[1]", [1]),
    ("String.prototype.toJSON = () => 'leak'", "'a'", "a"),
    (
        "Object.defineProperty(Object.prototype, 'toJSON', {value: () => 'leak'})",
        "({a: 1})",
        {"a": 1},
    ),
    ("Object.prototype.get = () => 1; Object.prototype.value = 1", "Object.keys($).length", 0),
    ("Function.prototype.call = () => 'leak'", "(() => 1).call()", 1),
    (
        "Function.prototype.leak = 1; (() => 1).constructor.leak = 1",
        "[(() => 1).leak, Function.leak]",
        [None, None],
    ),
    (
        "Object.getPrototypeOf(function* () {}).leak = 1",
        "(function* () {}).leak === undefined",
        True,
    ),
    ("(function* () {})().__proto__.__proto__.next = 1", "[...(function* () { yield 1; })()]", [1]),
    ("Object.getPrototypeOf(async () => 1).leak = 1", "(async () => 1).leak === undefined", True),
    (
        "Object.getPrototypeOf(async function* () {}).prototype.next = 1",
        "typeof (async function* () {})().next",
        "function",
    ),
    ("[].values().__proto__.next = () => ({done: true})", "[...[1, 2]]", [1, 2]),
    ("[].values().map(x => x).__proto__.next = 1", "[...[1].values().map(x => x + 1)]", [2]),
    (
        "Iterator.from({next() {}}).__proto__.leak = 1",
        "Iterator.from({next() {}}).leak === undefined",
        True,
    ),
    ("'a'.matchAll(/a/g).__proto__.next = 1", "[...'a'.matchAll(/a/g)].length", 1),
    ("new Map().entries().__proto__.next = 1", "[...new Map([[1, 2]])]", [[1, 2]]),
    (
        "new Intl.Segmenter().segment('a').__proto__.leak = 1",
        "new Intl.Segmenter().segment('a').leak === undefined",
        True,
    ),
    ("Uint8Array.__proto__.prototype.leak = 1", "new Uint8Array(1).leak === undefined", True),
    ("Symbol.iterator.leak = 1; Symbol.leak = 1", "Symbol.leak === undefined", True),
    ("Symbol.for('leak').__proto__.leak = 1", "Symbol.for('leak').leak === undefined", True),
    (
        "Promise.resolve = 1; Promise.prototype.then = 1",
        "typeof Promise.resolve(1).then",
        "function",
    ),
    ("RegExp.prototype.exec = () => null", "/a/.test('a')", True),
    ("Array.prototype[Symbol.unscopables].map = false", "with ([]) typeof map", "function"),
    ("((x) => x)`a`.leak = 1", "((x) => x)`a`.leak === undefined", True),
    ("(t => { t.raw.leak = 1; return t; })`a`", "(t => t.raw.leak === undefined)`a`", True),
    # what the engine remembers
    (
        "/(secret)/.exec('my secret')",
        "[RegExp.$1, RegExp.lastMatch, RegExp.input, RegExp.leftContext]",
        ["", "", "", ""],
    ),
    ("RegExp.input = 'secret'; RegExp.$_ = 'secret'", "[RegExp.input, RegExp.$_]", ["", ""]),
    ("Promise.resolve().then(() => /(secret)/.exec('secret'))", "RegExp.$1", ""),
    ("Error.prepareStackTrace = () => 'leak'", "new Error('x').stack.slice(0, 8)", "Error: x"),
    ("Error.stackTraceLimit = 0", "new Error('x').stack.includes('at ')", True),
    ("Error.captureStackTrace(globalThis)", "typeof stack", "undefined"),
    (STAMP + "new Stamp(Array); Stamp.on(Array)", STAMP + "Stamp.on(Array)", False),
    ("Reflect.set(Object.prototype, 'toString', 1, globalThis)", "typeof toString", "function"),
    ("Reflect.set(Error.prototype, 'message', 'leak', TypeError)", "TypeError.message", None),
    (
        "__lookupSetter__.call({}, 'valueOf').leak = 1",
        "__lookupSetter__.call({}, 'valueOf').leak",
        None,
    ),
    # what acts later
    ("Promise.resolve().then(() => { leak = 1; })", "typeof leak", "undefined"),
    (
        "(async () => { for (let i = 0; i < 100; i++) await 1; leak = 1; })(); 1",
        "typeof leak",
        "undefined",
    ),
    (
        "Promise.resolve().then(() => Object.defineProperty(globalThis, 'leak', {value: 1}))",
        "typeof leak",
        "undefined",
    ),
    ("Promise.reject(new Error('nobody listens')); 1", "1", 1),
    ("import('nothing').catch(() => { leak = 1; }); 1", "typeof leak", "undefined"),
    (
        "var f = async () => { for await (const x of [1, 2]) leak = x; }; f(); 1",
        "typeof leak",
        "undefined",
    ),
    ("leak = new WeakRef({})", "typeof leak", "undefined"),
    # the worker's own doors
    ("__evaluate = 1; __check = 1; delete globalThis.__evaluate", "typeof __evaluate", "function"),
    ("__evaluate.leak = 1", "__evaluate.leak === undefined", True),
    ("__evaluate.call.leak = 1; __evaluate('$', 'leak = 1', '{}')", "typeof leak", "undefined"),
    (
        "Promise.resolve().then(() => __evaluate('$', 'leak = 1', null)); 1",
        "[typeof leak, $]",
        ["undefined", {}],
    ),
]


@pytest.mark.parametrize(("leave", "look", "untouched"), LEAKS, ids=[leak[0] for leak in LEAKS])
async def test_a_script_leaves_nothing_behind(
    scripts: Scripts, leave: str, look: str, untouched: Json
) -> None:
    for strictly in ("", "'use strict'; "):
        with suppress(ScriptFailed):
            await scripts.evaluate(strictly + leave, '{"mine": true}', name="first")

        assert await scripts.evaluate(look, "{}", name="second") == untouched


async def test_everything_that_outlives_a_script_is_frozen(scripts: Scripts) -> None:
    """What is reachable is found by walking it, from every global and from every literal."""
    found = await scripts.evaluate(FOUND, "{}", name="walk")

    assert isinstance(found, dict)
    assert found["open"] == []
    assert isinstance(found["seen"], int)
    assert found["seen"] > 1000


@pytest.mark.parametrize(
    "name",
    [
        "Atomics", "SharedArrayBuffer", "WebAssembly", "FinalizationRegistry", "setTimeout",
        "setInterval", "queueMicrotask", "fetch", "require", "process", "print", "load", "read",
        "gc", "d8", "quit", "ShadowRealm", "Deno", "__timer_manager", "__TimerManager",
    ],
)  # fmt: skip
async def test_what_could_act_later_or_outside_is_not_there(scripts: Scripts, name: str) -> None:
    assert await scripts.evaluate(f"typeof {name}", "{}", name="look") == "undefined"


async def test_the_globals_are_those_of_the_language(scripts: Scripts) -> None:
    """A new one in a newer V8 must be looked at before it is let in."""
    names = await scripts.evaluate("Object.getOwnPropertyNames(globalThis)", "{}", name="look")

    assert isinstance(names, list)
    assert {str(name) for name in names} <= set(LANGUAGE.split())


LANGUAGE = """
Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date
Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError
URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array
Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float16Array Float32Array
Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect WeakRef decodeURI
decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN console Temporal
SuppressedError DisposableStack AsyncDisposableStack __evaluate __check
"""


async def test_no_address_of_the_worker_or_its_files_is_told(scripts: Scripts) -> None:
    trace = await scripts.evaluate("new Error('x').stack", "{}", name="look")

    assert "/" not in str(trace)

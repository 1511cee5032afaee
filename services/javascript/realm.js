// The realm that every script of one worker runs in, one after another, none seeing another.
//
// All that a script can reach and that outlives it is frozen here, once. A script's own variables
// live in the function that evaluates it; what it adds to the global object is taken away before
// the next one starts. What could act after the script has ended is not there at all.
//
// Called with a key that no script knows and that opens the two doors for the worker; gives the
// array through which the worker hands in scopes that are large.
(function (key) {
  'use strict';

  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, isExtensible, ownKeys,
    deleteProperty, setPrototypeOf } = Reflect;
  const { freeze } = Object;
  const { isArray } = Array;
  const { parse, stringify } = JSON;
  const DEEPEST = 512;
  const LONGEST = 10 * 1024 * 1024;
  const MESSAGE = 1000;

  // These call back, or change memory, after a script has ended; SharedArrayBuffer comes back
  // through WebAssembly. JSON.rawJSON writes numbers that no reader of ours accepts.
  for (const late of ['Atomics', 'SharedArrayBuffer', 'WebAssembly', 'FinalizationRegistry']) {
    delete globalThis[late];
  }
  delete JSON.rawJSON;
  delete JSON.isRawJSON;

  // Assigning to an object what a frozen prototype has by the same name would fail, and silently:
  // `counts.constructor = 1`, `error.message = 'x'`. As accessors such names can be assigned.
  function assignable(home) {
    for (const key of ownKeys(home)) {
      const { value, writable, enumerable } = getOwnPropertyDescriptor(home, key);
      if (!writable) continue;
      defineProperty(home, key, {
        get() { return value; },
        set(own) {
          if (this === home) throw new TypeError(`Cannot assign to ${String(key)} of a built-in`);
          defineProperty(this, key,
            { value: own, writable: true, enumerable: true, configurable: true });
        },
        enumerable,
        configurable: false,
      });
    }
  }

  // What no global leads to, but an expression does.
  function hidden() {
    const segments = new Intl.Segmenter().segment('a');
    return [
      function* () {}, async function () {}, async function* () {},
      [].values(), ''[Symbol.iterator](), new Map().entries(), new Set().values(),
      ''.matchAll(/a/g), [].values().map(String), Iterator.from({ next() {} }),
      segments, segments[Symbol.iterator](),
      (function () { return arguments; })(),
    ].map((sample) => (typeof sample === 'function' ? sample : getPrototypeOf(sample)));
  }

  function freezeAll(roots) {
    const seen = new Set([globalThis]);
    const todo = [...roots];
    while (todo.length > 0) {
      const one = todo.pop();
      if (one === null || (typeof one !== 'object' && typeof one !== 'function')) continue;
      if (seen.has(one)) continue;
      seen.add(one);
      freeze(one);
      todo.push(getPrototypeOf(one));
      for (const key of ownKeys(one)) {
        const property = getOwnPropertyDescriptor(one, key);
        todo.push(property.value, property.get, property.set);
      }
    }
  }

  const evaluators = new Map();

  // A sloppy function with one parameter, whose direct eval sees nothing of this file.
  function evaluator(frame) {
    let made = evaluators.get(frame);
    if (made === undefined) {
      made = new Function(frame, 'return eval(arguments[1])');
      freezeAll([made]);
      evaluators.set(frame, made);
    }
    return made;
  }

  function describe(thrown) {
    try {
      const plain = typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error);
      return String((plain && stringify(thrown)) || String(thrown)).slice(0, MESSAGE);
    } catch {
      return 'something that cannot be shown';
    }
  }

  function lineOf(thrown) {
    try {
      const place = thrown instanceof Error && /^ +at .*\bscript:(\d+):\d+\)?$/m.exec(thrown.stack);
      return place ? Number(place[1]) : null;
    } catch {
      return null;
    }
  }

  function tooDeep(json) {
    // Half of what is nested opens, half closes.
    if (json.length < 2 * DEEPEST) return false;
    let depth = 0;
    for (let at = 0; at < json.length; at++) {
      const code = json.charCodeAt(at);
      if (code === 0x22) {
        while (json.charCodeAt(++at) !== 0x22) if (json.charCodeAt(at) === 0x5c) at++;
      } else if (code === 0x7b || code === 0x5b) {
        if (++depth > DEEPEST) return true;
      } else if (code === 0x7d || code === 0x5d) depth--;
    }
    return false;
  }

  // V8 14.4 takes a key that is one escaped character, as `"\n"`, for a backslash where objects
  // before it have had other shapes. Such a key is read with a mark before it, which is taken away.
  const ESCAPED = /(?<!\\)"(\\(?:u[0-9a-fA-F]{4}|[^u]))"(?=\s*:)/;
  const EVERY_ESCAPED = new RegExp(ESCAPED, 'g');
  const MARK = '\0key ';

  function read(text) {
    if (!ESCAPED.test(text)) return parse(text);
    return unmarked(parse(text.replace(EVERY_ESCAPED, '"\\u0000key $1"')));
  }

  function unmarked(value) {
    if (value === null || typeof value !== 'object') return value;
    if (isArray(value)) {
      for (let index = 0; index < value.length; index++) value[index] = unmarked(value[index]);
      return value;
    }
    const made = {};
    for (const key of ownKeys(value)) {
      const own = key.length === MARK.length + 1 && key.startsWith(MARK) ? key.slice(-1) : key;
      defineProperty(made, own,
        { value: unmarked(value[key]), writable: true, enumerable: true, configurable: true });
    }
    return made;
  }

  // The answer's first character says what the rest is; worker.py has the list.
  function answer(value) {
    if (value === undefined) return '=null';
    if (typeof value === 'function') return 'fa function';
    if (typeof value === 'symbol') return 'fa symbol';
    if (typeof value === 'bigint') return 'fa BigInt';
    let json;
    try {
      if (value instanceof Promise) return 'fa promise';
      json = stringify(value);
    } catch (thrown) {
      return 'fa value that cannot be written as JSON: ' + describe(thrown).split('\n', 1)[0];
    }
    if (json === undefined) return 'fa value whose toJSON gives none';
    if (json.length > LONGEST) return 'l';
    return tooDeep(json) ? `fa value nested more than ${DEEPEST} levels deep` : '=' + json;
  }

  // An object can have a getter or a trap anywhere: whatever looks at one may throw.
  function isSyntaxError(thrown) {
    try {
      return thrown instanceof SyntaxError;
    } catch {
      return false;
    }
  }

  function failure(thrown) {
    const line = lineOf(thrown);
    const early = line === null && isSyntaxError(thrown);
    return (early ? 's' : 't') + stringify([describe(thrown), line]);
  }

  function evaluate(frame, source, scope) {
    let value;
    try {
      value = read(scope);
    } catch {
      return 'x';
    }
    try {
      value = evaluator(frame)(value, source + '\n//# sourceURL=script');
    } catch (thrown) {
      return failure(thrown);
    }
    return answer(value);
  }

  function check(source) {
    // The whole is parsed before the first statement runs, and that one ends it.
    const strict = /^\s*(['"])use strict\1/.test(source) ? '"use strict";' : '';
    try {
      evaluator('$')(null, `${strict}throw 0;${source}`);
    } catch (thrown) {
      return thrown === 0 ? '=null' : 's' + stringify([describe(thrown), null]);
    }
    return '=null';
  }

  let own;
  let above;

  // Whether the realm is as it was made: whatever the last script added is removed.
  function clean() {
    if (!isExtensible(globalThis) || !setPrototypeOf(globalThis, above)) return false;
    const keys = ownKeys(globalThis);
    if (keys.length !== own.size) {
      for (const key of keys) if (!own.has(key) && !deleteProperty(globalThis, key)) return false;
    }
    // RegExp.$1 and its like remember the last match, whoever made it.
    /(?:)/.exec('');
    return true;
  }

  const inbox = [];

  function guarded(act) {
    return (shown, ...given) => {
      if (shown !== key) throw new TypeError('A script cannot call this');
      return clean() ? act(...given) : 'd';
    };
  }

  const doors = {
    __evaluate: guarded((frame, source, scope) => evaluate(frame, source, scope ?? inbox.pop())),
    __check: guarded(check),
  };
  for (const name of ownKeys(doors)) defineProperty(globalThis, name, { value: doors[name] });

  for (const error of [Error, AggregateError, EvalError, RangeError, ReferenceError,
    SuppressedError, SyntaxError, TypeError, URIError]) assignable(error.prototype);
  assignable(Object.prototype);
  for (const key of ownKeys(globalThis)) {
    const property = getOwnPropertyDescriptor(globalThis, key);
    defineProperty(globalThis, key, 'value' in property
      ? { writable: false, enumerable: property.enumerable, configurable: false }
      : { configurable: false });
  }
  above = getPrototypeOf(globalThis);
  own = new Set(ownKeys(globalThis));
  freezeAll([above, ...hidden(), ...ownKeys(globalThis).map((key) => globalThis[key])]);
  return inbox;
})

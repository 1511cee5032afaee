// Walks all that a script can reach and that it did not make: how many objects, and the paths of
// those that are open to change.
(function () {
  const samples = [
    function () {}, () => 1, class {}, function* () {}, async function () {}, async () => 1,
    async function* () {}, (function* () {})().__proto__, (async function* () {})().__proto__, (async () => 1)(),
    {}, [], '', 1, true, 1n, Symbol(), /a/, new Date(), new Error(), new Map(), new Set(),
    new WeakMap(), new WeakSet(), new WeakRef({}), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)),
    new Uint8Array(1), [].values(), ''[Symbol.iterator](), 'a'.matchAll(/a/g), new Map().keys(),
    new Set().values(), [].values().map(String), [].values().filter(String), [].values().take(1),
    [].values().drop(1), [].values().flatMap(String), Iterator.from({ next() {} }),
    new Intl.Segmenter().segment('a'), new Intl.Segmenter().segment('a')[Symbol.iterator](),
    (function () { return arguments; })(1), (function () { 'use strict'; return arguments; })(1),
    new Intl.DateTimeFormat().format, new Intl.NumberFormat().format, new Intl.Collator().compare,
    Proxy.revocable({}, {}).revoke, Promise.withResolvers().resolve, ((t) => t)`a`,
    Object.getOwnPropertyDescriptor((function () { 'use strict'; return arguments; })(), 'callee').get,
  ];
  const seen = new Set([globalThis]);
  const open = [];
  const todo = [];
  function walk(value, path) {
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      if (!seen.has(value)) {
        seen.add(value);
        todo.push([value, path]);
      }
    }
  }
  function properties(value, path) {
    walk(Object.getPrototypeOf(value), `${path}.__proto__`);
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (value === globalThis && (property.configurable || property.writable)) {
        open.push(`globalThis.${String(key)}`);
      }
      walk(property.value, `${path}.${String(key)}`);
      walk(property.get, `${path}.get ${String(key)}`);
      walk(property.set, `${path}.set ${String(key)}`);
    }
  }
  properties(globalThis, 'globalThis');
  samples.forEach((sample, at) => walk(Object.getPrototypeOf(sample), `sample ${at}`));
  walk(arguments.callee.caller, 'caller');
  while (todo.length > 0) {
    const [value, path] = todo.pop();
    if (!Object.isFrozen(value)) open.push(path);
    properties(value, path);
  }
  return { seen: seen.size, open };
})();

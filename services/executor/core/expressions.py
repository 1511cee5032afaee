"""``${…}`` in the values of a definition: compiled once, resolved against a scope.

The rules are Conductor's: a string that is one expression keeps the type of what it names; within
other text it becomes text; ``$${…}`` is the text ``${…}``; expressions nest, inner ones first; keys
of objects hold none. Mended: objects become text as JSON, and only what an execution consists of
can be named, never the process's environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from services.executor.core.jsonpath import Path, Visits, descend, find, parse
from services.executor.core.model import Json
from services.executor.core.references import escaped, escaped_text, keys_escaped, named, written
from services.executor.core.remembered import remembered

# A level of them is some frames of Python's stack. The registry refuses the same.
MAX_NESTING = 20
_SHORT_TEXT = 256
_HEADERS = "headers"
_BRACE = re.compile(r"[{}]")


class Scope(Protocol):
    """What expressions name."""

    @property
    def visits(self) -> Visits:
        """What all of them together may still look at."""

    def root(self, name: str) -> Json:
        """All of ``workflow`` or of a task; None: there is none of that name."""

    def member(self, root: str, name: str) -> Json:
        """One member of a root, e.g. ``output``; None: there is none."""

    def everything(self) -> Json:
        """All roots by name."""


Resolve = Callable[[Scope], Json]
Nodes = list[str | Resolve]


@dataclass(frozen=True, slots=True)
class Template:
    """A value that holds expressions.

    Attributes:
        resolve: Gives the value for a scope; may raise :class:`jsonpath.TooCostly`.
        handoff: The names, e.g. ``workflow.secrets.TOKEN``, that stay as they are. Where there
            are any, all else comes out as :mod:`references` has it stand beside them.
    """

    resolve: Resolve
    handoff: frozenset[str] = frozenset()


def compiled(value: Json, handoff: frozenset[str] | None = None) -> Template | None:
    """``value`` as a template; None: it holds no expression and is its own result.

    Args:
        handoff: The names that stay as they are, where there are others than those in ``value``.

    Raises:
        ValueError: Expressions nest deeper than :data:`MAX_NESTING`.
    """
    if handoff is None:
        handoff = handed_over(value)
    node = _node(value, bool(handoff))
    return None if node is None else Template(node, handoff)


def resolving(value: Json, handoff: frozenset[str]) -> Resolve:
    """What gives ``value`` resolved, which may be constant."""
    template = compiled(value, handoff)
    return (lambda scope: value) if template is None else template.resolve


def handed_over(value: Json) -> frozenset[str]:
    """The names in ``value`` that stay as they are."""
    return frozenset(_handoffs(value))


def resolved(value: Json, scope: Scope) -> Json:
    """``value`` with its expressions resolved; for values that were not compiled before."""
    template = compiled(value)
    return value if template is None else template.resolve(scope)


def as_text(value: Json) -> str:
    """How ``value`` stands within other text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _node(value: Json, escaping: bool) -> Resolve | None:
    if isinstance(value, str):
        return _text_node(value, escaping) if "${" in value else None
    # Documents nest 512 deep: loops and no comprehensions or maps, here and in what is returned,
    # since each of those is a frame more.
    if isinstance(value, list):
        items: list[tuple[int, Resolve]] = []
        for index, item in enumerate(value):
            if (node := _node(item, escaping)) is not None:
                items.append((index, node))
        return _list_node(value, items) if items else None
    if isinstance(value, dict):
        fields: list[tuple[str, Resolve]] = []
        for key, item in value.items():
            if (node := _node(item, escaping)) is not None:
                fields.append((escaped_text(key) if escaping else key, node))
        keyed = keys_escaped(value) if escaping else value
        return _dict_node(keyed, fields) if fields or keyed is not value else None
    return None


def _list_node(items: list[Json], live: list[tuple[int, Resolve]]) -> Resolve:
    def resolve(scope: Scope) -> Json:
        result = items.copy()
        for index, node in live:
            result[index] = node(scope)
        return result

    return resolve


def _dict_node(fields: dict[str, Json], live: list[tuple[str, Resolve]]) -> Resolve:
    def resolve(scope: Scope) -> Json:
        result = fields.copy()
        for key, node in live:
            result[key] = node(scope)
        return result

    return resolve


def _text_node(text: str, escaping: bool, depth: int = 1) -> Resolve:
    pieces = [*_pieces(text)]
    (is_expression, first), *others = pieces
    if is_expression and not others and not named(first):
        node = _expression(first, depth)
        return _escaping(node) if escaping else node
    if escaping:
        return partial(_joined_runs, _runs(pieces, depth))
    return partial(_joined, _nodes(pieces, depth))


def _nodes(pieces: list[tuple[bool, str]], depth: int) -> Nodes:
    nodes: Nodes = []
    for is_expression, piece in pieces:
        if not is_expression:
            nodes.append(piece)
        elif name := named(piece):
            nodes.append(written(name))
        else:
            nodes.append(_expression(piece, depth))
    return nodes


def _runs(pieces: list[tuple[bool, str]], depth: int) -> list[tuple[Nodes, str]]:
    """What is data, up to a reference each time, with that reference; the last has none."""
    runs: list[tuple[Nodes, str]] = []
    data: Nodes = []
    for is_expression, piece in pieces:
        if is_expression and (name := named(piece)):
            runs.append((data, written(name)))
            data = []
        else:
            data.append(_expression(piece, depth) if is_expression else piece)
    return [*runs, (data, "")]


def _joined_runs(runs: list[tuple[Nodes, str]], scope: Scope) -> Json:
    # Joined first, then escaped: what reads like a reference may have come in pieces.
    return "".join(
        [
            escaped_text(_joined(nodes, scope), before_reference=bool(reference)) + reference
            for nodes, reference in runs
        ]
    )


def _joined(nodes: Nodes, scope: Scope) -> str:
    return "".join([node if isinstance(node, str) else _piece(node, scope) for node in nodes])


def _piece(node: Resolve, scope: Scope) -> str:
    text = as_text(node(scope))
    # Short ones are bounded by how many a definition has room for.
    if len(text) > _SHORT_TEXT:
        scope.visits.write(len(text))
    return text


def _escaping(node: Resolve) -> Resolve:
    return lambda scope: escaped(node(scope))


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The parts of ``text``: (whether it is an expression, its text without the braces)."""
    closings = _closings(text)
    literal: list[str] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        if start > position and text[start - 1] == "$":
            literal += text[position : start - 1], "${"
            position = start + 2
            continue
        end = closings.get(start + 1)
        if end is None:
            break
        literal.append(text[position:start])
        if said := "".join(literal):
            yield False, said
        literal.clear()
        yield True, text[start + 2 : end]
        position = end + 1
    literal.append(text[position:])
    if said := "".join(literal):
        yield False, said


def _closings(text: str) -> dict[int, int]:
    """Where each brace closes, by where it opens; without those that do not."""
    closings: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            closings[opened.pop()] = brace.start()
    return closings


def _expression(text: str, depth: int) -> Resolve:
    if depth > MAX_NESTING:
        raise ValueError(f"an expression nests deeper than {MAX_NESTING} levels")
    if "${" in text:
        inner = _text_node(text, escaping=False, depth=depth + 1)
        return lambda scope: _path_node(as_text(inner(scope)))(scope)
    return _path_node(text)


# A definition's own paths are kept with it: this is for those that a value stands in.
@remembered(most=4096, longest=256)
def _path_node(text: str) -> Resolve:
    if not text.strip():
        return _empty
    try:
        path = parse(text)
    except ValueError:
        # As in Conductor: what cannot be found is null. The registry warns of it.
        return _nothing
    lower = _headers_in_lower_case(path)
    node = _path_resolving(path)
    return node if lower is None else partial(_either, node, _path_resolving(lower))


def _headers_in_lower_case(path: Path) -> Path | None:
    """``path`` as the name of a header is kept; None: it names none, or names it so.

    Remotes send the names in any case, and definitions name them as they have seen them.
    """
    keys = path.keys
    if _HEADERS not in keys[2:-1]:
        return None
    place = keys.index(_HEADERS, 2) + 1
    name = keys[place]
    if not isinstance(name, str) or name == name.lower():
        return None
    return Path((*keys[:place], name.lower(), *keys[place + 1 :]), path.selectors, path.function)


def _either(first: Resolve, second: Resolve, scope: Scope) -> Json:
    value = first(scope)
    return second(scope) if value is None else value


def _path_resolving(path: Path) -> Resolve:
    names = path.keys[:2]
    if len(names) < 2 or not all(isinstance(name, str) for name in names):
        return partial(_from_root, path)
    root, member = map(str, names)
    if path.selectors or path.function:
        return lambda scope: find(path, scope.member(root, member), 2, scope.visits)
    rest = path.keys[2:]
    if not rest:
        return lambda scope: scope.member(root, member)
    return lambda scope: descend(scope.member(root, member), rest)


def _from_root(path: Path, scope: Scope) -> Json:
    if path.keys and isinstance(path.keys[0], str):
        return find(path, scope.root(path.keys[0]), 1, scope.visits)
    return find(path, scope.everything(), 0, scope.visits)


def _empty(scope: Scope) -> Json:
    return ""


def _nothing(scope: Scope) -> Json:
    return None


def _handoffs(value: Json) -> Iterator[str]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
        elif isinstance(one, str) and "${" in one:
            for is_expression, piece in _pieces(one):
                if is_expression and (name := named(piece)):
                    yield name

"""JSON Schemas that lead back to themselves without going into the value that they judge. Pure.

The standard leaves open what they mean (2020-12 core, 9.4.1): the same is asked of the same value
without end. The validator gets over that, but takes hours to read a small one with many ways back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

Node: TypeAlias = Mapping[str, Any]

# What stands under these is asked of the same value.
_SAME = frozenset(("allOf", "anyOf", "oneOf", "not", "if", "then", "else"))
_SAME_BY_NAME = frozenset(("dependentSchemas", "dependencies"))
# And under these of a part of it, or of none until something refers to it.
_WITHIN = frozenset((
    "items", "additionalItems", "prefixItems", "additionalProperties", "propertyNames", "contains",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
))  # fmt: skip
_WITHIN_BY_NAME = frozenset(("properties", "patternProperties", "$defs", "definitions"))
_REFERENCES = ("$ref", "$dynamicRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")


def circle_in(schema: Node) -> str | None:
    """A reference by which a schema leads back to itself in the same value; None: there is none.

    A reference to what is not in ``schema`` leads nowhere.
    """
    return _Schemas(schema).circle()


class _Schemas:
    """All schemas in one, by where they lie in memory, and what they can be referred to by."""

    def __init__(self, root: Node) -> None:
        self._nodes: list[tuple[Node, str]] = []
        self._named: dict[str, Node] = {"": root}
        waiting = [(root, "")]
        while waiting:
            node, outer = waiting.pop()
            base = urljoin(outer, _text(node, "$id"))
            self._nodes.append((node, base))
            self._named.setdefault(urldefrag(base).url, node)
            for anchor in filter(None, (_text(node, name) for name in _ANCHORS)):
                self._named.setdefault(f"{urldefrag(base).url}#{anchor}", node)
            inner = (*_under(node, _SAME, _SAME_BY_NAME), *_under(node, _WITHIN, _WITHIN_BY_NAME))
            waiting += ((each, base) for each in inner)
        self._bases = {id(node): base for node, base in self._nodes}

    def circle(self) -> str | None:
        """As :func:`circle_in`: every schema is gone through once, and all that it asks first."""
        # False: it is being gone through, so that what leads to it leads back.
        done: dict[int, bool] = {}
        for node, _ in self._nodes:
            ways = [("", node, self._ways(node))] if id(node) not in done else []
            done.setdefault(id(node), False)
            while ways:
                _, here, following = ways[-1]
                reference, there = next(following, ("", None))
                if there is None:
                    done[id(here)] = True
                    ways.pop()
                elif id(there) not in done:
                    done[id(there)] = False
                    ways.append((reference, there, self._ways(there)))
                elif not done[id(there)]:
                    # Without one nothing leads back: it may have been an earlier step of the way.
                    return reference or next(by for by, *_ in reversed(ways) if by)
        return None

    def _ways(self, node: Node) -> Iterator[tuple[str, Node]]:
        """The schemas that are asked of the same value, and by which reference."""
        for name in _REFERENCES:
            reference = _text(node, name)
            target = self._target(reference, self._base_of(node)) if reference else None
            if target is not None:
                yield reference, target
        yield from (("", each) for each in _under(node, _SAME, _SAME_BY_NAME))

    def _base_of(self, node: Node) -> str:
        # What no keyword holds is a schema only since something refers to it.
        return self._bases.get(id(node), "")

    def _target(self, reference: str, base: str) -> Node | None:
        url, fragment = urldefrag(urljoin(base, reference))
        if fragment and not fragment.startswith("/"):
            return self._named.get(f"{url}#{fragment}")
        found: Any = self._named.get(url)
        for step in unquote(fragment).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(name)] if _is_below(name, len(found)) else None
            else:
                found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else None


def _is_below(name: str, count: int) -> bool:
    """Whether a step of a pointer is a number below ``count``, however many digits it has."""
    return name.isdecimal() and len(name) <= len(str(count)) and int(name) < count


def _under(node: Node, plain: frozenset[str], by_name: frozenset[str]) -> Iterator[Node]:
    for word, value in node.items():
        if word in plain:
            yield from _schemas(value if isinstance(value, list) else [value])
        elif word in by_name and isinstance(value, Mapping):
            yield from _schemas(value.values())


def _schemas(values: Any) -> Iterator[Node]:
    return (each for each in values if isinstance(each, Mapping))


def _text(node: Node, name: str) -> str:
    value = node.get(name)
    return value if isinstance(value, str) else ""

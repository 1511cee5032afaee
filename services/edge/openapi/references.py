"""What a schema refers to, as pointers into the document that it stands in. No IO.

Names that a schema gives to itself and its parts (``$id``, ``$anchor``) go: readers of OpenAPI
that follow them are few, and a schema that two routes have would be there twice by one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urldefrag, urljoin

from services.json_text import Json

# What these hold is no schema.
_VALUES = ("const", "default", "enum", "example", "examples")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_NAMES = ("$anchor", "$dynamicAnchor", "$id")
_REFERENCES = ("$dynamicRef", "$ref")


def refers(schema: object) -> bool:
    """Whether something in it is elsewhere."""
    if isinstance(schema, list):
        return any(map(refers, schema))
    if not isinstance(schema, dict):
        return False
    return any(word in schema for word in _REFERENCES) or any(map(refers, schema.values()))


def step(name: str) -> str:
    """One step of a pointer in a URI (RFC 6901 §6): ``a/b`` → ``/a~1b``."""
    return "/" + quote(name.replace("~", "~0").replace("/", "~1"), safe="$~")


def placed(schema: Mapping[str, Any], place: str) -> Json:
    """``schema`` as it stands at ``place`` (``#/components/schemas/X``).

    What it refers to and does not hold stays as it is written.
    """
    root = dict(schema)
    return _rewritten(root, "", _Names(root, place))


class _Names:
    """Where the named parts of a schema are: pointers by URI, with a fragment for anchors."""

    def __init__(self, root: Json, place: str) -> None:
        self._pointers = {"": place}
        self._root = ""
        for base, pointer, part in _parts(root, "", place):
            self._add(base, pointer, part)
            if pointer == place:
                self._root = base

    def _add(self, base: str, pointer: str, part: dict[str, Json]) -> None:
        if isinstance(part.get("$id"), str):
            self._pointers.setdefault(base, pointer)
            # Until draft 7 this was how an anchor was written.
            if fragment := urldefrag(str(part["$id"])).fragment:
                self._pointers.setdefault(f"{base}#{fragment}", pointer)
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(part.get(word), str):
                self._pointers.setdefault(f"{base}#{part[word]}", pointer)

    def pointer(self, reference: str, base: str, *, dynamic: bool) -> str:
        """Where ``reference``, written below ``base``, leads."""
        uri, fragment = urldefrag(_joined(base, reference))
        if dynamic and (outermost := self._pointers.get(f"{self._root}#{fragment}")):
            return outermost
        if fragment and not fragment.startswith("/"):
            return self._pointers.get(f"{uri}#{fragment}", reference)
        resource = self._pointers.get(uri)
        return reference if resource is None else resource + fragment


def _joined(base: str, reference: str) -> str:
    # urljoin knows no urn.
    return base + reference if reference.startswith("#") else urljoin(base, reference)


def _base(schema: dict[str, Json], above: str) -> str:
    own = schema.get("$id")
    return urldefrag(_joined(above, own)).url if isinstance(own, str) else above


def _parts(schema: Json, base: str, pointer: str) -> Iterator[tuple[str, str, dict[str, Json]]]:
    """Every schema in ``schema`` with the URI that it is below, and where it is."""
    if not isinstance(schema, dict):
        return
    base = _base(schema, base)
    yield base, pointer, schema
    for key, value in schema.items():
        at = pointer + step(key)
        if key in _VALUES:
            continue
        if key in _NAMED and isinstance(value, dict):
            for name, each in value.items():
                yield from _parts(each, base, at + step(name))
        elif isinstance(value, list):
            for index, each in enumerate(value):
                yield from _parts(each, base, f"{at}/{index}")
        else:
            yield from _parts(value, base, at)


def _rewritten(schema: Json, above: str, names: _Names) -> Json:
    if isinstance(schema, list):
        return [_rewritten(each, above, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    base = _base(schema, above)
    written: dict[str, Json] = {}
    for key, value in schema.items():
        if key in _REFERENCES and isinstance(value, str):
            written["$ref"] = names.pointer(value, base, dynamic=key == "$dynamicRef")
        elif key in _VALUES:
            written[key] = value
        elif key in _NAMED and isinstance(value, dict):
            written[key] = {name: _rewritten(each, base, names) for name, each in value.items()}
        elif key not in _NAMES or not isinstance(value, str):
            written[key] = _rewritten(value, base, names)
    return written

"""The request that a trial makes: its path, query and headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, urlencode

from services.edge.routes import Route, joined
from services.edge.trie import is_parameter, template_segments
from services.errors import InvalidRequest, NotFound

Fields = Sequence[tuple[str, str]]

_METHOD = re.compile(r"[A-Z]{1,16}\Z")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
# The connection's: there is none.
_NOT_HERE = frozenset(
    {"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding",
     "upgrade"}
)  # fmt: skip
_LOOSE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# What else a path may have as it is (RFC 3986 §3.3).
_IN_PATHS = "/%:@!$&'()*+,;=~"
_MOST_TOLD = 20


def method_of(written: str) -> str:
    """HTTP's method. Raises InvalidRequest."""
    method = written.upper()
    if not _METHOD.match(method):
        raise InvalidRequest("The method must be one of HTTP's, e.g. POST.")
    return method


def path_of(
    routes: Sequence[Route], base: str, method: str, path: str, values: Mapping[str, str]
) -> str:
    """The path that is asked for, percent-encoded.

    Args:
        routes: The service's.
        base: The service's path.
        path: A template of one of them, whole or below ``base``, or a path without parameters.
        values: For the parameters of a template, by name.

    Raises:
        InvalidRequest: A value is missing, empty or for nothing.
        NotFound: No route has that template.
    """
    if "?" in path or "#" in path:
        raise InvalidRequest("The path must be without a query: give its fields beside it.")
    template = _template(routes, method, path)
    if template is not None:
        return _filled(template, values)
    if "{" in path:
        raise NotFound(f"No route has the path {path}.{_known(routes)}")
    if values:
        raise InvalidRequest(f"The path {path} has no place for {_listed(values)}.")
    return _LOOSE_PERCENT.sub("%25", quote(_whole(routes, base, path), safe=_IN_PATHS))


def _template(routes: Sequence[Route], method: str, path: str) -> str | None:
    wanted = template_segments(path)
    there = [
        route
        for route in routes
        if wanted in (template_segments(route.path), template_segments(route.below))
    ]
    there.sort(key=lambda route: route.method != method)
    return there[0].path if there else None


def _filled(template: str, values: Mapping[str, str]) -> str:
    parts = template_segments(template)
    names = [part[1:-1] for part in parts if is_parameter(part)]
    if missing := [name for name in names if not values.get(name)]:
        raise InvalidRequest(
            f"A value is missing for {_listed(missing)} in {template}.", missing=" ".join(missing)
        )
    if spare := [name for name in values if name not in names]:
        raise InvalidRequest(f"The path {template} has no place for {_listed(spare)}.")
    filled = (
        quote(values[part[1:-1]], safe="") if is_parameter(part) else quote(part, safe=_IN_PATHS)
        for part in parts
    )
    return "/" + "/".join(filled)


def _whole(routes: Sequence[Route], base: str, path: str) -> str:
    """``path`` itself where a route of the service is there or it begins with ``base``."""
    asked, first = template_segments(path), template_segments(base)
    below = joined(base, path)
    if any(_fits(route, template_segments(below)) for route in routes):
        return below
    return path if asked[: len(first)] == first else below


def _fits(route: Route, segments: tuple[str, ...]) -> bool:
    parts = template_segments(route.path)
    return len(parts) == len(segments) and all(
        is_parameter(part) or part == segment for part, segment in zip(parts, segments, strict=True)
    )


def query_of(fields: Fields) -> bytes:
    """The query, without its ``?``."""
    return urlencode(fields, quote_via=quote).encode()


def headers_of(
    fields: Fields, key: bytes, body: bytes, *, is_token: bool = False
) -> list[tuple[bytes, bytes]]:
    """The request's headers: ``fields``, then what they leave out. Raises InvalidRequest.

    Args:
        key: Of the service's auth, or a token that it takes.
    """
    headers = [_header(name, value) for name, value in fields]
    names = {name for name, _ in headers}
    if key:
        headers = [each for each in headers if each[0] not in (b"x-api-key", b"authorization")]
        headers.append((b"authorization", b"Bearer " + key) if is_token else (b"x-api-key", key))
    if body:
        headers.append((b"content-length", b"%d" % len(body)))
        if b"content-type" not in names:
            headers.append((b"content-type", b"application/json"))
    return headers


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    if not _NAME.match(name):
        raise InvalidRequest(f"{name[:60]!r} is no name of a header.")
    if name.lower() in _NOT_HERE:
        raise InvalidRequest(f"The header {name} is the connection's: there is none to give it.")
    if not _VALUE.match(value):
        raise InvalidRequest(f"The value of the header {name} must be text of one line.")
    return name.lower().encode(), value.strip().encode("latin-1")


def _known(routes: Iterable[Route]) -> str:
    known = [f"{route.method} {route.path}" for route in routes]
    more = "" if len(known) <= _MOST_TOLD else f" and {len(known) - _MOST_TOLD} more"
    return f" There are: {', '.join(known[:_MOST_TOLD])}{more}." if known else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)

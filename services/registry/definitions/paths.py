"""The paths of services and routes: what they may be, and when two are the same."""

from __future__ import annotations

import re

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown

DOCUMENTATION = ("openapi", "docs", "mcp")

_SEGMENT = re.compile(r"[^\s\x00-\x1f\x7f?#%{}\\\"<>^`|]+\Z")
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}\Z")
_BRACED = re.compile(r"\{[^{}]+\}\Z")
# The edge sets it last, over anything of that name.
_TAKEN = "requestMetadata"


def segments(path: str) -> tuple[str, ...]:
    """``/a/b/`` → ``("a", "b")``: a trailing slash does not count, but ``//`` has a segment."""
    rest = path.removeprefix("/")
    return tuple(rest.removesuffix("/").split("/")) if rest else ()


def is_the_gateways(path: str) -> bool:
    """Whether it is ``/-`` or below, where the gateway has its own pages."""
    return segments(path)[:1] == ("-",)


def parameter_names(path: str) -> tuple[str, ...]:
    """``/{orderId}/lines/{n}`` → ``("orderId", "n")``."""
    return tuple(found[1] for part in segments(path) if (found := _PARAMETER.match(part)))


def erased(path: str) -> tuple[str, ...]:
    """Its segments without the names of parameters.

    Two routes answer the same requests only if method and these are equal.
    """
    return tuple("{}" if _PARAMETER.match(segment) else segment for segment in segments(path))


def joined(service_path: str, route_path: str) -> str:
    """The whole path of a route: ``/api/v1/orders`` and ``/{orderId}`` in one."""
    return "/" + "/".join((*segments(service_path), *segments(route_path)))


def documentation(service_id: str) -> dict[tuple[str, ...], str]:
    """The paths that the edge itself answers for a service, by their segments."""
    return {(service_id, page): f"/{service_id}/{page}" for page in DOCUMENTATION}


class PathType:
    """A path that begins with ``/``; a route's has parameters, a service's has none."""

    def __init__(self, *, parameters: bool) -> None:
        self._parameters = parameters

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            at.fault(f"must be text, not {shown(value)}")
        elif not value.startswith("/"):
            at.fault(f"must begin with '/', not {shown(value)}")
        else:
            if is_the_gateways(value) and not self._parameters:
                at.fault("must not be below '/-', which is the gateway's own")
            self._check_segments(segments(value), at)
        return value

    def _check_segments(self, parts: tuple[str, ...], at: Place) -> None:
        seen: set[str] = set()
        for part in parts:
            fault = self._parameter_fault(part, seen) if "{" in part else _literal_fault(part)
            if fault:
                at.fault(fault)

    def _parameter_fault(self, part: str, seen: set[str]) -> str:
        parameter = _PARAMETER.match(part)
        if not self._parameters:
            return f"must not hold parameters: {shown(part)} belongs into a route"
        if parameter is None:
            return _no_parameter(part)
        name = parameter[1]
        if name in seen:
            return f"has the parameter '{name}' twice"
        seen.add(name)
        return f"'{name}' is set by the gateway; name it otherwise" if name == _TAKEN else ""

    def says(self) -> str:
        return "path"

    def schema(self) -> Document:
        return {"type": "string", "pattern": "^/"}


def _no_parameter(part: str) -> str:
    if _BRACED.match(part):
        return (
            f"{shown(part)}: the name of a parameter is ASCII letters, digits, '_' and '-', "
            "and begins with a letter or '_'"
        )
    return f"{shown(part)}: a parameter is one whole segment like {{orderId}}"


def _literal_fault(part: str) -> str:
    if not part:
        return "must not have an empty segment ('//')"
    if part in (".", ".."):
        return f"must not have the segment '{part}'"
    if part.startswith(":"):
        return f"{shown(part)}: a parameter is written {{{part[1:]}}}"
    if "%" in part:
        return f"{shown(part)}: write the character itself; requests are decoded before matching"
    if not _SEGMENT.match(part):
        return f"{shown(part)} holds a character that no path has"
    return ""

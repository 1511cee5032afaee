"""Routes as an operator reads them: a line each, and the curl command that calls one."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from services import json_schema
from services.json_example import example
from tui.views.route_paths import whole_path

Json = Any

# What a path may have as it is (RFC 3986 §3.3).
_IN_PATHS = "/%:@!$&'()*+,;=~"
_WITH_BODY = ("POST", "PUT", "PATCH")
_PLACE = "TEXT"
_PARAMETER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One route of one service.

    Attributes:
        path: The whole path.
        document: The route, as its service has it.
    """

    service: Mapping[str, Json]
    method: str
    path: str
    document: Mapping[str, Json]

    @property
    def workflow(self) -> str:
        """``checkout v2``, or ``checkout`` where it is the latest at each call."""
        mapped = self.document["mappedWorkflow"]
        version = mapped.get("version")
        return f"{mapped['name']} v{version}" if version else str(mapped["name"])

    def text(self) -> str:
        """For a list."""
        mode = "" if self.document.get("workflowExecutionMode") != "ASYNCHRONOUS" else "  202"
        off = "" if self.service.get("enabled") is not False else "  (disabled)"
        whose = f"{self.service['id']}, auth {self.service['authConfigId']}"
        return f"{self.method:<6} {self.path}  →  {self.workflow}{mode}  [{whose}]{off}"

    def fields(self) -> dict[str, Json]:
        """For JSON."""
        return {
            "service": self.service["id"],
            "method": self.method,
            "path": self.path,
            "workflow": self.document["mappedWorkflow"]["name"],
            "version": self.document["mappedWorkflow"].get("version"),
            "mode": self.document.get("workflowExecutionMode", "SYNCHRONOUS"),
            "timeoutInSeconds": self.document.get("timeoutInSeconds") or 30,
            "authConfigId": self.service["authConfigId"],
            "enabled": self.service.get("enabled") is not False,
        }


Proof = tuple[str, str] | None
"""The header by which a caller proves who it is, with a word in capitals; None: by none."""


def proof_of(auth: Mapping[str, Json]) -> Proof:
    """What callers of a service with ``auth`` send."""
    match auth.get("authenticationType"):
        case "NONE" | "PUBLIC":
            return None
        case "JWT":
            return "Authorization", "Bearer TOKEN"
    return "X-API-Key", "KEY"


def tools(service: Mapping[str, Json], gateway: str, proof: Proof) -> Json:
    """What clients of tools (MCP) are configured with, to have the routes of ``service``."""
    server: dict[str, Json] = {"type": "http", "url": f"{gateway}/{service['id']}/mcp"}
    if proof is not None:
        server["headers"] = dict([proof])
    return {"mcpServers": {service["id"]: server}}


def lines(services: Iterable[Mapping[str, Json]]) -> list[RouteLine]:
    """All routes of ``services``, by path and method."""
    found = [
        RouteLine(service, route["httpMethod"], whole_path(service["path"], route["path"]), route)
        for service in services
        for route in service.get("routes") or ()
    ]
    return sorted(found, key=lambda line: (line.path, line.method))


def chosen(
    routes: Sequence[RouteLine], service_id: str, method: str, path: str
) -> RouteLine | None:
    """The route that a command names: by its path, or by that below its service's."""
    wanted = whole_path("", path)
    for line in routes:
        asked = line.service["id"] == service_id and line.method == method.upper()
        if asked and wanted in (line.path, whole_path("", line.document["path"])):
            return line
    return None


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a call, to begin with.

    Attributes:
        faults: Pointers and details of what its route refuses until it is filled in.
    """

    value: Json
    faults: tuple[tuple[str, str], ...] = ()


def body_of(line: RouteLine, schema: Mapping[str, Json] | None) -> Body | None:
    """A body that keeps to ``schema``; where none can be made, one with places to fill in.

    None: the route takes none.
    """
    if line.method not in _WITH_BODY:
        return None
    value = example(schema or {})
    faults = json_schema.faults(json_schema.compiled(schema), value) if schema else ()
    for pointer, _ in faults:
        value = _with_a_place(value, pointer.split("/")[1:])
    return Body(value, faults)


def _with_a_place(value: Json, steps: Sequence[str]) -> Json:
    """``value`` with a word in capitals instead of the text or number there."""
    if not steps:
        return value if isinstance(value, dict | list) else _PLACE
    name = steps[0].replace("~1", "/").replace("~0", "~")
    if isinstance(value, dict) and name in value:
        return value | {name: _with_a_place(value[name], steps[1:])}
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        at = int(name)
        return [*value[:at], _with_a_place(value[at], steps[1:]), *value[at + 1 :]]
    return value


def curl(line: RouteLine, gateway: str, proof: Proof, body: Body | None) -> str:
    """The command that calls a route: what stands in capitals is the caller's to fill in.

    Args:
        gateway: A URL without a path.
        proof: Of :func:`proof_of`.
        body: Of :func:`body_of`.
    """
    words = ["curl", "-X", line.method, gateway + _filled(line.path) + _query(line.document)]
    if proof is not None:
        words += ["-H", ": ".join(proof)]
    if body is not None:
        written = json.dumps(body.value, ensure_ascii=False)
        words += ["-H", "Content-Type: application/json", "-d", written]
    return " ".join(map(shlex.quote, words))


def _filled(path: str) -> str:
    # curl sends what is no ASCII as it is, and takes brackets for a range.
    return quote(_PARAMETER.sub(lambda found: found[1].upper(), path), safe=_IN_PATHS)


def _query(route: Mapping[str, Json]) -> str:
    required = [
        each
        for each in route.get("queryParameters") or ()
        if each.get("required") is True and each.get("default") is None
    ]
    pairs = [(each["name"], _given(each)) for each in required]
    return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""


def _given(parameter: Mapping[str, Json]) -> str:
    enum = parameter.get("enum")
    if enum:
        return str(enum[0]).lower() if isinstance(enum[0], bool) else str(enum[0])
    by_type = {"integer": "1", "number": "1.5", "boolean": "true"}
    return by_type.get(parameter.get("type", "string"), "TEXT")

"""The scripts of a route: taken out of its service, put back, and what they would be given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from podium.edge.v1 import edge_pb2 as pb
from tui.views.answers import POST, PRE, script_run
from tui.views.json_values import json_text

Json = Any

FIELDS = (PRE, POST)
TITLES = {PRE: "Pre-request script", POST: "Post-response script"}


class RouteGone(LookupError):
    """The service has that route no more."""


def scripts_of(service: Mapping[str, Json], method: str, below: str) -> dict[str, str]:
    """Both scripts of a route; empty where it has none.

    Args:
        below: The route's path as its service has it.

    Raises:
        RouteGone: There is no such route.
    """
    at = _index(service, method, below)
    route = service["routes"][at]
    return {field: str(route.get(field) or "") for field in FIELDS}


def with_scripts(
    service: Mapping[str, Json], method: str, below: str, scripts: Mapping[str, str]
) -> dict[str, Json]:
    """The service with these scripts in that route; an empty one is taken out.

    Raises:
        RouteGone: There is no such route.
    """
    routes = list(service.get("routes") or ())
    at = _index(service, method, below)
    kept = {name: value for name, value in routes[at].items() if name not in scripts}
    routes[at] = kept | {name: text for name, text in scripts.items() if text.strip()}
    return {**service, "routes": routes}


def _index(service: Mapping[str, Json], method: str, below: str) -> int:
    for number, route in enumerate(service.get("routes") or ()):
        if (route.get("httpMethod"), route.get("path")) == (method, below):
            return number
    raise RouteGone(f"The service has no route {method} {below} any more.")


def compared(scripts: Mapping[str, str]) -> str:
    """Both scripts as one text, to be compared with another one of them."""
    return "\n".join(f"// {name}\n{text}" for name, text in scripts.items() if text)


def seed(response: pb.TestRouteResponse | None, field: str) -> str:
    """What a script would be given, of a call that was tried: JSON text; empty: not known."""
    if response is None:
        return ""
    run = script_run(response, field)
    given = run.given if run is not None else _noted(response, field)
    # What was too long to be told is a text, cut off.
    return "" if given is None or isinstance(given, str) else json_text(given)


def _noted(response: pb.TestRouteResponse, field: str) -> Json:
    """Of a route without that script: the workflow's input, or what it gave."""
    found = None
    for stage in response.stages:
        notes = json.loads(stage.notes)
        found = notes.get("input" if field == PRE else "output", found)
    return found

"""The response half of a route: kept with an execution, to answer for it later as it was. No IO."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from services.edge.auth.model import Caller


@dataclass(frozen=True, slots=True)
class Response:
    """What a route makes of a result.

    Attributes:
        script: The post-response script; empty: the output is the body.
        envelope: The script gives status, headers and body.
        schema: JSON text of what the body must be; empty: anything.
        exposed: Reasons may be told to callers.
    """

    script: str = ""
    envelope: bool = False
    schema: str = ""
    exposed: bool = False


@dataclass(frozen=True, slots=True)
class Half:
    """What is kept with an execution to answer for it later, as it was when it was started.

    Attributes:
        principal: Who started it, and alone may have the answer.
        public: Whoever has the signed link may.
        service: The id of the service whose route started it.
        route: Method and path template of that route, as in ``POST /orders/{id}``.
        await_refs: The tasks of which the first to end is the answer.
    """

    principal: str
    public: bool
    service: str
    await_refs: tuple[str, ...]
    route: str = ""
    response: Response = field(default_factory=Response)


def half_text(opening: str, caller: Caller, response: Response) -> str:
    """A :class:`Half` as JSON text; ``opening`` is what is the same for all calls of the route."""
    public = "true" if caller.public else "false"
    said = {name: value for name, value in asdict(response).items() if value}
    tail = f',"response":{json.dumps(said)}' if said else ""
    return f'{opening},"principal":{json.dumps(caller.principal)},"public":{public}{tail}}}'


def read_half(text: str) -> Half | None:
    """None: the execution was not started by a route."""
    kept = json.loads(text) if text else None
    if not isinstance(kept, dict) or "principal" not in kept:
        return None
    return Half(
        principal=kept["principal"],
        public=kept.get("public") is True,
        service=kept.get("service", ""),
        await_refs=tuple(kept.get("awaitRefs") or ()),
        route=kept.get("route", ""),
        response=_response(kept.get("response") or {}),
    )


def _response(said: Mapping[str, Any]) -> Response:
    known = {each.name for each in fields(Response)}
    return Response(**{name: value for name, value in said.items() if name in known})

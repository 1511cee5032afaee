"""Calls of routes that are tried: made once, and kept for as long as the console is on a suite."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from podium.edge.v1 import edge_pb2 as pb
from services.errors import TooLarge

if TYPE_CHECKING:
    from tui.clients import Clients
    from tui.views.route_call import RouteCall

# A route waits for 300 s at most.
CALL_SECONDS = 330.0
SCRIPT_SECONDS = 40.0
KEY_METADATA = "podium-gateway-key-bin"
# What the services' messages hold, less what stands around it.
MOST_BODY_BYTES = 15 * 1024 * 1024
MOST_OF_ROUTE = 20
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Trial:
    """A call that was made.

    Attributes:
        response: What came; None: nothing did, and ``failed`` says why.
        at: Epoch seconds.
        may_go_on: It failed on its way: whether it has begun an execution is not known.
    """

    call: RouteCall
    at: float
    response: pb.TestRouteResponse | None = None
    failed: str = ""
    may_go_on: bool = False

    @property
    def size(self) -> int:
        """What it takes, roughly, in bytes."""
        return len(self.call.body) + (self.response.ByteSize() if self.response else 0)


class Trials:
    """The last calls of each route, of all together no more than fits; never on a disk."""

    def __init__(self, most: int = MOST_OF_ROUTE, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._of: OrderedDict[str, list[Trial]] = OrderedDict()

    def add(self, route: str, trial: Trial) -> None:
        """Keep a call of ``route``; the oldest go where there is no room."""
        kept = self._of.setdefault(route, [])
        self._of.move_to_end(route)
        kept.append(trial)
        del kept[: -self._most]
        while self.size > self._most_bytes and self._drop_oldest():
            pass

    def _drop_oldest(self) -> bool:
        """Let the oldest call go of the route that was tried longest ago; not the newest of all."""
        route, kept = next(iter(self._of.items()))
        if len(self._of) == 1 and len(kept) == 1:
            return False
        kept.pop(0)
        if not kept:
            del self._of[route]
        return True

    @property
    def size(self) -> int:
        """Of all, in bytes."""
        return sum(trial.size for kept in self._of.values() for trial in kept)

    def of(self, route: str) -> list[Trial]:
        """The calls of ``route``, the newest last."""
        return list(self._of.get(route, ()))


class KnownKeys:
    """API keys that were shown or typed since the console is on this suite, by their auth.

    They have no representation, and are written nowhere.
    """

    def __init__(self) -> None:
        self._by_auth: dict[str, str] = {}

    def learn(self, auth_id: str, key: str) -> None:
        """Know the key of an auth; of several the last."""
        if auth_id and key:
            self._by_auth[auth_id] = key

    def of(self, auth_id: str) -> str:
        """A key of that auth; empty: none is known."""
        return self._by_auth.get(auth_id, "")


async def try_route(clients: Clients, call: RouteCall, key: str) -> pb.TestRouteResponse:
    """Make a call: it runs the workflow, and limits count it. Raises as the edge does."""
    body = call.body.encode("utf-8", "surrogatepass")
    if len(body) > MOST_BODY_BYTES:
        raise TooLarge(f"The body has {len(body):,} bytes; at most {MOST_BODY_BYTES:,} are tried.")
    request = pb.TestRouteRequest(
        service_id=call.service,
        method=call.method,
        path=call.path,
        path_parameters=dict(call.parameters),
        query=[pb.QueryField(name=name, value=value) for name, value in call.query],
        headers=[pb.HeaderField(name=name, value=value) for name, value in call.headers],
        body=body,
    )
    metadata = ((KEY_METADATA, key.encode("utf-8", "replace")),) if key else ()
    return await clients.edge.TestRoute(request, timeout=CALL_SECONDS, metadata=metadata)


async def try_script(clients: Clients, script: str, payload: str) -> pb.TestScriptResponse:
    """What a script gives for a payload, JSON text. Raises as the edge does."""
    request = pb.TestScriptRequest(script=script, payload=payload)
    return await clients.edge.TestScript(request, timeout=SCRIPT_SECONDS)

"""`TestRoute`: a call through the gateway's own stages, and what each of them did."""

from __future__ import annotations

import asyncio
from typing import Any

from podium.edge.v1 import edge_pb2 as pb
from services.edge.bodies import aside
from services.edge.endpoint import Endpoint, Stage
from services.edge.gateway import Gateway
from services.edge.trial.cycle import LONGEST_BODY, Kept
from services.edge.trial.masking import MASK, masked, secrets_of
from services.edge.trial.notes import text_of
from services.edge.trial.recording import Record, Recorder, recorded, watched
from services.edge.trial.request import headers_of, method_of, path_of, query_of
from services.errors import InvalidRequest, NotFound, TooLarge, Unavailable

KEY_METADATA = "podium-gateway-key-bin"
_LONGEST_KEY = 8192
_HEAD_BYTES = 64 * 1024
# As they may be written: each is looked for in all that is told.
_MOST_SECRETS = 400


class Trials:
    """Tries routes.

    Args:
        gateway: Whose calls they are.
        stages: Its stages.
        head_bytes: How large a request's line and headers may be together, as the gateway has it.
    """

    def __init__(
        self,
        gateway: Gateway,
        stages: tuple[Stage[Gateway], ...],
        head_bytes: int = _HEAD_BYTES,
    ) -> None:
        self._gateway = gateway
        self._stages = stages
        self._head_bytes = head_bytes

    async def test(self, request: pb.TestRouteRequest, key: bytes) -> pb.TestRouteResponse:
        """The call that ``request`` describes, with ``key`` where there is one.

        Raises:
            InvalidRequest: It is no request, or a parameter of its path is missing.
            TooLarge: Its line and headers are larger than the gateway takes.
            NotFound: There is no such service, or no route of that template.
        """
        # Before it is written down, which takes longer the larger it is.
        self._check_size(_given_bytes(request))
        scope = self._scope(request, key)
        self._check_size(_sent_bytes(scope))
        secrets = secrets_of(scope["headers"])
        if len(secrets) > _MOST_SECRETS:
            raise InvalidRequest("Its headers have more secrets than can be put out of sight.")
        recorder, cycle = Recorder(), Kept(request.body, head=scope["method"] == "HEAD")
        endpoint = Endpoint(recorded(self._stages, recorder), watched(self._gateway, recorder))
        began = recorder.now()
        await _through(endpoint, scope | {"podium.cycle": cycle}, cycle)
        took = recorder.now() - began
        if not cycle.status:
            raise Unavailable("The gateway gave no answer.")
        response = await aside(len(cycle.body), _answer, cycle, secrets)
        response.stages.extend(_stage(record, secrets) for record in recorder.records)
        response.took.FromMicroseconds(int(took * 1e6))
        response.target = masked(_target(scope), secrets)
        return response

    def _check_size(self, size: int) -> None:
        if size > self._head_bytes:
            raise TooLarge(
                f"Line and headers of a request have {self._head_bytes:,} bytes at most."
            )

    def _scope(self, request: pb.TestRouteRequest, key: bytes) -> dict[str, Any]:
        """ASGI's, of a request that has come. Raises as :meth:`test`."""
        if len(key) > _LONGEST_KEY:
            raise InvalidRequest(f"A key has at most {_LONGEST_KEY} bytes.")
        definitions = self._gateway.definitions
        service = definitions.replica.get("service", request.service_id)
        if service is None:
            raise NotFound(f"There is no service {request.service_id!r}.")
        method = method_of(request.method)
        path = path_of(
            definitions.routes_of_service(service),
            service.document["path"],
            "GET" if method == "HEAD" else method,
            request.path,
            request.path_parameters,
        )
        headers = [(each.name, each.value) for each in request.headers]
        config = definitions.auth(service.document["authConfigId"])
        is_token = config is not None and config.tokens is not None
        return {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "raw_path": path.encode(),
            "query_string": query_of([(each.name, each.value) for each in request.query]),
            "headers": headers_of(headers, key, request.body, is_token=is_token),
        }


def _given_bytes(request: pb.TestRouteRequest) -> int:
    fields = [
        *request.path_parameters.items(),
        *((each.name, each.value) for each in request.query),
        *((each.name, each.value) for each in request.headers),
    ]
    return len(request.method) + len(request.path) + sum(len(a) + len(b) for a, b in fields)


def _sent_bytes(scope: dict[str, Any]) -> int:
    target = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])
    return target + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


async def _through(endpoint: Endpoint[Gateway], scope: dict[str, Any], cycle: Kept) -> None:
    """Run the call; where the RPC is cancelled, its client has left, as any may."""
    call = asyncio.ensure_future(endpoint(scope, cycle.receive, None))
    try:
        await asyncio.shield(call)
    except asyncio.CancelledError:
        cycle.gone()
        await call
        raise


def _answer(cycle: Kept, secrets: tuple[str, ...]) -> pb.TestRouteResponse:
    """The answer, without the secrets that were sent."""
    body = bytes(cycle.body)
    for secret in secrets:
        body = body.replace(secret.encode(), MASK.encode())
    response = pb.TestRouteResponse(
        status=cycle.status, body=body[:LONGEST_BODY], body_bytes=len(cycle.body)
    )
    for name, value in cycle.headers:
        text = masked(value.decode("latin-1"), secrets)
        response.headers.add(name=name.decode(), value=text)
        if name == b"podium-execution-id":
            response.execution_id = text
    return response


def _target(scope: dict[str, Any]) -> str:
    query: bytes = scope["query_string"]
    target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
    return target.decode()


def _stage(record: Record, secrets: tuple[str, ...]) -> pb.RouteStage:
    stage = pb.RouteStage(
        name=record.name,
        within=record.within,
        outcome=record.outcome,
        notes=text_of(record.notes, secrets),
    )
    stage.took.FromMicroseconds(int(record.took * 1e6))
    return stage

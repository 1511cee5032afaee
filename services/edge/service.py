"""EdgeService: how the edge is, what it answered and keeps, what its scripts and routes do."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from functools import partial

from podium.edge.v1 import edge_pb2 as pb, edge_pb2_grpc
from services.access import current
from services.edge.bodies import aside
from services.edge.cache_calls import cache_status, purge_cache
from services.edge.cache_entries import get_entry, list_entries
from services.edge.gateway import Gateway
from services.edge.limit_calls import list_limits, reset_limits
from services.edge.metrics.reporting import Reporting
from services.edge.openapi_calls import get_openapi
from services.edge.seeing import Seeing
from services.edge.session import Session
from services.edge.trial.trials import KEY_METADATA, Trials
from services.errors import InvalidRequest, Overloaded, TooLarge
from services.javascript import NoWorker, ScriptFailed
from services.json_text import DocumentError, parse_json
from services.rpc import Context

# Who waits without a deadline is answered after this long.
_LONGEST_WAIT_SECONDS = 60.0
# Of the caller's deadline: to bring the answer home.
_MARGIN_SECONDS = 0.1
# As long as a route's may be.
_LONGEST_SCRIPT = 100_000
# More a script is not given.
_LONGEST_PAYLOAD = 10 << 20


class EdgeService(edge_pb2_grpc.EdgeServiceServicer):
    """Answers for this process."""

    def __init__(
        self,
        version: str,
        gateway: Gateway,
        session: Session,
        trials: Trials,
        reporting: Reporting,
    ) -> None:
        self._trials = trials
        self._reporting = reporting
        self._version = version
        self._gateway = gateway
        self._scripts = gateway.scripts.scripts
        self._definitions = gateway.definitions
        self._seeing = Seeing(gateway.definitions.replica)
        self._session = session

    async def GetEdgeStatus(
        self, request: pb.GetEdgeStatusRequest, context: Context
    ) -> pb.GetEdgeStatusResponse:
        replica = self._definitions.replica
        if request.wait_for_revision > replica.revision:
            left = context.time_remaining()
            seconds = _LONGEST_WAIT_SECONDS if left is None else max(left - _MARGIN_SECONDS, 0.0)
            within = timedelta(seconds=min(seconds, _LONGEST_WAIT_SECONDS))
            await replica.reached(request.wait_for_revision, within)
        return pb.GetEdgeStatusResponse(
            version=self._version,
            revision=replica.revision,
            definitions_stale=replica.stale,
            executor_connected=self._session.connected,
        )

    async def TestScript(
        self, request: pb.TestScriptRequest, context: Context
    ) -> pb.TestScriptResponse:
        if len(request.script) > _LONGEST_SCRIPT:
            raise TooLarge(f"A script has at most {_LONGEST_SCRIPT:,} characters.")
        payload = request.payload or "{}"
        if len(payload) > _LONGEST_PAYLOAD:
            raise TooLarge(f"A payload has at most {_LONGEST_PAYLOAD:,} characters.")
        try:
            await aside(len(payload), parse_json, payload)
        except DocumentError as error:
            raise InvalidRequest(f"The payload cannot be read: {error}.") from None
        begun = time.monotonic()
        response = await self._tried(request.script, payload)
        response.took.FromMicroseconds(int((time.monotonic() - begun) * 1e6))
        return response

    async def TestRoute(
        self, request: pb.TestRouteRequest, context: Context
    ) -> pb.TestRouteResponse:
        return await self._trials.test(request, _key(context))

    async def GetOpenApi(
        self, request: pb.GetOpenApiRequest, context: Context
    ) -> pb.GetOpenApiResponse:
        return await get_openapi(self._gateway, request, current.get())

    async def GetCacheStatus(
        self, request: pb.GetCacheStatusRequest, context: Context
    ) -> pb.GetCacheStatusResponse:
        sight = self._seeing.services(request.service_id)
        return cache_status(self._gateway, request.service_id, sight)

    async def PurgeCache(
        self, request: pb.PurgeCacheRequest, context: Context
    ) -> pb.PurgeCacheResponse:
        return pb.PurgeCacheResponse(purged=await purge_cache(self._gateway, request))

    async def ListCacheEntries(
        self, request: pb.ListCacheEntriesRequest, context: Context
    ) -> pb.ListCacheEntriesResponse:
        self._seeing.services(request.service_id)
        return list_entries(self._gateway, request)

    async def GetCacheEntry(
        self, request: pb.GetCacheEntryRequest, context: Context
    ) -> pb.GetCacheEntryResponse:
        return get_entry(self._gateway, request, self._seeing)

    async def ListLimits(
        self, request: pb.ListLimitsRequest, context: Context
    ) -> pb.ListLimitsResponse:
        sight = self._seeing.services(request.service_id)
        return await list_limits(self._gateway, request, sight)

    async def ResetLimits(
        self, request: pb.ResetLimitsRequest, context: Context
    ) -> pb.ResetLimitsResponse:
        count = await reset_limits(self._gateway, request, current.get().name)
        return pb.ResetLimitsResponse(reset=count)

    async def GetGatewayMetrics(
        self, request: pb.GetGatewayMetricsRequest, context: Context
    ) -> pb.GetGatewayMetricsResponse:
        sight = self._seeing.services(request.query.service_id)
        return pb.GetGatewayMetricsResponse(report=await self._reporting.get(request, sight))

    async def WatchGatewayMetrics(
        self, request: pb.WatchGatewayMetricsRequest, context: Context
    ) -> AsyncIterator[pb.WatchGatewayMetricsResponse]:
        look = partial(self._seeing.services_of, current.get(), request.query.service_id)
        async with aclosing(self._reporting.watch(request, look)) as reports:
            async for report in reports:
                yield pb.WatchGatewayMetricsResponse(report=report)

    async def ListKeyUse(
        self, request: pb.ListKeyUseRequest, context: Context
    ) -> pb.ListKeyUseResponse:
        self._seeing.check_auth(request.auth_id)
        return pb.ListKeyUseResponse(keys=await self._reporting.key_use(request.auth_id))

    async def _tried(self, script: str, payload: str) -> pb.TestScriptResponse:
        try:
            value = await self._scripts.evaluate(script, payload, name="test", group=script)
        except NoWorker as error:
            raise Overloaded(str(error)) from None
        except ScriptFailed as error:
            fault = pb.ScriptFault(
                message=error.detail, line=error.line or 0, timed_out=error.timed_out
            )
            return pb.TestScriptResponse(fault=fault)
        # Lone surrogates are written as escapes.
        return pb.TestScriptResponse(result=json.dumps(value))


def _key(context: Context) -> bytes:
    """The key of the call that is tried; empty where it has none."""
    for name, value in context.invocation_metadata() or ():
        if name == KEY_METADATA:
            return value if isinstance(value, bytes) else value.encode()
    return b""

"""The edge put together: its copy of the definitions, its session, its three listeners."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata

from podium.edge.v1.edge_pb2_grpc import add_EdgeServiceServicer_to_server
from podium.executor.v1.executor_pb2_grpc import ExecutorServiceStub
from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services import javascript, log_service, rpc
from services.access import AccessInterceptor, ClusterKeys, ServiceIdentity, Verifier
from services.activity import Activity, kept
from services.auditing.noting import Noting, NotingInterceptor
from services.edge import relay, stages
from services.edge.audited import Auditing, auditing
from services.edge.bodies import BodyLimits
from services.edge.definitions import Definitions
from services.edge.endpoint import Endpoint
from services.edge.executor import Executor
from services.edge.flights import Flights, flying
from services.edge.gateway import Gateway
from services.edge.guesses import Guesses
from services.edge.judging import RouteJudges
from services.edge.keeping import Cache
from services.edge.links import Links
from services.edge.management import pages
from services.edge.management.conductor.stubs import Stubs, stubs_of
from services.edge.management.exposition import Exposition, Keys
from services.edge.management.refusals import for_conductor
from services.edge.management.written import Written
from services.edge.mcp.serving import Tools
from services.edge.metrics.gauges import Gauges
from services.edge.metrics.keeping import Metrics, keeping
from services.edge.metrics.reporting import Reporting
from services.edge.observing import Lines, Record, Spanning, all_of
from services.edge.protocol import Connections, Limits
from services.edge.relay import Relay
from services.edge.scripting import RouteScripts
from services.edge.server import address_of, bound, serving_http, together
from services.edge.service import EdgeService
from services.edge.session import Session, kept_open
from services.edge.settings import Settings
from services.edge.streams import Streams
from services.edge.tokens.fetching import Fetcher
from services.edge.tokens.issuers import Terms
from services.edge.tokens.verifier import Tokens
from services.edge.trial.trials import Trials
from services.edge.windows import Windows
from services.ids import RandomIds, new_execution_id
from services.log_ring import LogRing
from services.replica import Replica, following
from services.spans import exported

NAME = "podium.edge.v1.EdgeService"
KINDS = ("service", "auth", "application", "workflow", "schema", "webhook")

# Whoever asks how the edge is while it ends need not be waited for longer.
_GRPC_DRAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge that serves.

    Attributes:
        addresses: ``host:port`` of ``gateway``, ``management`` and ``edge``.
        replica: Its copy of the definitions.
    """

    addresses: Mapping[str, str]
    replica: Replica


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the listeners serve."""

    replica: Replica
    guard: AccessInterceptor
    gateway: Gateway
    session: Session
    management: pages.Management
    metrics: Metrics
    connections: Connections
    guesses: Guesses
    auditing: Auditing


@asynccontextmanager
async def serving(settings: Settings, ring: LogRing | None = None) -> AsyncGenerator[Edge]:
    """A running edge; neither registry nor executor need be there.

    It ends in the order that lets everybody have an answer: the listeners first, then the session
    that those answers come by, which would hold up every server that waits for its calls to end.

    Args:
        ring: What it logs, for those who watch that; without it, nothing.

    Raises:
        StartupError: It cannot start; one line says why.
    """
    settings.check()
    async with AsyncExitStack() as stack:
        gateway_socket = stack.enter_context(bound(settings.gateway_listen))
        management_socket = stack.enter_context(bound(settings.management_listen))
        parts = await _parts(stack, settings)
        address = await _serve_grpc(stack, settings, parts, ring or LogRing())
        await stack.enter_async_context(kept_open(parts.session))
        await stack.enter_async_context(relay.kept_open(parts.management.relay))
        activity = stack.enter_context(kept("edge", settings.activity_log))
        counted = parts.metrics.recorder.record, parts.auditing.record, parts.gateway.spanning
        record = _record(counted, activity, "gateway")
        await stack.enter_async_context(parts.gateway.tools.kept_open(record))
        await stack.enter_async_context(
            together(
                _serving_gateway(settings, gateway_socket, parts, record),
                _serving_management(
                    settings,
                    management_socket,
                    parts.management,
                    _record((parts.auditing.record_managed,), activity, "management"),
                ),
            )
        )
        listeners = {"gateway": gateway_socket, "management": management_socket}
        addresses = {name: address_of(each) for name, each in listeners.items()}
        yield Edge({**addresses, "edge": address}, parts.replica)


async def _parts(stack: AsyncExitStack, settings: Settings) -> _Parts:
    cluster_key = ClusterKeys(
        settings.file(settings.cluster_key_file, "cluster.key", "PODIUM_CLUSTER_KEY_FILE")
    )
    database = settings.file(settings.database, "edge.db", "PODIUM_EDGE_DATABASE")
    token = ServiceIdentity(cluster_key, "edge").token
    dial = stack.enter_async_context
    tls = settings.call_tls()
    registry = await dial(rpc.channel(settings.registry, partial(token, "registry"), tls=tls))
    executor = await dial(rpc.channel(settings.executor, partial(token, "executor"), tls=tls))
    replica = await stack.enter_async_context(following(database, registry, kinds=KINDS))
    verifier = Verifier(cluster_key, replica, "edge")
    stub = ExecutorServiceStub(executor)
    session = Session(stub, most_exchanges=settings.max_waiting)
    scripts = await dial(javascript.pool(settings.script_workers, at_once=False))
    flights = await dial(flying(settings.max_waiting))
    tokens = _tokens(stack, settings)
    judges = RouteJudges()
    stack.push_async_callback(judges.close)
    gateway = _gateway(
        settings,
        Definitions(replica),
        session,
        Executor(stub),
        Links.of(cluster_key),
        judges,
        scripts,
        flights,
        _spanning(stack, settings),
        tokens,
    )
    metrics = await dial(keeping(database, settings.metrics_rows))
    connections = Connections(metrics.recorder.refused)
    guard = AccessInterceptor(verifier, replica)
    management = _management(
        settings, verifier, guard, stubs_of(registry, executor), gateway, metrics, connections
    )
    guesses = Guesses(time.monotonic)
    kept = await dial(auditing(database, RegistryServiceStub(registry).RecordAuditEntries))
    return _Parts(replica, guard, gateway, session, management, metrics, connections, guesses, kept)


def _tokens(stack: AsyncExitStack, settings: Settings) -> Tokens:
    """What judges tokens of issuers, by the keys that it fetches from them."""
    egress = settings.egress(settings.listen, settings.management_listen, settings.registry)
    fetcher = Fetcher(egress)
    stack.push_async_callback(fetcher.close)
    terms = Terms(settings.keys_stale.total_seconds(), settings.keys_refetch.total_seconds())
    tokens = Tokens(fetcher.keys, time.monotonic, terms)
    stack.push_async_callback(tokens.close)
    return tokens


def _management(
    settings: Settings,
    verifier: Verifier,
    guard: AccessInterceptor,
    stubs: Stubs,
    gateway: Gateway,
    metrics: Metrics,
    connections: Connections,
) -> pages.Management:
    return pages.Management(
        verifier,
        stubs.registry,
        gateway.executor,
        replace(gateway.body_limits, advice=pages.LARGER_BODIES),
        settings.anonymous_application,
        gateway.definitions,
        settings.public_url,
        Exposition(
            metrics, partial(_gauges, connections, gateway), guard, Keys(verifier, stubs.registry)
        ),
        Reporting(metrics, gateway.definitions, time.time, issued=gateway.tokens.key_names),
        gateway.new_id,
        stubs,
        Relay(stubs.workers),
        Written(gateway.definitions.replica),
    )


def _gauges(connections: Connections, gateway: Gateway) -> Gauges:
    return Gauges(
        requests_in_flight=len(connections.tasks),
        connections=len(connections.connections) + len(connections.handshakes),
        session_connected=gateway.session.connected,
        definitions_stale=gateway.definitions.replica.stale,
    )


def _gateway(
    settings: Settings,
    definitions: Definitions,
    session: Session,
    executor: Executor,
    links: Links,
    judges: RouteJudges,
    scripts: javascript.Scripts,
    flights: Flights,
    spanning: Spanning | None,
    tokens: Tokens,
) -> Gateway:
    return Gateway(
        definitions=definitions,
        session=session,
        executor=executor,
        links=links,
        judges=judges,
        scripts=RouteScripts(scripts),
        windows=Windows(),
        streams=Streams(
            settings.max_streams,
            settings.longest_stream.total_seconds(),
            settings.max_streams_of_caller,
        ),
        tokens=tokens,
        tools=Tools(metadata.version("podium"), settings.max_body_bytes),
        cache=Cache(settings.cache_bytes),
        flights=flights,
        body_limits=BodyLimits(settings.max_body_bytes, settings.body_timeout.total_seconds()),
        metadata_headers=frozenset(name.encode() for name in settings.metadata_headers),
        now=partial(datetime.now, UTC),
        monotonic=time.monotonic,
        new_id=RandomIds(),
        new_execution_id=new_execution_id,
        spanning=spanning,
    )


def _spanning(stack: AsyncExitStack, settings: Settings) -> Spanning | None:
    """Has spans of calls sent until the stack ends, where the settings say where to."""
    spans = stack.enter_context(exported("edge", settings.traces_endpoint, settings.traces_ratio))
    return Spanning(spans, RandomIds()) if spans else None


async def _serve_grpc(
    stack: AsyncExitStack, settings: Settings, parts: _Parts, log: LogRing
) -> str:
    gateway, kept = parts.gateway, parts.auditing
    noting = Noting(kept.put, parts.replica, leaves=True, ended=kept.wake)
    service = EdgeService(
        metadata.version("podium"),
        gateway,
        parts.session,
        Trials(gateway, stages.STAGES, settings.max_header_bytes),
        parts.management.reporting,
    )
    address = await stack.enter_async_context(
        rpc.serving(
            partial(add_EdgeServiceServicer_to_server, service),
            log_service.LogService(log).add_to,
            address=settings.listen,
            interceptors=(NotingInterceptor(noting), parts.guard),
            failed=noting.failed,
            services=(NAME, log_service.NAME),
            grace=_GRPC_DRAIN_SECONDS,
            tls=settings.grpc_tls(),
        )
    )
    # Watches of it never end by themselves.
    stack.callback(log.close)
    return address


def _record(others: Sequence[Record | None], activity: Activity | None, listener: str) -> Record:
    """What is done with each request that a listener has answered."""
    told = Lines(activity, listener) if activity else None
    return all_of([each for each in (*others, told) if each is not None])


def _limits(settings: Settings) -> Limits:
    return Limits(
        header_seconds=settings.header_timeout.total_seconds(),
        header_bytes=settings.max_header_bytes,
        answer_seconds=settings.answer_timeout.total_seconds(),
    )


def _serving_gateway(
    settings: Settings, listening: socket.socket, parts: _Parts, record: Record
) -> AbstractAsyncContextManager[None]:
    return serving_http(
        Endpoint(stages.STAGES, parts.gateway, record=record, met=parts.guesses.met),
        listening,
        _limits(settings),
        connections=parts.connections,
        tls=settings.gateway_tls(),
        drain_seconds=settings.drain.total_seconds(),
        on_last_second=parts.session.give_up_all,
    )


def _serving_management(
    settings: Settings, listening: socket.socket, management: pages.Management, record: Record
) -> AbstractAsyncContextManager[None]:
    return serving_http(
        Endpoint(pages.STAGES, management, for_conductor, record),
        listening,
        _limits(settings),
        connections=Connections(on_drain=management.relay.drain),
        tls=settings.management_tls(),
        drain_seconds=settings.drain.total_seconds(),
        on_last_second=management.waits.give_up_all,
    )

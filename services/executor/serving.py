"""The executor from its settings: all its parts, opened and served."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc

from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services import javascript, log_service, logs, secrets_service
from services.access import AccessInterceptor, ClusterKeys, Keys, ServiceIdentity, Verifier
from services.activity import Activity, kept
from services.auditing.noting import Noting, NotingInterceptor
from services.auditing.outbox import Sender
from services.executor import effects, store as stores
from services.executor.audited import OutboxRows
from services.executor.breaking.breaker import Thresholds
from services.executor.breaking.breakers import Breakers
from services.executor.core.environment import chosen
from services.executor.deliveries import Terms
from services.executor.effects import Effect
from services.executor.effects.callbacks import CallbackTokens
from services.executor.handingoff import HandingOff
from services.executor.observing import Lines, Observer, TaskSpans
from services.executor.runtime import Limits, Runtime, running
from services.executor.sealed import resealing_copy
from services.executor.service import Executor
from services.executor.settings import ExecutorSettings
from services.executor.snapshots import Snapshots
from services.executor.store import Store
from services.executor.upkeep import Upkeep
from services.executor.workers.service import NAME as WORKERS, Workers
from services.log_ring import LogRing
from services.process import report_ready
from services.replica import Replica, first_copy, following
from services.rpc import channel, serving
from services.sealing import sealer_of
from services.secrets_service import SecretsService
from services.settings import read
from services.spans import Spans, exported

SERVICE = "podium.executor.v1.ExecutorService"
DEFINITIONS = (
    "workflow",
    "task",
    "schema",
    "application",
    "secret",
    "schedule",
    "event",
    "webhook",
)
_GRACE_SECONDS = 1.0


async def serve(stopping: asyncio.Event, environ: Mapping[str, str]) -> None:
    """Serve until ``stopping`` is set, then drain."""
    settings = read(ExecutorSettings, environ)
    ring = logs.configure(settings.log_level, "executor")
    settings.check_grpc(settings.listen)
    async with opened(settings, ring, environ) as (executor, runtime, replica, scripts, address):
        await first_copy(replica, stopping)
        if not stopping.is_set():
            report_ready({"executor": address})
            # Not before: their start takes as much of the machine as that of a service.
            scripts.start()
        await stopping.wait()
        executor.end_sessions()
        await runtime.drain(settings.drain.total_seconds())


@asynccontextmanager
async def opened(
    settings: ExecutorSettings,
    ring: LogRing | None = None,
    environ: Mapping[str, str] = os.environ,
) -> AsyncGenerator[tuple[Executor, Runtime, Replica, javascript.Scripts, str]]:
    """An executor that serves, its script workers not yet started; the address is the bound one.

    Args:
        ring: What it logs, for those who watch that; without it, nothing.
        environ: Where workflows read what the settings allow.

    Raises:
        StartupError: It cannot; says why.
    """
    cluster_key = ClusterKeys(_key_file(settings, settings.cluster_key_file, "cluster"))
    sealer = sealer_of(_key_file(settings, settings.secret_key_file, "secret"))
    database = settings.file(settings.database, "executor.db", "PODIUM_EXECUTOR_DATABASE")
    async with AsyncExitStack() as stack:
        scripts = await stack.enter_async_context(_scripts(settings))
        store = await stack.enter_async_context(stores.opened(database))
        definitions = database.with_name(f"{database.stem}-definitions.db")
        replica, registry = await _replica(stack, settings, definitions, cluster_key)
        sealed = await stack.enter_async_context(resealing_copy(definitions, replica, sealer))
        variables = chosen(environ, settings.workflow_environment)
        tokens = CallbackTokens(store.callback_key)
        handing_off = HandingOff(replica, sealer, tokens, settings.public_url)
        runtime = await _runtime(
            stack, settings, store, Snapshots(replica, variables), scripts, handing_off
        )
        executor, workers = Executor(runtime, replica, tokens), Workers(runtime, replica)
        access = AccessInterceptor(Verifier(cluster_key, replica, "executor"), replica)
        noting = await _noting(stack, store, replica, registry)
        texts = {name: environ[name] for name in variables}
        secrets = SecretsService(sealed, texts, settings.workflow_environment)
        address = await _served(
            stack, settings, executor, workers, secrets, access, noting, ring or LogRing()
        )
        yield executor, runtime, replica, scripts, address


async def _runtime(
    stack: AsyncExitStack,
    settings: ExecutorSettings,
    store: Store,
    snapshots: Snapshots,
    scripts: javascript.Scripts,
    handing_off: HandingOff,
) -> Runtime:
    """The engine at work, with what it does outside, and those who look on."""
    performers, breakers = await _performers(stack, settings)
    activity = stack.enter_context(kept("executor", settings.activity_log))
    traces = settings.traces_endpoint, settings.traces_ratio
    spans = stack.enter_context(exported("executor", *traces))
    return await stack.enter_async_context(
        running(
            store,
            snapshots,
            scripts,
            performers,
            handing_off,
            limits=_limits(settings),
            upkeep=Upkeep(settings.retention, export=settings.export),
            terms=Terms(delays=settings.webhook_delays),
            breakers=breakers,
            observers=_observers(activity, spans),
            new_trace=spans.new if spans else lambda execution_id: None,
        )
    )


def _limits(settings: ExecutorSettings) -> Limits:
    return Limits(
        settings.calls_per_host,
        settings.calls,
        branches=settings.branches,
        open=settings.open_executions,
        open_of_workflow=settings.open_of_workflow,
        waiting_tasks=settings.waiting_tasks,
    )


def _observers(activity: Activity | None, spans: Spans | None) -> list[Observer]:
    return [
        *((Lines(activity),) if activity else ()),
        *((TaskSpans(spans),) if spans else ()),
    ]


async def _served(
    stack: AsyncExitStack,
    settings: ExecutorSettings,
    executor: Executor,
    workers: Workers,
    secrets: SecretsService,
    access: AccessInterceptor,
    noting: Noting,
    log: LogRing,
) -> str:
    """Serve both until the stack ends; the address that is bound."""
    address = await stack.enter_async_context(
        serving(
            executor.add_to,
            workers.add_to,
            secrets.add_to,
            log_service.LogService(log).add_to,
            address=settings.listen,
            interceptors=[NotingInterceptor(noting), access],
            failed=noting.failed,
            services=[SERVICE, WORKERS, log_service.NAME, secrets_service.NAME],
            grace=_GRACE_SECONDS,
            tls=settings.grpc_tls(),
        )
    )
    stack.callback(log.close)
    executor.ends_with(workers.end_sessions)
    return address


def _key_file(settings: ExecutorSettings, path: Path | None, name: str) -> Path:
    return settings.file(path, f"{name}.key", f"PODIUM_{name.upper()}_KEY_FILE")


def _scripts(settings: ExecutorSettings) -> AbstractAsyncContextManager[javascript.Scripts]:
    return javascript.pool(settings.script_workers, at_once=False)


async def _performers(
    stack: AsyncExitStack, settings: ExecutorSettings
) -> tuple[Mapping[str, Effect], Breakers]:
    """What is done outside, and the breakers that it goes by."""
    breakers = _breakers(settings)
    egress = settings.egress(settings.listen, settings.registry)
    return await stack.enter_async_context(effects.opened(egress, breakers)), breakers


def _breakers(settings: ExecutorSettings) -> Breakers:
    return Breakers(
        Thresholds(
            percent=settings.breaker_percent,
            calls=settings.breaker_calls,
            window=settings.breaker_window.total_seconds(),
            open_for=settings.breaker_open.total_seconds(),
        )
    )


async def _noting(
    stack: AsyncExitStack, store: Store, replica: Replica, registry: grpc.aio.Channel
) -> Noting:
    """What writes entries of the audit log, and sends them until the stack ends."""
    rows = OutboxRows(store)
    await rows.let_all_go()
    sender = Sender(rows, RegistryServiceStub(registry).RecordAuditEntries)
    await stack.enter_async_context(sender.sending())
    return Noting(rows.put, replica, leaves=True, ended=sender.wake)


async def _replica(
    stack: AsyncExitStack, settings: ExecutorSettings, definitions: Path, cluster_key: Keys
) -> tuple[Replica, grpc.aio.Channel]:
    """The copy of the definitions, and the channel that it comes by."""
    identity = ServiceIdentity(cluster_key, "executor")
    registry = channel(
        settings.registry, lambda: identity.token("registry"), tls=settings.call_tls()
    )
    await stack.enter_async_context(registry)
    replica = following(definitions, registry, kinds=DEFINITIONS)
    return await stack.enter_async_context(replica), registry

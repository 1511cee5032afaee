"""The registry put together: its store, who watches it, and the server that answers for it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlite_utils import Database

from services import log_service, rpc, secrets_service
from services.access import AccessInterceptor, ClusterKeys, Verifier
from services.auditing import Entry
from services.auditing.noting import Noting, NotingInterceptor
from services.log_ring import LogRing
from services.registry import audit, store
from services.registry.access_calls import AccessCalls
from services.registry.access_key_calls import AccessKeyCalls
from services.registry.audit_calls import AuditCalls
from services.registry.audit_retention import Retention
from services.registry.audit_watch import AuditWatch
from services.registry.catalog import Catalog
from services.registry.changes import Changes
from services.registry.commits import Commits
from services.registry.definition_calls import DefinitionCalls
from services.registry.denials import Denials
from services.registry.first_start import Credentials, credentials, prepare
from services.registry.holders import HolderCalls
from services.registry.key_calls import KeyCalls
from services.registry.migrations import migrations
from services.registry.put_calls import PutCalls
from services.registry.reference_calls import ReferenceCalls
from services.registry.samples import SampleCalls
from services.registry.scripts import script_checks
from services.registry.sealed import SealedInRegistry
from services.registry.service import Registry
from services.registry.settings import RegistrySettings
from services.registry.signing_calls import Held, Signing
from services.registry.sources import Sources
from services.registry.trust import RegistryAuthority, Trusted, trusted
from services.resealing import resealing
from services.sealing import Sealer, sealer_of
from services.storage import Storage, opened, opening_failed

NAME = "podium.registry.v1.RegistryService"


@asynccontextmanager
async def serving(settings: RegistrySettings, ring: LogRing | None = None) -> AsyncGenerator[str]:
    """A running registry; yields the address to dial.

    Args:
        ring: What it logs, for those who watch that; without it, nothing.

    Raises:
        StartupError: It cannot start; one line says why.
    """
    settings.check_grpc(settings.listen)
    cluster_key = ClusterKeys(
        settings.file(settings.cluster_key_file, "cluster.key", "PODIUM_CLUSTER_KEY_FILE")
    )
    async with AsyncExitStack() as stack:
        stored = await _stored(stack, settings)
        verifier = Verifier(cluster_key, stored.authority, "registry")
        noting = Noting(
            partial(_written, stored.storage, stored.changes), stored.authority, leaves=False
        )
        registry = await _registry(stack, settings, stored, noting, verifier)
        log = ring or LogRing()
        address = await _served(stack, settings, stored, registry, noting, verifier, log)
        retention = Retention(settings.audit_days, settings.audit_rows, settings.audit_export)
        await stack.enter_async_context(retention.applied(stored.storage))
        # Watches never end by themselves: they would take all the time that calls are given.
        stack.callback(stored.changes.close)
        stack.callback(log.close)
        await stack.enter_async_context(stored.signing.kept())
        yield address


@dataclass(frozen=True, slots=True)
class _Stored:
    """The store, and what stands beside it in memory.

    Attributes:
        authority: Who may what, as it is now.
    """

    storage: Storage
    sealer: Sealer
    authority: RegistryAuthority
    changes: Changes
    commits: Commits
    signing: Signing


async def _stored(stack: AsyncExitStack, settings: RegistrySettings) -> _Stored:
    """Open the store; a new one is given what every one has."""
    sealer = sealer_of(
        settings.file(settings.secret_key_file, "secret.key", "PODIUM_SECRET_KEY_FILE")
    )
    database = settings.file(settings.database, "registry.db", "PODIUM_REGISTRY_DATABASE")
    given = credentials(settings.admin_key_id, settings.admin_key_secret_file)
    storage = await stack.enter_async_context(opened(database, migrations))
    try:
        held, now_trusted, epoch = await storage.transact(lambda db: _prepared(db, given, sealer))
    except sqlite3.Error as error:
        raise opening_failed(database, error) from error
    authority = RegistryAuthority(now_trusted)
    changes = Changes(storage, epoch, settings.heartbeat)
    changes.tell(now_trusted.message())
    commits = Commits(storage, changes, authority, settings.kept_revisions)
    stack.push_async_callback(commits.settled)
    every = timedelta(days=settings.signing_key_days)
    signing = Signing(held, sealer, commits, every, settings.signing_key_notice)
    return _Stored(storage, sealer, authority, changes, commits, signing)


async def _registry(
    stack: AsyncExitStack,
    settings: RegistrySettings,
    stored: _Stored,
    noting: Noting,
    verifier: Verifier,
) -> Registry:
    """All calls of the registry's own service."""
    storage, sealer, signing = stored.storage, stored.sealer, stored.signing
    changes, commits = stored.changes, stored.commits
    scripts = await stack.enter_async_context(script_checks())
    return Registry(
        storage,
        DefinitionCalls(storage, commits),
        PutCalls(storage, commits, scripts, sealer, settings.definitions),
        AccessCalls(storage, signing, Denials(noting), stored.authority),
        AccessKeyCalls(storage, commits, sealer),
        signing,
        KeyCalls(storage, commits, sealer),
        changes,
        Catalog(changes),
        AuditCalls(storage, changes.wake),
        AuditWatch(changes),
        ReferenceCalls(storage),
        SampleCalls(storage),
        HolderCalls(storage, changes),
        stored.authority,
        Sources(verifier),
    )


async def _served(
    stack: AsyncExitStack,
    settings: RegistrySettings,
    stored: _Stored,
    registry: Registry,
    noting: Noting,
    verifier: Verifier,
    log: LogRing,
) -> str:
    """Serve until the stack ends; the address that is bound."""
    resealed = resealing(stored.storage, SealedInRegistry(), stored.sealer)
    sealed = await stack.enter_async_context(resealed)
    guard = AccessInterceptor(verifier, stored.authority)
    return await stack.enter_async_context(
        rpc.serving(
            registry.add_to,
            log_service.LogService(log).add_to,
            secrets_service.SecretsService(sealed).add_to,
            address=settings.listen,
            interceptors=(NotingInterceptor(noting), guard),
            services=(NAME, log_service.NAME, secrets_service.NAME),
            grace=settings.drain.total_seconds(),
            tls=settings.grpc_tls(),
            failed=noting.failed,
        )
    )


async def _written(storage: Storage, changes: Changes, entry: Entry) -> None:
    await storage.transact(lambda db: audit.write(db, datetime.now(UTC), entry))
    changes.wake()


def _prepared(db: Database, given: Credentials | None, sealer: Sealer) -> tuple[Held, Trusted, str]:
    now = datetime.now(UTC)
    held = prepare(db, given, sealer, now)
    return held, trusted(db, now), store.epoch(db)

"""The registry put together: its store, who watches it, and the server that answers for it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
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
    sealer = sealer_of(
        settings.file(settings.secret_key_file, "secret.key", "PODIUM_SECRET_KEY_FILE")
    )
    database = settings.file(settings.database, "registry.db", "PODIUM_REGISTRY_DATABASE")
    given = credentials(settings.admin_key_id, settings.admin_key_secret_file)
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(opened(database, migrations))
        try:
            held, now_trusted, epoch = await storage.transact(
                lambda db: _prepared(db, given, sealer)
            )
        except sqlite3.Error as error:
            raise opening_failed(database, error) from error
        authority = RegistryAuthority(now_trusted)
        changes = Changes(storage, epoch, settings.heartbeat)
        changes.tell(now_trusted.message())
        commits = Commits(storage, changes, authority, settings.kept_revisions)
        stack.push_async_callback(commits.settled)
        scripts = await stack.enter_async_context(script_checks())
        every = timedelta(days=settings.signing_key_days)
        signing = Signing(held, sealer, commits, every, settings.signing_key_notice)
        verifier = Verifier(cluster_key, authority, "registry")
        noting = Noting(partial(_written, storage, changes), authority, leaves=False)
        registry = Registry(
            storage,
            DefinitionCalls(storage, commits),
            PutCalls(storage, commits, scripts, sealer, settings.definitions),
            AccessCalls(storage, signing, Denials(noting), authority),
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
            authority,
            Sources(verifier),
        )
        guard = AccessInterceptor(verifier, authority)
        sealed = await stack.enter_async_context(resealing(storage, SealedInRegistry(), sealer))
        log = ring or LogRing()
        address = await stack.enter_async_context(
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
        retention = Retention(settings.audit_days, settings.audit_rows, settings.audit_export)
        await stack.enter_async_context(retention.applied(storage))
        # Watches never end by themselves: they would take all the time that calls are given.
        stack.callback(changes.close)
        stack.callback(log.close)
        await stack.enter_async_context(signing.kept())
        yield address


async def _written(storage: Storage, changes: Changes, entry: Entry) -> None:
    await storage.transact(lambda db: audit.write(db, datetime.now(UTC), entry))
    changes.wake()


def _prepared(db: Database, given: Credentials | None, sealer: Sealer) -> tuple[Held, Trusted, str]:
    now = datetime.now(UTC)
    held = prepare(db, given, sealer, now)
    return held, trusted(db, now), store.epoch(db)

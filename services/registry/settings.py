"""What the registry is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services.settings import Common, address, number, path, seconds, setting


@dataclass(frozen=True, kw_only=True)
class RegistrySettings(Common):
    """The registry's settings."""

    listen: str = setting(
        "PODIUM_REGISTRY_LISTEN",
        "127.0.0.1:7401",
        "Where the registry serves gRPC, HOST:PORT.",
        parse=address,
    )
    database: Path | None = setting(
        "PODIUM_REGISTRY_DATABASE",
        None,
        "The registry's database; without it, `registry.db` in the home.",
        parse=path,
    )
    secret_key_file: Path | None = setting(
        "PODIUM_SECRET_KEY_FILE",
        None,
        "The file of the key that secrets are sealed with, the same for registry and executor; "
        "without it, `secret.key` in the home.",
        parse=path,
    )
    admin_key_id: str = setting(
        "PODIUM_ADMIN_KEY_ID",
        "",
        "The id of the first administrator's access key. A new registry does not start without "
        "it; one that does not know the key gives it to the application `admin`.",
    )
    admin_key_secret_file: Path | None = setting(
        "PODIUM_ADMIN_KEY_SECRET_FILE",
        None,
        "The file of that key's secret, 16 characters at least.",
        parse=path,
    )
    signing_key_days: int = setting(
        "PODIUM_SIGNING_KEY_DAYS",
        90,
        "After how many days tokens are signed with a new key; 0: never by itself.",
        parse=number(0, 36_500),
    )
    signing_key_notice: timedelta = setting(
        "PODIUM_SIGNING_KEY_NOTICE_SECONDS",
        timedelta(seconds=60),
        "How long all services have known a new signing key before it signs; at least 1. One that "
        "cannot reach the registry for longer refuses tokens by the new key until it can.",
        parse=seconds(1),
    )
    heartbeat: timedelta = setting(
        "PODIUM_REGISTRY_HEARTBEAT_SECONDS",
        timedelta(seconds=5),
        "How long a watch of definitions is silent before it says that it is there; at least 0.1.",
        parse=seconds(0.1),
    )
    kept_revisions: int = setting(
        "PODIUM_REGISTRY_KEPT_REVISIONS",
        10_000,
        "How many changes of definitions a watch can catch up on; beyond, it begins again.",
        parse=number(1),
    )
    definitions: int = setting(
        "PODIUM_REGISTRY_DEFINITIONS",
        100_000,
        "How many definitions may be stored, each version of a workflow counted; beyond, no new "
        "ones are.",
        parse=number(1),
    )
    audit_days: int = setting(
        "PODIUM_AUDIT_RETENTION_DAYS",
        90,
        "How many days an entry of the audit log is kept; at least 1.",
        parse=number(1, 36_500),
    )
    audit_rows: int = setting(
        "PODIUM_AUDIT_RETENTION_ROWS",
        500_000,
        "How many changes the audit log keeps at most; of refusals and failures it keeps a fifth "
        "of that, so that they never push changes out. At least 1,000.",
        parse=number(1_000),
    )
    audit_export: Path | None = setting(
        "PODIUM_AUDIT_EXPORT_FOLDER",
        None,
        "The folder to which entries of the audit log are written before they are kept no more: "
        "gzipped files of JSON, an entry a line. Without it they go.",
        parse=path,
    )
    drain: timedelta = setting(
        "PODIUM_REGISTRY_DRAIN_SECONDS",
        timedelta(seconds=5),
        "How long calls under way are given when the registry stops.",
        parse=seconds(),
    )

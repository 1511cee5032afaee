"""The edge's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services.edge.mapping import NEVER_IN_METADATA
from services.egress.configured import EgressSettings
from services.settings import (
    Observed,
    SettingsError,
    address,
    is_loopback,
    number,
    path,
    seconds,
    setting,
    url,
    words,
)  # fmt: skip
from services.tls.files import Named, ServerFiles

METADATA_HEADERS = (
    "accept", "accept-language", "content-type", "host", "origin", "user-agent",
    "x-correlation-id", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
)  # fmt: skip

LONGEST_DRAIN = timedelta(seconds=10)


def header_names(text: str) -> tuple[str, ...]:
    """Names of headers that may be shown to workflows."""
    names = tuple(name.lower() for name in words(text))
    secret = sorted(NEVER_IN_METADATA.intersection(names))
    if secret:
        raise ValueError(f"must not name {', '.join(secret)}: what it holds would be stored")
    return names


def drain_seconds(text: str) -> timedelta:
    """How long the end may take: less than whoever ends the process waits before it kills it."""
    drain = seconds()(text)
    if drain > LONGEST_DRAIN:
        most = LONGEST_DRAIN.total_seconds()
        raise ValueError(
            f"must be at most {most:g} seconds, not {text!r}: the supervisor kills a service that "
            "has not ended after 12"
        )
    return drain


@dataclass(frozen=True, kw_only=True)
class Settings(EgressSettings, Observed):
    """What the edge is told."""

    gateway_listen: str = setting(
        "PODIUM_GATEWAY_LISTEN", "127.0.0.1:8080", "Where to serve routes over HTTP.", parse=address
    )
    management_listen: str = setting(
        "PODIUM_MANAGEMENT_LISTEN",
        "127.0.0.1:8081",
        "Where to serve the management API over HTTP; never the public address.",
        parse=address,
    )
    gateway_tls_cert_file: Path | None = setting(
        "PODIUM_GATEWAY_TLS_CERT_FILE",
        None,
        "The certificate that routes are served with, in PEM, and after it those of who signed "
        "it; without it, the gateway speaks plain text.",
        parse=path,
    )
    gateway_tls_key_file: Path | None = setting(
        "PODIUM_GATEWAY_TLS_KEY_FILE", None, "Its private key, in PEM.", parse=path
    )
    gateway_tls_client_ca_file: Path | None = setting(
        "PODIUM_GATEWAY_TLS_CLIENT_CA_FILE",
        None,
        "Who calls routes must show a certificate that one of these authorities has signed; "
        "workflows see whose it is as `requestMetadata.clientCertificate`.",
        parse=path,
    )
    management_tls_cert_file: Path | None = setting(
        "PODIUM_MANAGEMENT_TLS_CERT_FILE",
        None,
        "The certificate that the management API is served with, in PEM.",
        parse=path,
    )
    management_tls_key_file: Path | None = setting(
        "PODIUM_MANAGEMENT_TLS_KEY_FILE", None, "Its private key, in PEM.", parse=path
    )
    management_tls_client_ca_file: Path | None = setting(
        "PODIUM_MANAGEMENT_TLS_CLIENT_CA_FILE",
        None,
        "Who calls the management API must show a certificate that one of these has signed.",
        parse=path,
    )
    listen: str = setting(
        "PODIUM_EDGE_LISTEN", "127.0.0.1:7403", "Where to serve gRPC.", parse=address
    )
    public_url: str = setting(
        "PODIUM_PUBLIC_URL",
        "http://127.0.0.1:8080",
        "Where the gateway is reached from outside: callback URLs begin with it, and the "
        "management API shows it before the paths of services.",
        parse=url,
    )
    registry: str = setting(
        "PODIUM_REGISTRY", "127.0.0.1:7401", "Where the registry is.", parse=address
    )
    executor: str = setting(
        "PODIUM_EXECUTOR", "127.0.0.1:7402", "Where the executor is.", parse=address
    )
    database: Path | None = setting(
        "PODIUM_EDGE_DATABASE",
        None,
        "The edge's copy of the definitions, and its figures of the last 24 hours, which may be "
        "deleted; without it, `edge.db` in the home.",
        parse=path,
    )
    anonymous_application: str = setting(
        "PODIUM_ANONYMOUS_APPLICATION",
        "",
        "The application whose rights a management request without a token has; only where the "
        "management address is loopback, and so is the host that the request names.",
    )
    max_body_bytes: int = setting(
        "PODIUM_MAX_BODY_BYTES",
        10 * 1024 * 1024,
        "How large a request's body may be.",
        parse=number(1, 16 * 1024 * 1024),
    )
    header_timeout: timedelta = setting(
        "PODIUM_HEADER_TIMEOUT_SECONDS",
        timedelta(seconds=10),
        "How long a request's headers may take to arrive; at least 0.1.",
        parse=seconds(0.1),
    )
    body_timeout: timedelta = setting(
        "PODIUM_BODY_TIMEOUT_SECONDS",
        timedelta(seconds=10),
        "How long nothing may come of a request's body that is not all there; at least 0.1.",
        parse=seconds(0.1),
    )
    answer_timeout: timedelta = setting(
        "PODIUM_ANSWER_TIMEOUT_SECONDS",
        timedelta(seconds=30),
        "How long a client may take nothing of its answer before it is cut off; at least 0.1.",
        parse=seconds(0.1),
    )
    max_header_bytes: int = setting(
        "PODIUM_MAX_HEADER_BYTES",
        64 * 1024,
        "How large a request's line and headers may be together.",
        parse=number(1024),
    )
    max_waiting: int = setting(
        "PODIUM_MAX_WAITING_REQUESTS",
        10_000,
        "How many requests may wait for an execution; more get 503.",
        parse=number(1),
    )
    max_streams: int = setting(
        "PODIUM_MAX_STREAMS",
        1_000,
        "How many answers may be streams of events at once; more get 503.",
        parse=number(1),
    )
    max_streams_of_caller: int = setting(
        "PODIUM_MAX_STREAMS_OF_CALLER",
        250,
        "How many of them one key may have, or all who call a service without keys; more get 503.",
        parse=number(1),
    )
    longest_stream: timedelta = setting(
        "PODIUM_STREAM_SECONDS",
        timedelta(hours=1),
        "How long a stream of events may last, at least 0.1; then its client comes again and goes "
        "on where it was.",
        parse=seconds(0.1),
    )
    cache_bytes: int = setting(
        "PODIUM_CACHE_BYTES",
        64 * 1024 * 1024,
        "How much memory kept answers may take, one of them an eighth of it at most; 0: none is "
        "kept.",
        parse=number(0),
    )
    script_workers: int = setting(
        "PODIUM_EDGE_SCRIPT_WORKERS",
        2,
        "How many scripts of routes run side by side, each in a process of its own that is started "
        "when first needed.",
        parse=number(1, 64),
    )
    metrics_rows: int = setting(
        "PODIUM_METRICS_ROWS",
        100_000,
        "How much is kept of the gateway's figures: one row is a minute of one route and key. "
        "Where a day has more, its oldest minutes no longer tell keys apart, then routes.",
        parse=number(100, 10_000_000),
    )
    drain: timedelta = setting(
        "PODIUM_EDGE_DRAIN_SECONDS",
        timedelta(seconds=8),
        "How long requests under way are given at the end, at most 10; in the last second of it, "
        "those that still wait get 202.",
        parse=drain_seconds,
    )
    metadata_headers: tuple[str, ...] = setting(
        "PODIUM_METADATA_HEADERS",
        METADATA_HEADERS,
        "The request headers that workflows see in `requestMetadata`; never one that proves who "
        "calls.",
        parse=header_names,
    )

    keys_stale: timedelta = setting(
        "PODIUM_ISSUER_KEYS_STALE_SECONDS",
        timedelta(hours=1),
        "For how long the keys of a token issuer are used beyond their time while it is away; then "
        "calls with its tokens get 503.",
        parse=seconds(),
    )
    keys_refetch: timedelta = setting(
        "PODIUM_ISSUER_KEYS_REFETCH_SECONDS",
        timedelta(seconds=10),
        "How often at most tokens that name a key which is not known have the issuer's keys "
        "fetched, at least 1.",
        parse=seconds(1),
    )

    def check(self) -> None:
        """Refuse what is set and unsafe. Raises :class:`StartupError`."""
        self.check_grpc(self.listen)
        for listener, listen, tls in (
            ("gateway", self.gateway_listen, self.gateway_tls()),
            ("management", self.management_listen, self.management_tls()),
        ):
            prefix = f"PODIUM_{listener.upper()}_TLS_"
            self.check_plaintext(listener, listen, prefix, encrypted=tls is not None)
        if self.anonymous_application and not is_loopback(self.management_listen):
            raise SettingsError(
                "PODIUM_ANONYMOUS_APPLICATION lets anybody in who reaches the management API: "
                f"PODIUM_MANAGEMENT_LISTEN must be loopback then, not {self.management_listen}."
            )

    def gateway_tls(self) -> ServerFiles | None:
        """What routes are served with; None: plain text. Raises :class:`StartupError`."""
        return Named(
            ("PODIUM_GATEWAY_TLS_CERT_FILE", self.gateway_tls_cert_file),
            ("PODIUM_GATEWAY_TLS_KEY_FILE", self.gateway_tls_key_file),
            ("PODIUM_GATEWAY_TLS_CLIENT_CA_FILE", self.gateway_tls_client_ca_file),
        ).server()

    def management_tls(self) -> ServerFiles | None:
        """As :meth:`gateway_tls`, of the management API."""
        return Named(
            ("PODIUM_MANAGEMENT_TLS_CERT_FILE", self.management_tls_cert_file),
            ("PODIUM_MANAGEMENT_TLS_KEY_FILE", self.management_tls_key_file),
            ("PODIUM_MANAGEMENT_TLS_CLIENT_CA_FILE", self.management_tls_client_ca_file),
        ).server()

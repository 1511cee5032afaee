"""Settings: frozen dataclasses whose fields name the environment variable that sets them.

    @dataclass(frozen=True, kw_only=True)
    class Settings(Common):
        listen: str = setting("PODIUM_REGISTRY_LISTEN", "127.0.0.1:7401", "Where to serve gRPC.",
                              parse=address)

    settings = read(Settings, os.environ)

``python -m services.settings`` writes docs/settings.md from all of them.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from services.process import StartupError
from services.setting_texts import (
    LISTENERS,
    address,
    flag,
    fraction,
    number,
    one_of,
    parser_for,
    path,
    plaintext,
    seconds,
    url,
    words,
)
from services.tls.files import ClientFiles, Named, ServerFiles

__all__ = [
    "LISTENERS",
    "LOG_LEVELS",
    "REQUIRED",
    "Common",
    "Setting",
    "SettingsError",
    "address",
    "described_fields",
    "flag",
    "fraction",
    "is_loopback",
    "number",
    "one_of",
    "path",
    "plaintext",
    "read",
    "seconds",
    "setting",
    "url",
    "words",
]

S = TypeVar("S")

_KEY = "podium.setting"

logger = logging.getLogger(__name__)


class SettingsError(StartupError):
    """Variables that are missing or make no sense; the message names every one of them."""


class _Required:
    """The default of a setting that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field says of its variable.

    Attributes:
        variable: ``PODIUM_…``.
        default: Parsed; :data:`REQUIRED` where there is none; None where its doc says what then.
        doc: A sentence or two for the manual.
        parse: The text's value; raises ValueError with what it wants, e.g. ``must be a number``.
    """

    variable: str
    default: Any
    doc: str
    parse: Callable[[str], Any]


def setting(
    variable: str, default: Any, doc: str, *, parse: Callable[[str], Any] | None = None
) -> Any:
    """A dataclass field that :func:`read` takes from ``variable``.

    Args:
        default: The value where the variable is unset or empty.
        parse: Text to value, raising ValueError; without it, by the type of ``default``: bool,
            int, float, timedelta (seconds), Path, else the text itself.
    """
    described = Setting(variable, default, doc, parse or parser_for(default))
    if isinstance(default, _Required):
        return dataclasses.field(metadata={_KEY: described})
    return dataclasses.field(default=default, metadata={_KEY: described})


def read(cls: type[S], environ: Mapping[str, str]) -> S:
    """The settings that ``environ`` gives.

    Raises:
        SettingsError: Lists every fault, naming its variable.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, described in described_fields(cls):
        text = environ.get(described.variable, "")
        try:
            values[name] = _value(described, text)
        except ValueError as error:
            faults.append(f"{described.variable} {error}")
    if faults:
        raise SettingsError("; ".join(faults) + ".")
    return cls(**values)


def _value(described: Setting, text: str) -> Any:
    if text:
        return described.parse(text)
    if isinstance(described.default, _Required):
        raise ValueError("is not set")
    return described.default


def described_fields(cls: type[object]) -> Iterator[tuple[str, Setting]]:
    """The fields of ``cls`` that are settings, by name."""
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if _KEY in field.metadata:
            yield field.name, field.metadata[_KEY]


LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every service is told."""

    home: Path | None = setting(
        "PODIUM_HOME",
        None,
        "The folder of the databases and keys that no setting of their own places elsewhere.",
        parse=path,
    )
    cluster_key_file: Path | None = setting(
        "PODIUM_CLUSTER_KEY_FILE",
        None,
        "The file of the key by which the services trust each other, the same for all three; of "
        "several, one a line, the first signs and all verify. It is read again when it changes. "
        "Without it, `cluster.key` in the home.",
        parse=path,
    )
    log_level: str = setting(
        "PODIUM_LOG_LEVEL",
        "info",
        "What is written on stderr, and all above it; `podium log` has what is `info` and above.",
        parse=one_of(*LOG_LEVELS),
    )
    allow_plaintext: tuple[str, ...] = setting(
        "PODIUM_ALLOW_PLAINTEXT",
        (),
        "Serve without TLS on addresses that are not loopback, as on a private network or behind "
        "a proxy that ends TLS: `1`, or some of `grpc`, `gateway` and `management`.",
        parse=plaintext,
    )
    tls_cert_file: Path | None = setting(
        "PODIUM_TLS_CERT_FILE",
        None,
        "The certificate that gRPC is served with, in PEM, and after it those of who signed it. "
        "This and all files of certificates are read again when they change.",
        parse=path,
    )
    tls_key_file: Path | None = setting(
        "PODIUM_TLS_KEY_FILE", None, "Its private key, in PEM, without a passphrase.", parse=path
    )
    tls_client_ca_file: Path | None = setting(
        "PODIUM_TLS_CLIENT_CA_FILE",
        None,
        "Who calls gRPC must show a certificate that one of these authorities has signed.",
        parse=path,
    )
    tls_ca_file: Path | None = setting(
        "PODIUM_TLS_CA_FILE",
        None,
        "Call other services by TLS; one of these authorities must have signed their certificates.",
        parse=path,
    )
    tls_client_cert_file: Path | None = setting(
        "PODIUM_TLS_CLIENT_CERT_FILE",
        None,
        "The certificate that is shown to services that ask for one, in PEM.",
        parse=path,
    )
    tls_client_key_file: Path | None = setting(
        "PODIUM_TLS_CLIENT_KEY_FILE", None, "Its private key, in PEM.", parse=path
    )
    tls_server_name: str = setting(
        "PODIUM_TLS_SERVER_NAME",
        "",
        "What the certificates of services must be for, where that is not the host that they are "
        "called by.",
    )

    def file(self, given: Path | None, name: str, variable: str) -> Path:
        """``given``, else ``name`` in the home. Raises :class:`SettingsError` without either."""
        if given is not None:
            return given
        if self.home is None:
            raise SettingsError(f"Neither {variable} nor PODIUM_HOME is set.")
        return self.home / name

    def grpc_tls(self) -> ServerFiles | None:
        """What gRPC is served with; None: plain text. Raises StartupError."""
        return Named(
            ("PODIUM_TLS_CERT_FILE", self.tls_cert_file),
            ("PODIUM_TLS_KEY_FILE", self.tls_key_file),
            ("PODIUM_TLS_CLIENT_CA_FILE", self.tls_client_ca_file),
        ).server()

    def call_tls(self) -> ClientFiles | None:
        """What other services are called with; None: plain text. Raises StartupError."""
        return Named(
            ("PODIUM_TLS_CLIENT_CERT_FILE", self.tls_client_cert_file),
            ("PODIUM_TLS_CLIENT_KEY_FILE", self.tls_client_key_file),
            ("PODIUM_TLS_CA_FILE", self.tls_ca_file),
        ).client(self.tls_server_name)

    def check_grpc(self, listen: str) -> None:
        """As :meth:`check_plaintext`, of where gRPC is served."""
        self.check_plaintext("grpc", listen, "PODIUM_TLS_", encrypted=self.grpc_tls() is not None)

    def check_plaintext(self, listener: str, listen: str, prefix: str, *, encrypted: bool) -> None:
        """Refuse to speak plain text to a network; where the settings allow it, warn.

        Args:
            listener: One of :data:`LISTENERS`.
            listen: ``host:port``.
            prefix: How the settings of its certificate begin.
            encrypted: Whether it has one.

        Raises:
            SettingsError: It has none, ``listen`` is not loopback, and that is not allowed.
        """
        if encrypted or is_loopback(listen):
            return
        if listener not in self.allow_plaintext:
            raise SettingsError(
                f"{listen} is not a loopback address, and what is said there could be read on the "
                f"way: set {prefix}CERT_FILE and {prefix}KEY_FILE, or, on a private network or "
                f"behind a proxy that ends TLS, PODIUM_ALLOW_PLAINTEXT=1 (or ={listener})."
            )
        logger.warning(
            "What is said to the %s listener on %s is not encrypted: PODIUM_ALLOW_PLAINTEXT.",
            listener,
            listen,
        )


@dataclass(frozen=True, kw_only=True)
class Observed(Common):
    """What those services are told besides through which traffic goes."""

    activity_log: bool = setting(
        "PODIUM_ACTIVITY_LOG",
        False,
        "Write a line of JSON on stderr for each request that the edge answers, and for each task "
        "and execution that ends (docs/log.md).",
    )
    traces_endpoint: str = setting(
        "PODIUM_TRACES_ENDPOINT",
        "",
        "The URL of an OpenTelemetry collector that spans are sent to, as "
        "`http://127.0.0.1:4318/v1/traces`; it takes `pip install 'podium[otel]'`. Headers and "
        "certificates are the exporter's own `OTEL_EXPORTER_OTLP_…`.",
        parse=url,
    )
    traces_ratio: float = setting(
        "PODIUM_TRACES_RATIO",
        1.0,
        "How many of the traces that begin here are kept, from 0 to 1; of those that a caller has "
        "begun it decides.",
        parse=fraction,
    )


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach ``host:port``."""
    host = listen.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    # The classes were made by the module of this name, which is another one than this.
    from services import settings_manual

    settings_manual.write()

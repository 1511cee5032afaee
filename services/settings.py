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
import importlib
import importlib.util
import inspect
import ipaddress
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import services
from services.process import StartupError

S = TypeVar("S")

_KEY = "podium.setting"


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
    described = Setting(variable, default, doc, parse or _parser_for(default))
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


# What a variable's text may be.


def flag(text: str) -> bool:
    """``1``, ``true``, ``yes``, ``on`` or ``0``, ``false``, ``no``, ``off``."""
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
    raise ValueError(f"must be 1 or 0, not {text!r}")


def number(lowest: int = 0, highest: int | None = None) -> Callable[[str], int]:
    """A whole number from ``lowest`` to ``highest``."""

    def parse(text: str) -> int:
        wanted = f"must be a whole number of at least {lowest}"
        if highest is not None:
            wanted += f" and at most {highest}"
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"{wanted}, not {text!r}") from None
        if value < lowest or (highest is not None and value > highest):
            raise ValueError(f"{wanted}, not {text!r}")
        return value

    return parse


def seconds(lowest: float = 0) -> Callable[[str], timedelta]:
    """A duration of at least ``lowest`` seconds; fractions are allowed."""

    def parse(text: str) -> timedelta:
        try:
            value = timedelta(seconds=_positive(text))
        except (ValueError, OverflowError):
            raise ValueError(f"must be a number of seconds, not {text!r}") from None
        if value < timedelta(seconds=lowest):
            raise ValueError(f"must be at least {lowest:g} seconds, not {text!r}")
        return value

    return parse


def _positive(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def _decimal(text: str) -> float:
    try:
        return _positive(text)
    except ValueError:
        raise ValueError(f"must be a number of at least 0, not {text!r}") from None


def path(text: str) -> Path:
    """A path; ``~`` is the user's home."""
    return Path(text).expanduser()


def address(text: str) -> str:
    """``HOST:PORT``, an IPv6 host in brackets."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):
        raise ValueError(f"must be HOST:PORT, not {text!r}")
    return text


def url(text: str) -> str:
    """An address that begins with its scheme; without a slash at its end."""
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"must begin with http:// or https://, not {text!r}")
    return text.rstrip("/")


def words(text: str) -> tuple[str, ...]:
    """Words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def one_of(*choices: str) -> Callable[[str], str]:
    """One of ``choices``, in any case."""

    def parse(text: str) -> str:
        if text.strip().lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return text.strip().lower()

    return parse


def _parser_for(default: object) -> Callable[[str], Any]:
    match default:
        case bool():
            return flag
        case int():
            return number()
        case float():
            return _decimal
        case timedelta():
            return seconds()
        case Path():
            return path
    return str


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"must be a number from 0 to 1, not {text!r}")
    return value


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
        "The file of the key by which the services trust each other, the same for all three; "
        "without it, `cluster.key` in the home.",
        parse=path,
    )
    log_level: str = setting(
        "PODIUM_LOG_LEVEL",
        "info",
        "What is written on stderr, and all above it; `podium log` has what is `info` and above.",
        parse=one_of(*LOG_LEVELS),
    )
    allow_plaintext: bool = setting(
        "PODIUM_ALLOW_PLAINTEXT",
        False,
        "Serve gRPC without TLS on addresses that are not loopback, as on a private network.",
    )

    def file(self, given: Path | None, name: str, variable: str) -> Path:
        """``given``, else ``name`` in the home. Raises :class:`SettingsError` without either."""
        if given is not None:
            return given
        if self.home is None:
            raise SettingsError(f"Neither {variable} nor PODIUM_HOME is set.")
        return self.home / name

    def check_plaintext(self, *listen: str) -> None:
        """Refuse to serve plain text to a network, unless the settings allow it.

        Raises:
            SettingsError: One of ``listen`` (``host:port``) is not loopback.
        """
        for each in listen:
            if not self.allow_plaintext and not is_loopback(each):
                raise SettingsError(
                    f"{each} is not a loopback address, and what is said there could be read on "
                    "the way; on a private network set PODIUM_ALLOW_PLAINTEXT=1."
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


def manual() -> str:
    """docs/settings.md: every variable of every service."""
    found: dict[str, tuple[Setting, list[str]]] = {}
    for service, cls in _classes():
        for _, described in described_fields(cls):
            found.setdefault(described.variable, (described, []))[1].append(service)
    lines = [
        "# Settings",
        "",
        "Every service is set by environment variables; an empty one counts as not set. Written by",
        "`python -m services.settings`.",
        "",
        "| variable | of | default | what it sets |",
        "|---|---|---|---|",
    ]
    for variable, (described, users) in sorted(found.items()):
        of = ", ".join(sorted(set(users)))
        lines.append(f"| `{variable}` | {of} | {_shown(described.default)} | {described.doc} |")
    return "\n".join(lines) + "\n"


def _classes() -> Iterator[tuple[str, type[object]]]:
    # Found by name: this floor knows no service.
    for found in pkgutil.iter_modules(services.__path__):
        name = f"services.{found.name}.settings"
        if not found.ispkg or importlib.util.find_spec(name) is None:
            continue
        for _, cls in inspect.getmembers(importlib.import_module(name), dataclasses.is_dataclass):
            if isinstance(cls, type) and cls.__module__ == name:
                yield found.name, cls


def _shown(default: object) -> str:
    match default:
        case None | "" | ():
            return ""
        case _Required():
            return "must be set"
        case bool():
            return f"`{int(default)}`"
        case timedelta():
            return f"`{default.total_seconds():g}` s"
        case tuple():
            return f"`{','.join(map(_word, default))}`"
    return f"`{default}`"


def _word(part: object) -> str:
    return f"{part.total_seconds():g}" if isinstance(part, timedelta) else str(part)


if __name__ == "__main__":
    # The classes were made by the module of this name, which is another one than this.
    from services import settings

    target = Path(__file__).parents[1] / "docs" / "settings.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(settings.manual())

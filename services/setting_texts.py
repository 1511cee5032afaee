"""What a variable's text may be: parsers that raise ValueError with what they want."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any


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
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"names the home of a user who has none: {text!r}") from None


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


def parser_for(default: object) -> Callable[[str], Any]:
    """The parser of a setting that names none, by its default."""
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


LISTENERS = ("grpc", "gateway", "management")


def plaintext(text: str) -> tuple[str, ...]:
    """The listeners that may speak plain text to a network: a flag, for all, or their names."""
    named = tuple(word.lower() for word in words(text))
    if named and set(named) <= set(LISTENERS):
        return named
    try:
        return LISTENERS if flag(text) else ()
    except ValueError:
        raise ValueError(f"must be 1, 0, or some of {', '.join(LISTENERS)}, not {text!r}") from None

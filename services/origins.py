"""Where a call came from that the edge makes for somebody: told to the service that it calls.

It travels as metadata, which is believed of the edge alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, fields
from urllib.parse import quote, unquote

_PREFIX = "client-"
_LONGEST = 300
# What metadata carry as it is; the rest is quoted.
_PLAIN = " !#$&'()*+,-./:;<=>?@[]^_`{|}~\""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who is at the other end of the edge.

    Attributes:
        address: Without the port.
        agent: The ``User-Agent``.
        key: The id of the access key.
        principal: Who, where the call is on behalf of no application.
        trace: The id of the request, or the trace that it is part of.
    """

    address: str = ""
    agent: str = ""
    key: str = ""
    principal: str = ""
    trace: str = ""


NOBODY = Origin()
current: ContextVar[Origin] = ContextVar("podium_origin", default=NOBODY)


def metadata(given: Origin | None = None) -> tuple[tuple[str, str], ...]:
    """An origin, or the current one, as the metadata of a call."""
    origin = given or current.get()
    if origin is NOBODY:
        return ()
    told = ((each.name, getattr(origin, each.name)) for each in fields(origin))
    return tuple(
        (f"{_PREFIX}{name}", quote(value[:_LONGEST], safe=_PLAIN)) for name, value in told if value
    )


def read(given: Mapping[str, str] | Iterable[tuple[str, str | bytes]]) -> Origin:
    """What :func:`metadata` wrote."""
    pairs = given.items() if isinstance(given, Mapping) else given
    names = {f"{_PREFIX}{each.name}": each.name for each in fields(Origin)}
    told = {
        names[name]: unquote(value)[:_LONGEST]
        for name, value in pairs
        if name in names and isinstance(value, str)
    }
    return Origin(**told)

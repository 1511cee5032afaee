"""How the callers of a service prove who they are: one file per scheme, one line in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.edge.auth import api_key, none
from services.edge.auth.model import AuthConfig, Caller

Scheme = Callable[[AuthConfig, Mapping[bytes, bytes], float], Caller | None]

SCHEMES: Mapping[str, Scheme] = {
    "API_KEY": api_key.authenticate,
    "NONE": none.authenticate,
    "PUBLIC": none.authenticate,
}


def authenticate(config: AuthConfig, headers: Mapping[bytes, bytes], now: float) -> Caller | None:
    """Who calls; None: nobody that ``config`` lets in.

    ``headers`` are by lower-case name, the first of each; ``now`` is in seconds since 1970.
    """
    scheme = SCHEMES.get(config.scheme)
    return scheme(config, headers, now) if scheme else None

"""Where a call comes from that needs no token: its peer, or whom the edge says it asks for."""

from __future__ import annotations

from typing import Any

import grpc

from services import origins
from services.access import Verifier, bearer_token
from services.auditing import calling
from services.errors import Unauthenticated
from services.guessing import address_of, source_of
from services.rights import EDGE

Context = grpc.aio.ServicerContext[Any, Any]


class Sources:
    """Tells by the token of the edge whether its word is its word."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def of(self, context: Context) -> str:
        """The source, as :func:`services.guessing.source_of` has it."""
        given = {
            name: value
            for name, value in context.invocation_metadata() or ()
            if isinstance(value, str)
        }
        origin = origins.read(given)
        # Of anybody else it would be a word about themselves.
        if origin.address and self._is_edge(given.get("authorization", "")):
            if (told := calling.current.get()) is not None:
                calling.of_origin(told, origin)
            return source_of(origin.address)
        return source_of(address_of(context.peer()))

    def _is_edge(self, authorization: str) -> bool:
        try:
            return self._verifier.verify(bearer_token(authorization)).name == EDGE
        except Unauthenticated:
            return False

"""Who makes a management request, by its token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Call
from services.edge.problems import Problem, challenge
from services.errors import Unauthenticated

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# By this, Conductor's clients know that another token is to be had.
_INVALID = {"error": "INVALID_TOKEN"}


def caller_of(call: Call, management: Management) -> str:
    """The application that calls.

    Raises:
        Problem: 401.
    """
    token = _token(call)
    # A page of a stranger in somebody's browser has no token, and an origin.
    if not token and management.anonymous_application and b"origin" not in call.header:
        return management.anonymous_application
    if not token:
        raise Problem("unauthenticated", headers=(challenge(),))
    try:
        return management.verifier.verify(token).application_id
    except Unauthenticated:
        raise Problem("unauthenticated", headers=(challenge(),), members=_INVALID) from None


def _token(call: Call) -> str:
    """Conductor's ``X-Authorization`` has the bare token; ``Bearer`` before it does no harm."""
    given = call.header.get(b"x-authorization") or call.header.get(b"authorization", b"")
    scheme, _, rest = given.partition(b" ")
    token = rest if scheme.lower() == b"bearer" else given
    return token.strip().decode("latin-1")

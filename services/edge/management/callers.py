"""Who makes a management request, by its token."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services import origins
from services.access import application_principal
from services.edge.auth.model import Caller
from services.edge.call import Call
from services.edge.problems import Problem, challenge
from services.errors import PermissionDenied, ServiceError, Unauthenticated
from services.settings import is_loopback

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# By this, Conductor's clients know that another token is to be had.
_INVALID = {"error": "INVALID_TOKEN"}
_NO_TOKEN = (
    "This needs a token, as X-Authorization: POST /api/token gives one for the keyId and the "
    "keySecret of an access key."
)
_NO_LONGER = "The token does not hold, or not any more: POST /api/token gives another."
# What a browser says of a request that its user has made, or a page of this very listener.
_OWN_SITES = (b"none", b"same-origin")
_PORT = re.compile(r":[0-9]*\Z")


def caller_of(call: Call, management: Management) -> str:
    """The application that calls.

    Raises:
        Problem: 401.
    """
    token = _token(call)
    if not token and management.anonymous_application and not _may_be_a_strangers(call):
        return management.anonymous_application
    if not token:
        raise Problem("unauthenticated", _NO_TOKEN, headers=(challenge(),))
    try:
        principal = management.verifier.verify(token)
    except Unauthenticated:
        raise Problem(
            "unauthenticated", _NO_LONGER, headers=(challenge(),), members=_INVALID
        ) from None
    # Other services write it into the audit log.
    origins.current.set(replace(origins.current.get(), key=principal.access_key_id))
    return proven(call, principal.application_id)


def proven(call: Call, application_id: str) -> str:
    """``application_id``, which has proven who it is: refusals of ``call`` name it."""
    call.caller = Caller("", application_principal(application_id).name, application_id)
    return application_id


def with_way_out(error: ServiceError, call: Call, anonymous: str) -> ServiceError:
    """``error``; where nobody has made the application of those without a token, how to do it.

    Args:
        anonymous: That application; empty: none is named.
    """
    unknown = error.metadata.get("unknown_application")
    if not anonymous or unknown != anonymous or call.caller is not None:
        return error
    return PermissionDenied(
        f"There is no application {anonymous!r}, whose rights requests without a token have "
        "(PODIUM_ANONYMOUS_APPLICATION). Make it: `podium apply` takes a definition with "
        f"kind: application, id: {anonymous} and the roles that it is to have."
    )


def _may_be_a_strangers(call: Call) -> bool:
    """Whether a stranger's page in somebody's browser may have sent it.

    Such a page has an origin, which browsers leave out of what an image or a link gets, but then
    they say that another site asks, or whose page it is; what it reads from a host of its own,
    whose name it has made to mean this machine, has neither, and that name for its host.
    """
    host = call.header.get(b"host", b"").decode("latin-1").lower()
    return (
        b"origin" in call.header
        or not is_loopback(f"{_PORT.sub('', host)}:0")
        or call.header.get(b"sec-fetch-site", b"none") not in _OWN_SITES
        or not _referred_by(call.header.get(b"referer"), host)
    )


def _referred_by(referer: bytes | None, host: str) -> bool:
    """Whether no page has led here, or one of ``host``, which is with its port."""
    if referer is None:
        return True
    try:
        return urlsplit(referer.decode("latin-1")).netloc.lower() == host
    except ValueError:
        return False


def _token(call: Call) -> str:
    """Conductor's ``X-Authorization`` has the bare token; ``Bearer`` before it does no harm."""
    given = call.header.get(b"x-authorization") or call.header.get(b"authorization", b"")
    scheme, _, rest = given.partition(b" ")
    token = rest if scheme.lower() == b"bearer" else given
    return token.strip().decode("latin-1")

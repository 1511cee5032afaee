"""``Idempotency-Key``: requests that are sent again and are to be done once. No IO.

By draft-ietf-httpapi-idempotency-key-header: a string of structured fields (RFC 9651 §3.3.3), in
quotes; a bare word is taken for one. What is known by a key is the executor's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from services.edge.digests import digest
from services.edge.problems import Problem

if TYPE_CHECKING:
    from services.edge.auth.model import Caller
    from services.edge.call import Call
    from services.edge.routes import Route

HEADER = b"idempotency-key"
REPLAYED = (b"idempotent-replayed", b"true")
LONGEST_KEY = 255

_DIGEST_BYTES = 32
# Whatever is done once by these is done as often as they like.
SAFE_METHODS = ("GET", "HEAD")
_STRING = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"\Z')
_ESCAPED = re.compile(r"\\(.)")
_WORD = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+\Z")


def read_key(value: bytes) -> str:
    """The key in a field's value; empty if that is malformed, or has none."""
    value = value.strip(b" \t")
    if string := _STRING.match(value):
        key = _ESCAPED.sub(r"\1", string[1].decode("ascii"))
    else:
        key = value.decode("ascii") if _WORD.match(value) else ""
    return key if len(key) <= LONGEST_KEY else ""


def identified(call: Call, route: Route, caller: Caller) -> bytes:
    """What the request is known by within its route and for its caller; empty: by nothing.

    Raises:
        Problem: 400: the field is malformed, or there twice.
    """
    given = [value for name, value in call.headers if name == HEADER]
    if (
        not given
        or call.method in SAFE_METHODS
        or (caller.public and not route.idempotent_on_public)
    ):
        return b""
    key = read_key(given[0]) if len(given) == 1 else ""
    if not key:
        raise Problem("malformed-idempotency-key")
    return digest(*route.scope, caller.principal, key, size=_DIGEST_BYTES)

"""Entity tags: of what is sent, and whether a caller has it already (RFC 9110 §8.8.3, §13.1.2)."""

from __future__ import annotations

import re
from hashlib import blake2b

from services.edge.call import Answer, Call

# RFC 9110 §8.8.3; a comma may be in it.
_TAG = re.compile(rb'"[^"]*"')
# RFC 9110 §15.4.5: what a 304 tells as the 200 would have.
_TOLD_AGAIN = frozenset({b"cache-control", b"content-location", b"etag", b"expires", b"vary"})


def tag_of(body: bytes) -> bytes:
    """A strong tag: another body has another."""
    return b'"%b"' % blake2b(body, digest_size=16).hexdigest().encode()


def is_held(call: Call, tag: bytes) -> bool:
    """Whether the caller has what is tagged so: ``If-None-Match``, compared weakly."""
    held = b",".join(value for name, value in call.headers if name == b"if-none-match")
    return held.strip() == b"*" or tag.removeprefix(b"W/") in _TAG.findall(held)


def not_modified(answer: Answer) -> Answer:
    """304 in place of ``answer``."""
    return Answer(304, headers=tuple(each for each in answer.headers if each[0] in _TOLD_AGAIN))

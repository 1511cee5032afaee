"""Which pages of other origins may call a service (Fetch standard, CORS protocol). No IO.

A service without a ``corsConfig`` says nothing of origins, and browsers keep other pages out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.edge.call import Headers

ANY = "*"
# What a page needs to follow a long call, unless its service lists what it may see.
EXPOSED = ("Location", "Retry-After", "X-Request-Id", "Podium-Execution-Id")

_VARY = (b"vary", b"Origin")
_VARY_PREFLIGHT = (
    b"vary",
    b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
)
# RFC 9110 §5.6.2; a header field's name.
_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_MOST_ASKED_HEADERS = 100
# A host has 253 characters at most.
_LONGEST_ORIGIN = 300


@dataclass(frozen=True, slots=True)
class Cors:
    """What a service's ``corsConfig`` allows.

    Attributes:
        origins: Matches every origin that may call; None: all may.
        methods: ``Access-Control-Allow-Methods``; empty: those of the path.
        headers: ``Access-Control-Allow-Headers``; None: whatever is asked for.
        exposed: ``Access-Control-Expose-Headers``.
        credentials: Whether cookies and the like may come with a call.
        max_age: ``Access-Control-Max-Age``, in seconds; None leaves it to the browser.
    """

    origins: re.Pattern[bytes] | None
    methods: bytes
    headers: bytes | None
    exposed: bytes
    credentials: bool
    max_age: int | None

    def headers_of_answer(self, origin: bytes | None) -> Headers:
        """What goes with every answer to a call from ``origin``, an error too."""
        if self.origins is None and not self.credentials:
            return self._shared(b"*")
        if origin is None or not self.allows(origin):
            return (_VARY,)
        return (*self._shared(origin), _VARY)

    def headers_of_preflight(
        self, origin: bytes, asked: bytes | None, methods: Iterable[str]
    ) -> Headers:
        """What answers a preflight; nothing is allowed where ``origin`` is not.

        Args:
            asked: ``Access-Control-Request-Headers``.
            methods: By which the path is known.
        """
        if not self.allows(origin):
            return (_VARY_PREFLIGHT,)
        allowed = self._allowing(origin)
        allowed.append(
            (b"access-control-allow-methods", self.methods or ", ".join(sorted(methods)).encode())
        )
        headers = _tokens(asked or b"") if self.headers is None else self.headers
        if headers:
            allowed.append((b"access-control-allow-headers", headers))
        if self.max_age is not None:
            allowed.append((b"access-control-max-age", b"%d" % self.max_age))
        return (*allowed, _VARY_PREFLIGHT)

    def allows(self, origin: bytes) -> bool:
        """Whether a page of ``origin`` may call."""
        if self.origins is None:
            return True
        return len(origin) <= _LONGEST_ORIGIN and self.origins.match(origin.lower()) is not None

    def _allowing(self, origin: bytes) -> list[tuple[bytes, bytes]]:
        allowed = [(b"access-control-allow-origin", origin)]
        if self.credentials:
            allowed.append((b"access-control-allow-credentials", b"true"))
        return allowed

    def _shared(self, origin: bytes) -> Headers:
        return (*self._allowing(origin), (b"access-control-expose-headers", self.exposed))


def read_cors(service: Mapping[str, Any]) -> Cors | None:
    """What the document of a service says; None: it lets no page of another origin in."""
    config = service.get("corsConfig") or {}
    origins = config.get("accessControlAllowOrigin")
    if not origins:
        return None
    methods = config.get("accessControlAllowMethods") or ()
    headers = config.get("accessControlAllowHeaders")
    return Cors(
        origins=None if ANY in origins else _pattern(origins),
        methods=b"" if ANY in methods else _listed(methods),
        headers=None if headers is None or ANY in headers else _listed(headers),
        exposed=_listed(config.get("accessControlExposeHeaders") or EXPOSED),
        credentials=config.get("accessControlAllowCredentials") is True,
        max_age=config.get("accessControlMaxAge"),
    )


def _pattern(origins: Iterable[str]) -> re.Pattern[bytes]:
    """``https://*.shop.example`` is every host below that one; ``*`` never reaches past a host."""
    each = (re.escape(origin.lower()).replace(r"\*", "[a-z0-9.-]+") for origin in origins)
    return re.compile(f"(?:{'|'.join(each)})\\Z".encode())


def _listed(words: Iterable[str]) -> bytes:
    return ", ".join(words).encode()


def _tokens(asked: bytes) -> bytes:
    """The names of headers that were asked for, as far as they are such."""
    names = (name.strip() for name in asked.split(b",", _MOST_ASKED_HEADERS)[:_MOST_ASKED_HEADERS])
    return b", ".join(name for name in names if _TOKEN.match(name))

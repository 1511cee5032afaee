"""What the page is made of: swagger-ui's files and one of ours, served by the gateway itself.

They are read when the first page is asked for, and kept with what they are when compressed.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from swagger_ui_bundle import swagger_ui_path

from services.edge.call import Answer, Call
from services.edge.etags import is_held, tag_of
from services.edge.problems import Problem

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

_OURS = Path(__file__).parent
_SCRIPT = b"text/javascript; charset=utf-8"
_STYLE = b"text/css; charset=utf-8"
# Nothing else of either folder is served.
_FILES: Mapping[str, tuple[Path, bytes]] = {
    "swagger-ui.css": (swagger_ui_path, _STYLE),
    "index.css": (swagger_ui_path, _STYLE),
    "swagger-ui-bundle.js": (swagger_ui_path, _SCRIPT),
    "favicon-32x32.png": (swagger_ui_path, b"image/png"),
    "initializer.js": (_OURS, _SCRIPT),
}
_ALWAYS = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"Accept-Encoding"),
    (b"x-content-type-options", b"nosniff"),
)
# A smaller one is no smaller when compressed.
_LEAST_COMPRESSED = 1024


@dataclass(frozen=True, slots=True)
class Asset:
    """One file.

    Attributes:
        gzipped: Empty where that is not worth it.
    """

    content_type: bytes
    body: bytes
    gzipped: bytes


class Assets:
    """All files, and the version that is a part of their addresses: other files have another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version = ""
        self._files: Mapping[str, Asset] = {}

    async def version(self) -> str:
        """Hexadecimal digits, of what is in the files."""
        if not self._version:
            await asyncio.to_thread(self._read)
        return self._version

    async def find(self, version: str, name: str) -> Asset | None:
        """The file of that name, if that is the version."""
        return self._files.get(name) if version == await self.version() else None

    def _read(self) -> None:
        # Who comes second finds it done.
        with self._lock:
            if self._version:
                return
            self._files = {
                name: _asset((folder / name).read_bytes(), content_type)
                for name, (folder, content_type) in _FILES.items()
            }
            digest = blake2b(digest_size=8)
            for asset in self._files.values():
                digest.update(asset.body)
            self._version = digest.hexdigest()


def _asset(body: bytes, content_type: bytes) -> Asset:
    text = content_type.startswith(b"text/") and len(body) >= _LEAST_COMPRESSED
    return Asset(content_type, body, gzip.compress(body, mtime=0) if text else b"")


ASSETS = Assets()


async def asset(call: Call, gateway: Gateway, version: str, name: str) -> Answer:
    """A file of the page; it is kept by the browser, for its address changes with it."""
    found = await ASSETS.find(version, name)
    if found is None:
        raise Problem("no-route")
    zipped = bool(found.gzipped) and takes_gzip(call.header.get(b"accept-encoding", b""))
    body = found.gzipped if zipped else found.body
    tag = tag_of(body)
    headers = ((b"etag", tag), *_ALWAYS)
    if is_held(call, tag):
        return Answer(304, headers=headers)
    encoded = ((b"content-encoding", b"gzip"),) if zipped else ()
    return Answer(200, body, ((b"content-type", found.content_type), *encoded, *headers))


def takes_gzip(accepted: bytes) -> bool:
    """Whether ``Accept-Encoding`` (RFC 9110 §12.5.3) names gzip, at a weight that is not 0."""
    for each in accepted.lower().split(b","):
        coding, _, weight = each.replace(b" ", b"").partition(b";q=")
        if coding in (b"gzip", b"x-gzip"):
            return weight.strip(b"0.") != b"" if weight else True
    return False

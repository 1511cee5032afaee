"""Keys that were sent with a trial, put out of sight in what is told of it. No IO."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote, quote_plus

MASK = "***"

# A shorter one is found in everything, and hides nothing.
_SHORTEST = 4
# Of JSON: a text, or what is no text.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s",:\[\]{}]+')
_SECRET = (b"x-api-key", b"authorization", b"proxy-authorization", b"cookie")


def secrets_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """What proves who calls, as it was sent and as it may be written; the longest first."""
    found: set[str] = set()
    for name, value in headers:
        if name in _SECRET:
            found |= {value.decode("utf-8", "replace"), value.decode("latin-1")}
        if name in (b"authorization", b"proxy-authorization"):
            found |= _of_credentials(value)
        if name == b"cookie":
            found |= {each.partition("=")[2].strip() for each in value.decode("latin-1").split(";")}
    written = {form for each in found if len(each) >= _SHORTEST for form in _forms(each)}
    return tuple(sorted(written, key=len, reverse=True))


def _forms(secret: str) -> Iterator[str]:
    """``secret`` in text, in JSON, in a URL and in Base64."""
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    for encoded in (base64.b64encode, base64.urlsafe_b64encode):
        yield encoded(secret.encode()).decode().rstrip("=")


def _of_credentials(value: bytes) -> set[str]:
    scheme, _, credentials = value.partition(b" ")
    parts = [credentials.strip()]
    if scheme.lower() == b"basic":
        # What is no Basic proves nothing, and holds nothing more.
        with suppress(binascii.Error):
            parts += base64.b64decode(parts[0], validate=True).partition(b":")[::2]
    return {part.decode("utf-8", "replace") for part in parts}


def masked(text: str, secrets: Iterable[str]) -> str:
    """``text`` with ``***`` for each of ``secrets``."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def masked_json(text: str, secrets: tuple[str, ...]) -> str:
    """JSON ``text`` with ``***`` in its texts, and for a number that is one of ``secrets``."""

    def token(found: re.Match[str]) -> str:
        if found[0].startswith('"'):
            return json.dumps(masked(json.loads(found[0]), secrets), ensure_ascii=False)
        return f'"{MASK}"' if found[0] in secrets else found[0]

    return _TOKEN.sub(token, text)

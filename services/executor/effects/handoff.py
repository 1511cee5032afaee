"""Secrets and the callback URL: put into a request at the last moment, masked in its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from urllib.parse import quote

from services.egress.uris import parts_sent
from services.executor.core.model import Json
from services.executor.core.references import filled, pieces, written
from services.executor.effects.effect import HandOff
from services.executor.effects.masking import Mask, mapped

# Of a URI: "/hook" and "json" are no secrets by themselves.
_SHORTEST_PART = 12
# A word of a path has more letters now and then than a secret of a few has.
_SHORTEST_SEGMENT = 16

# A URI up to where its path begins.
_ORIGIN = re.compile(r"([^:/?#]*://)?[^/?#]*")
_IN_CREDENTIALS = re.compile(r"[^/?#]*@")
_SECRET = re.compile(r"workflow\.secrets\.([A-Za-z_][A-Za-z0-9_-]*)\s*(.*)", re.DOTALL)
_FIELD = re.compile(r"""\s*(?:\.\s*([^.\[\]\s]+)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\])\s*""")


_CALLBACK = "task.callbackUrl"


class NotHandedOver(Exception):
    """A secret, or a field of one, does not exist. The message names it and is a sentence."""


class Filling:
    """Puts secrets and the callback URL into one request, and remembers what to mask.

    Args:
        names: The references that may be replaced, as ``core.http.HttpRequest.handoff`` has them.
    """

    def __init__(self, names: Collection[str], handoff: HandOff, mask: Mask) -> None:
        self._names = names
        self._handoff = handoff
        self._mask = mask

    def text(self, text: str) -> str:
        """``text`` with every reference replaced, once: what is put in is not read again.

        Raises:
            NotHandedOver: There is no such secret, or no such field in it.
        """
        return filled(text, self._put_in) if self._names and "${" in text else text

    def uri(self, text: str) -> str:
        """``text``, a URI, with every reference replaced, once.

        What is put in is percent-encoded, so that the server reads the value itself. Where it
        begins the URI, or stands in its host, it is URI already and stays as it is.

        Raises:
            NotHandedOver: As from :meth:`text`.
        """
        if not self._names or "${" not in text:
            return text
        made = ""
        for piece in pieces(text):
            if isinstance(piece, str):
                made += piece
                continue
            value = self._put_in(piece.name)
            if value is None:
                made += piece.text
            else:
                made += piece.data
                made += self._spelt(value, made, piece.rest)
        return made

    def value(self, value: Json) -> Json:
        """``value`` with the references in it replaced; its keys hold none, but may hold data."""
        return mapped(value, self._leaf, self.text)

    def _leaf(self, value: Json) -> Json:
        return self.text(value) if isinstance(value, str) else value

    def _spelt(self, value: str, before: str, after: str) -> str:
        """``value`` as it stands in a URI between ``before`` and ``after``."""
        if not _ORIGIN.fullmatch(before):
            return quote(value, safe="", errors="replace")
        if "//" in before and _IN_CREDENTIALS.match(after):
            return quote(value, safe=":", errors="replace")
        if after[:1] in ("", "?", "&", "#"):
            # All of the URI, not the base of some: what is asked for is secret by itself.
            for part in _telling_parts(before + value):
                self._mask.hide(part)
        return value

    def _put_in(self, name: str) -> str | None:
        """What is put in, to be masked from now on; None: it is no reference to replace."""
        if name not in self._names:
            return None
        if name == _CALLBACK:
            value = self._handoff.callback_url()
            # Whoever has the token can build the URL.
            self._mask.hide(value.rpartition("/")[2])
        else:
            value = _secret(name, self._handoff)
            for former in _former(name, self._handoff):
                self._mask.hide(former)
        self._mask.hide(value)
        return value


def mask_of(names: Collection[str], handoff: HandOff) -> Mask:
    """What hides all that may have been put in for ``names``, as far as it is there still."""
    mask = Mask()
    for name in names:
        with suppress(NotHandedOver):
            value = Filling(names, handoff, mask).text(written(name))
            for each in (value, *_former(name, handoff)) if name != _CALLBACK else ():
                # It may have been all that was called.
                for part in _telling_parts(each) if "://" in each else ():
                    mask.hide(part)
    return mask


def _telling_parts(uri: str) -> Iterator[str]:
    """What of a URI that is secret by itself is secret, too."""
    for part in parts_sent(uri):
        if len(part) >= _SHORTEST_PART:
            yield part
        for segment in part.partition("?")[0].split("/"):
            if len(segment) >= _SHORTEST_SEGMENT:
                yield segment


def _secret(reference: str, handoff: HandOff) -> str:
    named = _SECRET.fullmatch(reference)
    if named is None:
        raise NotHandedOver(f"{reference[:100]!r} names no secret.")
    name, path = named.groups()
    text = handoff.secrets(name)
    if text is None:
        raise NotHandedOver(f"There is no secret '{name}', or it has no value.")
    return _field(name, text, path) if path else text


def _former(reference: str, handoff: HandOff) -> Iterator[str]:
    """What the reference stood for before the secret had another value."""
    named = _SECRET.fullmatch(reference)
    name, path = named.groups() if named else ("", "")
    for text in handoff.former(name):
        # Of another shape, what it had in that place cannot be told.
        with suppress(NotHandedOver):
            yield _field(name, text, path) if path else text


def _field(name: str, text: str, path: str) -> str:
    missing = NotHandedOver(f"The secret '{name}' has no field '{path.strip('. ')}'.")
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise NotHandedOver(
            f"The secret '{name}' is no JSON, so it has no field '{path.strip('. ')}'."
        ) from None
    position = 0
    while position < len(path):
        field = _FIELD.match(path, position)
        key = field and next(each for each in field.groups() if each is not None)
        if field is None or key is None or not isinstance(value, dict) or key not in value:
            raise missing
        value, position = value[key], field.end()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

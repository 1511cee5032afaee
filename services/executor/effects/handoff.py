"""Secrets and the callback URL: put into a request at the last moment, masked in its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, cast
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from services.egress.uris import parts_sent, spellings
from services.executor.core.model import Json
from services.executor.core.references import filled, pieces
from services.executor.effects.effect import HandOff

MASK = "***"

# Below this a value turns up by chance: masking it would spoil answers and hide nothing.
_SHORTEST_HIDDEN = 4
# Of a URI: "/hook" and "json" are no secrets by themselves.
_SHORTEST_PART = 12

# Escapes of JSON, zeros of UTF-16, shifts of ISO-2022 and HZ: the text is not what the bytes show.
_SPELT_OTHERWISE = re.compile(rb"[\\\x00\x1b~]")
_OCTET = re.compile(r"%[0-9A-F]{2}")
# A URI up to where its path begins.
_ORIGIN = re.compile(r"([^:/?#]*://)?[^/?#]*")
_IN_CREDENTIALS = re.compile(r"[^/?#]*@")
_SECRET = re.compile(r"workflow\.secrets\.([A-Za-z_][A-Za-z0-9_-]*)\s*(.*)", re.DOTALL)
_FIELD = re.compile(r"""\s*(?:\.\s*([^.\[\]\s]+)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\])\s*""")


class NotHandedOver(Exception):
    """A secret, or a field of one, does not exist. The message names it and is a sentence."""


class Mask:
    """What was put in, so that no answer shows it.

    An echo is found as it was sent, as a server decodes it, JSON-escaped and percent-encoded, all
    of these in lower case too, in strings, keys and numbers. A value of fewer than four characters
    is not looked for.
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._forms)

    def hide(self, value: str) -> None:
        # What stands percent-encoded in a URI or a form, a server decodes.
        read = {value, unquote(value), unquote_plus(value)}
        # A host is compared, and told of, in lower case.
        for each in read | {text.lower() for text in read}:
            if len(each) >= _SHORTEST_HIDDEN:
                self._forms |= _forms(each)
        self._pattern = None

    def text(self, text: str) -> str:
        return self._found().sub(MASK, text) if self._is_in(text) else text

    def may_be_in(self, document: bytes) -> bool:
        """False where a look through the bytes shows that nothing of it is in the document."""
        if not self._forms:
            return False
        if not document.isascii() or _SPELT_OTHERWISE.search(document):
            return True
        return self._is_in(document.decode("ascii"))

    def _is_in(self, text: str) -> bool:
        # Nearly always it is not, and to make the pattern costs more than the rest of a call.
        return any(form in text for form in self._forms)

    def _found(self) -> re.Pattern[str]:
        if self._pattern is None:
            # Longest first: of two secrets, one may begin with the other.
            forms = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, forms)))
        return self._pattern

    def value(self, value: Json) -> Json:
        """``value`` masked all through."""
        return _mapped(value, self._leaf, self.text)

    def _leaf(self, value: Json) -> Json:
        match value:
            case str():
                return self.text(value)
            case int() | float() if not isinstance(value, bool):
                shown = json.dumps(value)
                return value if self.text(shown) == shown else MASK
            case _:
                return value


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
        return _mapped(value, self._leaf, self.text)

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
            for part in parts_sent(before + value):
                if len(part) >= _SHORTEST_PART:
                    self._mask.hide(part)
        return value

    def _put_in(self, name: str) -> str | None:
        """What is put in, to be masked from now on; None: it is no reference to replace."""
        if name not in self._names:
            return None
        if name == "task.callbackUrl":
            value = self._handoff.callback_url()
            # Whoever has the token can build the URL.
            self._mask.hide(value.rpartition("/")[2])
        else:
            value = self._secret(name)
        self._mask.hide(value)
        return value

    def _secret(self, reference: str) -> str:
        named = _SECRET.fullmatch(reference)
        if named is None:
            raise NotHandedOver(f"{reference[:100]!r} names no secret.")
        name, path = named.groups()
        text = self._handoff.secrets(name)
        if text is None:
            raise NotHandedOver(f"There is no secret '{name}', or it has no value.")
        return _field(name, text, path) if path else text


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


def _forms(value: str) -> set[str]:
    """How ``value`` may come back: as it is, as JSON text, percent-encoded in either case."""
    encoded = {
        *spellings(value),
        quote(value, errors="replace"),
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    }
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        *encoded,
        *(_OCTET.sub(lambda octet: octet[0].lower(), form) for form in encoded),
    }


def _mapped(value: Json, leaf: Callable[[Json], Json], key: Callable[[str], str]) -> Json:
    """A copy of ``value``: its keys by ``key``, all that is no object or list by ``leaf``."""
    whole: list[Json] = [value]
    # No recursion: documents nest 512 deep, on top of whatever calls this.
    pending: list[list[Json] | dict[str, Json]] = [whole]
    while pending:
        holder = pending.pop()
        places: Iterable[tuple[Any, Json]] = (
            holder.items() if isinstance(holder, dict) else enumerate(holder)
        )
        for place, item in places:
            holder[place] = _opened(item, leaf, key)
            if isinstance(item, list | dict):
                pending.append(cast("list[Json] | dict[str, Json]", holder[place]))
    return whole[0]


def _opened(item: Json, leaf: Callable[[Json], Json], key: Callable[[str], str]) -> Json:
    if isinstance(item, list):
        return item.copy()
    if isinstance(item, dict):
        return {key(name): each for name, each in item.items()}
    return leaf(item)

"""How a value may come back: what to look for, and a quick sign that it is not there. No IO.

Everything is looked for in lower case (of ASCII), as bytes of UTF-8. The letters and digits of a
value come back as they are; of what stands between them each may be percent-encoded, escaped for
JSON, HTML or XML, or several of these over one another. Beside that the value is looked for in
base64 and hex, and with every character of it escaped.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from html.entities import html5
from unicodedata import normalize
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from services.secret_documents import SHORTEST_MASKED, SHORTEST_WELL_MASKED

# Whoever has a line of a private key or a field of a document has a part of the secret.
_SHORTEST_LINE = 8
# Of a longer one each piece is looked for: it may come back cut, and patterns stay short.
_PIECE = 512
_SHORTEST_CORE = 3

_RUN = re.compile(rb"[a-z0-9]+")
_BETWEEN = re.compile(r"\\+[^\\]?|[^\\]", re.DOTALL)
_PERCENT = rb"%(?:25){0,3}"
_ENTITY = rb"&(?:amp;){0,3}"
_SLASH = rb"(?:\\|" + _PERCENT + rb"5c|" + _ENTITY + rb"(?:#0*92|#x0*5c|bsol);)"
_MOST_ESCAPES = 8
# Escapes of JSON within JSON within JSON have seven.
_SLASHES = _SLASH + rb"{0,15}"
# In a segment of a path, in whole paths, in queries.
_LEFT_AS_THEY_ARE = ("", "/", "!$'()*,:;@", "/?!$'()*,:;@")
_SHORT = {"\n": b"n", "\r": b"r", "\t": b"t", "\b": b"b", "\f": b"f"}
_OF_BASE64 = rb"[a-z0-9+/_-]?"
_BITS_OF_BYTE, _BITS_OF_DIGIT = 8, 6


class Needle:
    """Something to look for.

    Attributes:
        core: Where this is not, it is not; empty: nothing shows it so quickly.
    """

    def __init__(self, source: Callable[[], bytes], core: bytes) -> None:
        self._source = source
        self.core = core

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Of text in lower case. Made when needed: that takes longer than all else."""
        return re.compile(self._source(), re.DOTALL)


@lru_cache(256)
def needles(value: str) -> tuple[Needle, ...]:
    """What to look for so that ``value`` is found, or what of it is telling by itself."""
    # What stands percent-encoded in a URI or a form, a server decodes; around it, it strips.
    read = {value, value.strip(), unquote(value), unquote_plus(value)}
    if not value.isascii():
        # File systems and databases compose accents, or take them apart.
        read |= {normalize(form, each) for form in ("NFC", "NFD") for each in tuple(read)}
    pieces = {piece for text in read for piece in _pieces(text)}
    return tuple(needle for piece in sorted(pieces) for needle in _of_piece(piece))


def _pieces(text: str) -> Iterator[str]:
    """Parts of at least four characters, of which every longer part has one."""
    if len(text) <= 2 * _PIECE:
        yield from (text,) if len(text) >= SHORTEST_MASKED else ()
        lines = text.splitlines()
    else:
        lines = [line[at : at + _PIECE] for line in text.splitlines() for at in _starts(line)]
    if len(lines) > 1:
        yield from (line for line in lines if len(line.strip()) >= _SHORTEST_LINE)


def _starts(line: str) -> Iterator[int]:
    # The last piece is as long as the others, whatever it shares with the one before.
    yield from range(0, max(1, len(line) - _PIECE), _PIECE)
    if len(line) > _PIECE:
        yield len(line) - _PIECE


def _of_piece(text: str) -> Iterator[Needle]:
    yield _flexible(text)
    for sent in sorted(_as_sent(text)):
        yield _literal(b"".join(map(_unit_escapes, sent)))
        yield _literal(b"".join(b"&#%d;" % ord(each) for each in sent))
        yield _literal(b"".join(b"&#x%x;" % ord(each) for each in sent))
        raw = sent.encode("utf-8", "surrogatepass")
        yield _literal(raw.hex().encode())
        yield _literal(b"".join(b"%%%02x" % byte for byte in raw))
        yield _whole_base64(raw)
        if len(raw) >= SHORTEST_WELL_MASKED:
            yield from (_base64_within(raw, before) for before in range(3))


def _as_sent(text: str) -> set[str]:
    """``text`` as it stands in bodies and targets: of which whoever echoes them makes base64."""
    if text.isascii() and text.isalnum():
        return {text}
    return {
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        quote_plus(text, errors="replace"),
        *(quote(text, safe=safe, errors="replace") for safe in _LEFT_AS_THEY_ARE),
    }


def _literal(text: bytes) -> Needle:
    return Needle(partial(re.escape, text), text)


def _flexible(text: str) -> Needle:
    """``text`` with whatever stands for each character that is no letter or digit of ASCII."""
    return Needle(partial(_spelling, text), _core(text.encode("utf-8", "surrogatepass").lower()))


def _core(text: bytes) -> bytes:
    core = max(_RUN.findall(text), key=len, default=b"")
    return core if len(core) >= _SHORTEST_CORE else b""


def _spelling(text: str) -> bytes:
    return b"".join(map(_spelt, _BETWEEN.findall(text)))


def _spelt(piece: str) -> bytes:
    """A pattern of what stands for ``piece``: a character, behind a row of backslashes or none."""
    if piece.isascii() and piece.isalnum():
        return piece.lower().encode()
    character = piece.lstrip("\\")
    rows = len(piece) - len(character)
    # In a row, from its beginning and all that there are: else each could take any part of many.
    row = rb"(?<!\\)" + _SLASH + b"{%d,%d}+" % (rows, (rows + 1) * _MOST_ESCAPES)
    before = row if rows else _SLASHES
    return before + _one_of(_spellings(character)) if character else before


def _one_of(found: Iterable[bytes]) -> bytes:
    return b"(?:" + b"|".join(found) + b")"


@lru_cache(512)
def _spellings(character: str) -> tuple[bytes, ...]:
    """What stands for it, without backslashes before it."""
    others = (each for each in (character.lower(), character.upper()) if len(each) == 1)
    both = tuple(dict.fromkeys((character, *others)))
    # Nothing may be read in two ways: of a row of n such, a regular expression would try 2**n.
    found = [_entity(both), *(way for each in both for way in _ways(each))]
    match character:
        case " ":
            # Of a form, which may be percent-encoded itself.
            found += [rb"\+", _PERCENT + b"2b"]
        case "+":
            found.append(b" ")
        case "\n":
            found.append(b"\r\n")
    return tuple(dict.fromkeys(found))


def _ways(character: str) -> Iterator[bytes]:
    codepoint = ord(character)
    yield (_SLASH + b"{1,15}").join(_unit_escapes(character).split(b"\\")[1:])
    if character in _SHORT:
        yield _SHORT[character]
    if character != "%":
        yield b"".join(_PERCENT + b"%02x" % byte for byte in _utf8(character))
    if codepoint in range(0x80, 0x100):
        yield _PERCENT + b"%02x" % codepoint
    # Last: a & or % of its own begins the escapes, of which nothing is to be left.
    yield _bare(character)


def _bare(character: str) -> bytes:
    # Over and over percent-encoded, it is a % with several 25 behind.
    return rb"%(?:25){0,4}" if character == "%" else re.escape(_utf8(character))


def _entity(characters: Sequence[str]) -> bytes:
    """Any of ``characters`` by its number or one of its names, which some share in lower case."""
    numbers = [b"#0*%d|#x0*%x" % (ord(each), ord(each)) for each in characters]
    names = dict.fromkeys(name for each in characters for name in _entities().get(each, ()))
    return _ENTITY + b"(?:" + b"|".join((*numbers, *names)) + b");"


@lru_cache(1)
def _entities() -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for name, text in html5.items():
        if len(text) == 1 and name.endswith(";"):
            found[text] = (*found.get(text, ()), name[:-1].lower().encode())
    return found


def _unit_escapes(character: str) -> bytes:
    r"""As ``\u`` and four digits, twice where UTF-16 has two units."""
    units = character.encode("utf-16-be", "surrogatepass")
    return b"".join(b"\\u" + units[at : at + 2].hex().encode() for at in range(0, len(units), 2))


def _utf8(character: str) -> bytes:
    return character.encode("utf-8", "surrogatepass").lower()


def _whole_base64(raw: bytes) -> Needle:
    """Of the value by itself; its padding may be missing where that leaves enough."""
    text = b64encode(raw).decode()
    bare = text.rstrip("=")
    if len(bare) < SHORTEST_WELL_MASKED:
        return _of_digits(text)
    return _of_digits(bare, behind=b"(?:(?:=|" + _PERCENT + b"3d){1,2}+)?")


def _base64_within(raw: bytes, before: int) -> Needle:
    """Of the value behind so many bytes of others: the digits that it alone decides."""
    digits = b64encode(bytes(before) + raw).decode()
    first = -(-before * _BITS_OF_BYTE // _BITS_OF_DIGIT)
    last = (before + len(raw)) * _BITS_OF_BYTE // _BITS_OF_DIGIT
    # Bits of it are in the digits beside these, too.
    return _of_digits(digits[first:last], _OF_BASE64 if before else b"", _OF_BASE64)


def _of_digits(digits: str, before: bytes = b"", behind: bytes = b"") -> Needle:
    source = partial(_digits_spelt, digits, before, behind)
    return Needle(source, _core(digits.lower().encode()))


def _digits_spelt(digits: str, before: bytes, behind: bytes) -> bytes:
    # URL-safe base64 has other signs for these two.
    others = {"+": b"-", "/": b"_"}
    source = b"".join(
        _SLASHES + _one_of((others[each], *_spellings(each))) if each in others else _spelt(each)
        for each in digits
    )
    return before + source + behind

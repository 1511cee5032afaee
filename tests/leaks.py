"""Looks for secrets where none may be: in bytes, files, and whatever somebody was shown.

Each secret that is looked for has a marker in it, letters and digits that are nowhere else. What
holds a marker, in any form, holds a part of a secret. This goes another way than the masks do, so
that it finds what they miss.
"""

from __future__ import annotations

import gzip
import secrets
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote_to_bytes

_AROUND = 60
_BITS_OF_BYTE, _BITS_OF_DIGIT = 8, 6


def marker() -> str:
    """16 letters and digits that are nowhere else."""
    return secrets.token_hex(8)


class Leaks:
    """Where markers were found.

    Args:
        markers: By the name of the secret that each is in.
    """

    def __init__(self, markers: Mapping[str, str]) -> None:
        self._forms = {
            f"{name} ({form})": text
            for name, each in markers.items()
            for form, text in _forms(each)
        }
        self.found: list[str] = []

    def look(self, where: str, shown: str | bytes) -> None:
        """Note what is found in what somebody is shown, or what is kept."""
        raw = shown.encode("utf-8", "replace") if isinstance(shown, str) else shown
        for text in _unwrapped(raw):
            lower = text.lower()
            for name, form in self._forms.items():
                place = (text if "base64" in name else lower).find(form)
                if place >= 0:
                    around = text[max(0, place - _AROUND) : place + len(form) + _AROUND]
                    self.found.append(f"{where}: {name} in {around!r}")

    def look_in_files(self, folder: Path) -> int:
        """Note what is found in each file below ``folder``, and in its name; how many there are."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        for path in files:
            self.look(str(path.name), str(path.name))
            self.look(str(path), path.read_bytes())
        return len(files)


def _forms(marker: str) -> Iterator[tuple[str, bytes]]:
    raw = marker.encode()
    yield "as it is", raw
    yield "backwards", raw[::-1]
    yield "hex", raw.hex().encode()
    yield "percent", b"".join(b"%%%02x" % byte for byte in raw)
    yield "unicode", b"".join(b"\\u00%02x" % byte for byte in raw)
    yield "entities", b"".join(b"&#%d;" % byte for byte in raw)
    yield "hex entities", b"".join(b"&#x%x;" % byte for byte in raw)
    yield "utf-16", marker.encode("utf-16-le")
    for before in range(3):
        digits = b64encode(bytes(before) + raw)
        first = -(-before * _BITS_OF_BYTE // _BITS_OF_DIGIT)
        last = (before + len(raw)) * _BITS_OF_BYTE // _BITS_OF_DIGIT
        # A marker has no sign that the two alphabets have otherwise.
        yield f"base64 at {before}", digits[first:last]


def _unwrapped(raw: bytes) -> Iterator[bytes]:
    """``raw``, and what it is packed from."""
    yield raw
    if b"%" in raw:
        yield unquote_to_bytes(raw)
    if raw[:2] == b"\x1f\x8b":
        unpacked = gzip.decompress(raw)
        yield from _unwrapped(unpacked)
    elif tarfile.is_tarfile(BytesIO(raw)):
        with tarfile.open(fileobj=BytesIO(raw)) as archive:
            for member in archive:
                if (file := archive.extractfile(member)) is not None:
                    yield from _unwrapped(file.read())

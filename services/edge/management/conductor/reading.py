"""A query as Conductor's clients write it. No IO.

They send what their language prints: ``True`` of Python, and ``None`` or an empty text for what
they leave out. What is given several times is a list to Conductor; of other fields the last counts
there, and counts here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.edge.management.conductor.fields import quoted, refused
from services.edge.query import Pairs, parse_pairs

_ABSENT = frozenset(("", "None", "null", "undefined"))
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Query:
    """The fields as sent, in order."""

    pairs: Pairs

    def text(self, name: str, default: str = "") -> str:
        """A field; ``default`` where it is left out."""
        found = [value for given, value in self.pairs if given == name]
        return found[-1] if found and found[-1] not in _ABSENT else default

    def wanted(self, name: str) -> str:
        """A field that must be there. Raises :class:`InvalidRequest`."""
        value = self.text(name)
        if not value:
            raise refused(name, "must be given in the query")
        return value

    def whole(
        self, name: str, default: int = 0, most: int = 2**31 - 1, bound: int | None = None
    ) -> int:
        """A whole number from 0 to ``most``. Raises :class:`InvalidRequest`.

        Args:
            bound: What is said to be the most, where larger ones are refused later in other words.
        """
        written = self.text(name)
        if not written:
            return default
        number = natural(written)
        if number is None or number > most:
            most = most if bound is None else bound
            said = f"must be a whole number from 0 to {most}, not {quoted(written)}"
            raise refused(name, said)
        return number

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false, in small letters or large. Raises :class:`InvalidRequest`."""
        written = self.text(name)
        if not written:
            return default
        value = _FLAGS.get(written.lower())
        if value is None:
            raise refused(name, f"must be true or false, not {quoted(written)}")
        return value

    def several(self, name: str) -> Sequence[str]:
        """A list: given several times, or with commas in between, or both."""
        pieces = (
            piece.strip() for given, value in self.pairs if given == name
            for piece in value.split(",")
        )  # fmt: skip
        return [piece for piece in pieces if piece not in _ABSENT]


def natural(written: str) -> int | None:
    """The whole number from 0 that is written, of 18 digits at most; None: it is none."""
    if not (written.isascii() and written.isdecimal()):
        return None
    digits = written.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else None


def read_query(query: bytes) -> Query:
    """What stands behind the ``?``. Raises :class:`Problem` (400) for what cannot be read."""
    return Query(parse_pairs(query))

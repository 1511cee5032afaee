"""Text in tones: what a line of a screen is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one tone of ``statuses.TONES``."""

    text: str
    tone: str
    bold: bool = False


def pieces(characters: Sequence[str], tones: Sequence[str]) -> Iterator[Piece]:
    """One piece for characters beside each other that have the same tone."""
    place = 0
    for tone, same in groupby(tones):
        length = sum(1 for _ in same)
        yield Piece("".join(characters[place : place + length]), tone)
        place += length


def text_of(line: Iterable[Piece]) -> str:
    """A line without its tones."""
    return "".join(piece.text for piece in line)

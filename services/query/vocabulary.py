"""Which fields a query can name: each resource of the suite has a vocabulary of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum


class Kind(Enum):
    """What a field holds, and so how it is compared.

    Attributes:
        TEXT: str; equal, or with ``*`` for any characters, or containing.
        ENUM: One of a few words.
        NUMBER: int or float.
        TIME: A moment; ISO 8601 or epoch milliseconds.
        DURATION: A length of time, with its unit.
        AGE: No field of a record: how long ago the moment of another field is.
        DOCUMENT: JSON; a path leads to the value that is compared.
        WORDS: Words in a row, letters and digits alone; the last may go on: ``"card decl*"``. No
            record tells them: they are looked up in an index.
    """

    TEXT = "text"
    ENUM = "enum"
    NUMBER = "number"
    TIME = "time"
    DURATION = "duration"
    AGE = "age"
    DOCUMENT = "document"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Field:
    """One name that a query can compare.

    Attributes:
        name: What it is called in the canonical text, in lower case.
        aliases: Other names for it; like the name, whatever their case.
        hint: What it holds, in a few words.
        values: Of an enum: its words, as records have them.
        of: Of an age: the TIME field whose moment it is about.
        older: Of an age: whether that moment must lie further back, and not less far.
        qualified: Of a text like ``application:ada``: what is behind the colon will do, too.
        several: Of a text: a record has any number of them, and one is enough.
        in_milliseconds: Aliases by which a duration may be a number without its unit.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    hint: str = ""
    values: tuple[str, ...] = ()
    of: str = ""
    older: bool = False
    in_milliseconds: tuple[str, ...] = ()
    qualified: bool = False
    several: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields of one resource.

    Attributes:
        words_in: The TEXT fields in which free words are looked for.
        absent: Names that are refused for a reason of their own.
        spoken: Fields that refusals call otherwise than by their name: by an alias.
    """

    fields: tuple[Field, ...]
    words_in: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    spoken: Mapping[str, str] = field(default_factory=dict)
    _named: dict[str, Field] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for each in self.fields:
            for name in (each.name, *each.aliases):
                self._named[name.lower()] = each

    def field(self, name: str) -> Field | None:
        """The field of that name or alias, whatever its case."""
        return self._named.get(name.lower())

    def __getitem__(self, name: str) -> Field:
        return self._named[name.lower()]

    def refusal(self, name: str) -> str:
        """A sentence on why there is no field ``name``, and which there are."""
        if reason := self.absent.get(name.lower()):
            return reason
        names = ", ".join(self.spoken.get(each.name, each.name) for each in self.fields)
        close = get_close_matches(name.lower(), self._named, 1)
        meant = f"; did you mean {self._spelled(close[0])}?" if close else "."
        return f"There is no field {name!r}{meant} There are {names}; quote text that holds ':'."

    def _spelled(self, lower: str) -> str:
        """A name or alias that is ``lower`` in lower case."""
        field = self._named[lower]
        names = (field.name, *field.aliases)
        return next(each for each in names if each.lower() == lower)

"""One reading of a document: where the reader stands, and what it found so far.

Readers never stop at a fault: they tell it and go on, so that an author gets all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from services.errors import MEANT, Fault
from services.json_paths import shortened as shortened, step
from services.registry.definitions.model import Document, Json, Reference, Script, pinned

if TYPE_CHECKING:
    from services.registry.definitions.tasks.kind import TaskKind

# Comparing words is slow: a document with very many faults is told without guesses in the end.
_LONGEST_GUESSED = 64
_SHORTEST_PART = 3
_MOST_COMPARED = 1000
_MOST_COMPARISONS = 20_000


@dataclass
class Reading:
    """What is found in one document.

    Attributes:
        task_kinds: The task types that exist, by name.
        tasks: Every task of a workflow in the order of reading, branches included, with its kind
            (None where the type is unknown or not supported).
        compared: How many words strange ones were compared with.
    """

    task_kinds: Mapping[str, TaskKind] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    tasks: list[tuple[Document, TaskKind | None, Place]] = field(default_factory=list)
    compared: int = 0

    def take(self, inner: Reading, path: str) -> None:
        """What was found in a document that stands within this one, at ``path``."""
        self.faults += [Fault(_joined(path, fault.path), fault.detail) for fault in inner.faults]
        self.warnings += [f"{path}.{warning}" for warning in inner.warnings]
        self.references += [
            replace(each, path=_joined(path, each.path)) for each in inner.references
        ]
        self.scripts += [replace(each, path=_joined(path, each.path)) for each in inner.scripts]
        self.compared += inner.compared


def _joined(path: str, inner: str) -> str:
    return f"{path}.{inner}" if inner else path


class Place:
    """A spot in a document; ``place / "tasks" / 2`` is one further in.

    The path is put together only when something is told of it: most places have nothing to tell.
    """

    __slots__ = ("_parent", "_step", "reading")

    def __init__(self, reading: Reading, parent: Place | None = None, step: str | int = "") -> None:
        self.reading = reading
        self._parent = parent
        self._step = step

    def __truediv__(self, step: str | int) -> Place:
        return Place(self.reading, self, step)

    @property
    def path(self) -> str:
        """As the author would write it: ``tasks[2].decisionCases['a b'][0].name``."""
        steps: list[str] = []
        place: Place | None = self
        while place is not None and place._parent is not None:
            steps.append(step(place._step))
            place = place._parent
        return "".join(reversed(steps)).removeprefix(".")

    @property
    def outer(self) -> Place | None:
        """The place that this one is a step into."""
        return self._parent

    def is_within(self, step: str) -> bool:
        """Whether a step of that name led here."""
        place: Place | None = self
        while place is not None and place._step != step:
            place = place._parent
        return place is not None

    def fault(self, detail: str) -> None:
        self.reading.faults.append(Fault(self.path, detail))

    def guess(self, word: str, known: Collection[str]) -> str:
        """``; did you mean 'uri'?`` when one of the first thousand known words is close."""
        if len(word) > _LONGEST_GUESSED or self.reading.compared > _MOST_COMPARISONS:
            return ""
        self.reading.compared += min(len(known), _MOST_COMPARED)
        by_lower = {name.lower(): name for name in islice(known, _MOST_COMPARED)}
        close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.7)
        return MEANT.format(by_lower[close[0]]) if close else ""

    def guess_field(self, word: str, known: Collection[str]) -> str:
        """As :meth:`guess`; part of a name is close, too: ``limit`` of ``concurrentExecLimit``."""
        if hint := self.guess(word, known):
            return hint
        spent = self.reading.compared > _MOST_COMPARISONS
        if spent or not _SHORTEST_PART <= len(word) <= _LONGEST_GUESSED:
            return ""
        for alike in (_ends, _begins, _holds):
            found = [name for name in islice(known, _MOST_COMPARED) if alike(name, word)]
            if len(found) == 1:
                return MEANT.format(found[0])
        return ""

    def warn(self, detail: str) -> None:
        path = self.path
        self.reading.warnings.append(f"{path}: {detail}" if path else detail)

    def refer(
        self,
        kind: str,
        name: str,
        version: int | None = None,
        *,
        required: bool = True,
        missing: str = "",
    ) -> None:
        # What is no version is told by its own field; the name is looked for all the same.
        self.reading.references.append(
            Reference(kind, name, pinned(version), self.path, required, missing)
        )

    def script(self, source: str, language: str = "javascript") -> None:
        self.reading.scripts.append(Script(self.path, source, language))


def _ends(name: str, word: str) -> bool:
    name, word = name.lower(), word.lower()
    return name.endswith(word) or word.endswith(name)


def _begins(name: str, word: str) -> bool:
    name, word = name.lower(), word.lower()
    return name.startswith(word) or word.startswith(name)


def _holds(name: str, word: str) -> bool:
    return word.lower() in name.lower()


def shown(value: Json) -> str:
    """``value`` as a sentence quotes it: short, whatever it is."""
    match value:
        case None:
            return "null"
        case str():
            return f"'{shortened(value)}'"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value)
        case list():
            return "a list"
        case dict():
            return "an object"


def _number(value: float) -> str:
    # str() of an integer with more than 4,300 digits raises.
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number beyond 64 bits"
    return f"{value}"

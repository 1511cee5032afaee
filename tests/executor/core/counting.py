"""Kinds that count how often they are asked."""

from __future__ import annotations

from collections import Counter

from services.executor.core.kind import Kind, Next, View
from services.executor.core.model import Json


class Counting(Kind):
    """Another kind, and how often it was asked."""

    def __init__(self, kind: Kind, asked: Counter[str]) -> None:
        self._kind = kind
        self._asked = asked
        self.retried = kind.retried
        self.reopened = kind.reopened

    def begin(self, view: View) -> Next:
        self._asked["begin"] += 1
        return self._kind.begin(view)

    def performed(self, view: View, outcome: object) -> Next:
        self._asked["performed"] += 1
        return self._kind.performed(view, outcome)

    def joined(self, view: View) -> Next:
        self._asked["joined"] += 1
        return self._kind.joined(view)

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        self._asked["computed"] += 1
        return self._kind.computed(view, label, value, error)

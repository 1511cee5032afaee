"""HUMAN: waits until a person, or whoever acts for one, ends it."""

from __future__ import annotations

from services.executor.core.kind import Kind, Next, View, Waiting


class Human(Kind):
    """Its input is for who does it; its output is what they say."""

    def begin(self, view: View) -> Next:
        return Waiting()

    def interrupted(self, view: View) -> Next:
        return Waiting()

"""Kinds by name, where whatever is not there is of one kind, too."""

from __future__ import annotations

from collections.abc import Mapping

from services.executor.core.kind import Kind


class Table(dict[str, Kind]):
    """``table``, and ``others`` for every name that is not in it."""

    def __init__(self, table: Mapping[str, Kind], others: Kind) -> None:
        super().__init__(table)
        self._others = others

    def get(self, name: str, default: object = None) -> Kind:
        return super().get(name) or self._others

    def __missing__(self, name: str) -> Kind:
        return self._others

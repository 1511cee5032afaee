"""Workers of their own: what a task definition adds to the name of its tasks' queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

NAMESPACE, GROUP, METADATA = "executionNameSpace", "isolationGroupId", "runtimeMetadata"


class Isolation(NamedTuple):
    """Conductor's two suffixes of a queue; empty: there is none."""

    namespace: str = ""
    group: str = ""

    @property
    def suffix(self) -> str:
        """What stands behind the type in the queue's name."""
        namespace = f"@{self.namespace}" if self.namespace else ""
        return namespace + (f"-{self.group}" if self.group else "")


SHARED = Isolation()


def isolation_of(definition: Mapping[str, object]) -> Isolation:
    """What a task definition says."""
    if NAMESPACE not in definition and GROUP not in definition:
        return SHARED
    return Isolation(_text(definition, NAMESPACE), _text(definition, GROUP))


def metadata_of(definition: Mapping[str, object]) -> tuple[str, ...]:
    """The names whose values its workers are given at hand-off."""
    names = definition.get(METADATA)
    return tuple(each for each in names if isinstance(each, str)) if isinstance(names, list) else ()


def _text(definition: Mapping[str, object], name: str) -> str:
    value = definition.get(name)
    return value if isinstance(value, str) else ""

"""The fields of a JSON object as Conductor's clients send them. No IO.

As with Jackson, null is as if it were left out, unknown fields are passed over, and a number may
stand for its text and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.errors import Fault, InvalidRequest

_MOST_SHOWN = 40
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Fields:
    """Those of ``document``, each by a name that refusals tell.

    Attributes:
        within: Where the document is in the body, for refusals: ``startWorkflowRequest.``.
    """

    document: Mapping[str, Any]
    within: str = ""

    def text(self, name: str, default: str = "") -> str:
        """A text. Raises :class:`InvalidRequest`."""
        value = self.document.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise self.wrong(name, "must be a text")

    def wanted(self, name: str) -> str:
        """A text that must be there. Raises :class:`InvalidRequest`."""
        value = self.text(name)
        if not value:
            raise self.wrong(name, "must be given, and not be empty")
        return value

    def whole(self, name: str, default: int = 0, least: int = 0, most: int = 2**31 - 1) -> int:
        """A whole number within both. Raises :class:`InvalidRequest`."""
        value = self.document.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, f"must be a whole number from {least} to {most}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false. Raises :class:`InvalidRequest`."""
        value = self.document.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def object(self, name: str) -> dict[str, Any] | None:
        """An object; None where it is left out. Raises :class:`InvalidRequest`."""
        value = self.document.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, "must be an object")
        return value

    def fields(self, name: str) -> Fields:
        """Those of an object, none where it is left out. Raises :class:`InvalidRequest`."""
        return Fields(self.object(name) or {}, f"{self.within}{name}.")

    def list(self, name: str) -> Sequence[Any]:
        """A list, empty where it is left out. Raises :class:`InvalidRequest`."""
        value = self.document.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.wrong(name, "must be a list")
        return value

    def texts(self, name: str) -> Sequence[str]:
        """A list of texts, empty where it is left out. Raises :class:`InvalidRequest`."""
        values = self.list(name)
        if not all(isinstance(each, str) for each in values):
            raise self.wrong(name, "must be a list of texts")
        return values

    def words(self, name: str) -> dict[str, str]:
        """Texts by name, empty where they are left out. Raises :class:`InvalidRequest`."""
        given = self.object(name) or {}
        found = Fields(given, f"{self.within}{name}.")
        return {key: found.text(key) for key in given if given[key] is not None}

    def wrong(self, name: str, said: str) -> InvalidRequest:
        """The refusal of a field that ``said`` tells the rule of."""
        return refused(f"{self.within}{name}", said)


def quoted(written: str) -> str:
    """What somebody has sent, as refusals repeat it: the beginning of it."""
    return repr(written[:_MOST_SHOWN])


def refused(path: str, said: str, **metadata: str) -> InvalidRequest:
    """A request with one thing wrong, as Conductor's ``validationErrors`` list it.

    Args:
        path: A field of the body or of the query; empty: the body is meant.
    """
    fault = Fault(path, said)
    return InvalidRequest(f"{fault}.", (fault,), **metadata)

"""Definitions while they are written: what was there, what is written of it, and how it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.views.command_lines import LONGEST
from tui.views.forms.documents import MISSING, Missing, Path, read_path, value_at, with_value

if TYPE_CHECKING:
    from services.json_text import Json
    from tui.views.forms.fields import Field

# The etag of what must not be there yet.
NEW = "*"
APPLY_FILE = "podium apply FILE"
_VERSIONED = ("schema", "workflow")
_IDENTITIES = {"application": "id", "auth": "id", "service": "id"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A definition that is written.

    Attributes:
        base: The document as it was read; empty: it is new.
        etag: Of the definition that was read; :data:`NEW`: there is none.
        name: Empty while it is new; so is ``version``, where the kind has versions.
        within: The part that is written: the whole, or say ``("routes", 2)``.
    """

    kind: str
    base: Mapping[str, Json]
    etag: str = NEW
    name: str = ""
    version: int = 0
    within: Path = ()

    @property
    def is_stored(self) -> bool:
        """Whether the part that is written is there already."""
        return self.etag != NEW and value_at(dict(self.base), self.within) is not MISSING

    def part(self) -> Json | None:
        """The part that is written, as it was read; None: it is new."""
        found = value_at(dict(self.base), self.within) if self.is_stored else MISSING
        return None if isinstance(found, Missing) else found

    def whole(self, part: Json) -> dict[str, Json]:
        """The document to be sent, with ``part`` as it is written now."""
        document = with_value(dict(self.base), self.within, part)
        return {"kind": self.kind, **(document if isinstance(document, dict) else {})}

    def etag_for(self, document: Mapping[str, Json]) -> str:
        """What the definition that ``document`` would replace must be.

        Another name, or another version, is another definition.
        """
        if name_of(self.kind, document) != self.name:
            return NEW
        if self.kind in _VERSIONED and _version(document) != _version(self.base):
            return NEW
        return self.etag

    def stored_as(self, base: Mapping[str, Json], etag: str, name: str, version: int) -> Draft:
        """The same draft against what it was stored as."""
        return replace(self, base=base, etag=etag, name=name, version=version)

    def read_again(self, base: Mapping[str, Json], etag: str) -> Draft:
        """The same draft against what is there by now, where its route may stand elsewhere."""
        within = self.within
        if within and isinstance(within[-1], int):
            within = (*within[:-1], _again(base.get("routes"), self.part()))
        return replace(self, base=base, etag=etag, within=within)


def _again(routes: Json, route: Json | None) -> int:
    """Where a route is now; behind the last one, where it is not there."""
    known = routes if isinstance(routes, list) else []
    return next((n for n, each in enumerate(known) if _call(each) == _call(route)), len(known))


def _call(route: Json) -> tuple[Json, Json] | None:
    return (route.get("httpMethod"), route.get("path")) if isinstance(route, dict) else None


def _version(document: Mapping[str, Json]) -> Json:
    return document.get("version") or 1


def name_of(kind: str, document: Mapping[str, Json]) -> str:
    """What a document calls its definition; empty: nothing yet."""
    name = document.get(_IDENTITIES.get(kind, "name"))
    return name if isinstance(name, str) else ""


def identity_of(kind: str) -> str:
    """The field that names a definition."""
    return _IDENTITIES.get(kind, "name")


def faults_within(
    draft: Draft, faults: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:  # fmt: skip
    """Faults of the whole by their path in the part; those of other parts are the part's own.

    Args:
        faults: Path, dotted, and detail.
    """
    return [_within(draft.within, path, detail) for path, detail in faults]


def _within(within: Path, path: str, detail: str) -> tuple[str, str]:
    steps = read_path(path)
    if steps[: len(within)] == within:
        # A JSON Pointer: it says any name.
        return "".join(map(_pointed, steps[len(within) :])), detail
    return "", f"{path}: {detail}"


def _pointed(step: str | int) -> str:
    return "/" + str(step).replace("~", "~0").replace("/", "~1")


def not_yet_given(
    faults: Iterable[tuple[str, str]], part: Json
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Faults of values that are there, and of those that are merely missing so far."""
    wrong, missing = list[tuple[str, str]](), list[tuple[str, str]]()
    for path, detail in faults:
        absent = bool(path) and value_at(part, read_path(path)) in (MISSING, "")
        (missing if absent else wrong).append((path, detail))
    return wrong, missing


# Secrets


def without_secrets(form: Field, document: Json) -> Json:
    """``document`` without the values that nobody is to read over a shoulder."""
    if not isinstance(document, dict):
        return document
    hidden = {each.name for each in form.fields if each.secret}
    return {name: value for name, value in document.items() if name not in hidden}


def secrets_of(form: Field, document: Json) -> dict[str, Json]:
    """What :func:`without_secrets` leaves out."""
    if not isinstance(document, dict):
        return {}
    hidden = {each.name for each in form.fields if each.secret}
    return {name: value for name, value in document.items() if name in hidden}


def command(document: Mapping[str, Json], hidden: Iterable[str] = ()) -> str:
    """The command line that stores ``document``; ``hidden`` fields stand in it as ``…``.

    A long document is in a file: it would be all that a list of commands shows and keeps.
    """
    names = set(hidden)
    shown = {name: "…" if name in names else value for name, value in document.items()}
    text = json.dumps(shown, ensure_ascii=False)
    line = "podium apply - <<< '" + text.replace("'", "'\\''") + "'"
    return line if len(line) <= LONGEST else APPLY_FILE

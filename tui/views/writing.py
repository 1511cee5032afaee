"""Definitions as text that is written: read, begun, turned into the other language, versioned."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.json_text import DocumentError, parse_json
from tui.views.differences import HIDDEN, documents
from tui.views.editing import Language
from tui.views.json_places import positions
from tui.views.json_values import json_text, safe
from tui.views.yaml_reading import yaml_documents
from tui.views.yaml_text import yaml_text

if TYPE_CHECKING:
    from podium.registry.v1 import registry_pb2 as pb
    from services.json_text import Json

_FIRST = "first"
_YAML_VERSION = re.compile(r"^(version[ \t]*:[ \t]*)([^\s#]+)", re.MULTILINE)
_JSON_VERSION = re.compile(r'("version"\s*:\s*)([^\s,}]+)')
_COMMENT = re.compile(r"^[ \t]*#|[ \t]#", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """A text as a document.

    Attributes:
        document: None: it cannot be read.
        fault: Why not, as a sentence.
    """

    document: dict[str, Json] | None
    fault: str = ""


def read(text: str, language: Language) -> Written:
    """The one document that ``text`` holds."""
    try:
        document = _yaml(text) if language == "yaml" else parse_json(text)
    except DocumentError as error:
        return Written(None, f"line {error.line}: {error.detail}")
    if not isinstance(document, dict):
        return Written(None, "A definition is an object.")
    return Written(document)


def _yaml(text: str) -> Json:
    found = yaml_documents(text)
    if len(found) != 1:
        raise DocumentError(f"there are {len(found)} documents here: one is stored at a time", 1)
    return found[0].document


def written(document: Json, language: Language) -> str:
    """``document`` as text, in which nothing is hidden."""
    return yaml_text(document) if language == "yaml" else safe(json_text(document)) + "\n"


def compared(result: pb.PutResult, language: Language) -> tuple[str, str, str]:
    """What is stored and what would be, as texts, and what is to be said where they do not show."""
    before, after = documents(result)
    if after is None:
        return "", "", "How it differs is not shown: there is too much of it."
    one, two = (written(each, language) if each is not None else "" for each in (before, after))
    hidden = HIDDEN.get(result.definition.kind, "the order of its fields")
    return one, two, f"What differs is {hidden}." if one == two else ""


def has_comments(text: str, language: Language) -> bool:
    """Whether there may be what the other language cannot say."""
    return language == "yaml" and _COMMENT.search(text) is not None


def begun(kind: str, language: Language) -> tuple[str, int]:
    """What a new definition begins with, and where in it its name is typed."""
    document: dict[str, Json] = {"kind": kind, "name": ""}
    if kind in ("workflow", "schema"):
        document["version"] = 1
    if kind == "workflow":
        document |= {
            "description": "",
            "tasks": [{"name": _FIRST, "taskReferenceName": _FIRST, "type": "NOOP"}],
        }
    text = written(document, language)
    mark = "name: '" if language == "yaml" else '"name": "'
    return text, text.index(mark) + len(mark)


def version_of(document: dict[str, Json]) -> int:
    """The version that a document says, or has by saying none."""
    version = document.get("version")
    return version if isinstance(version, int) and not isinstance(version, bool) else 1


def with_version(text: str, language: Language, version: int) -> str:
    """``text``, which can be read, as another version, otherwise as it was written."""
    document = read(text, language).document
    if document is None:
        return text
    wanted = {**document, "version": version}
    found = _versioned(text, language, version)
    # A text that says it elsewhere, or not at all, is written anew.
    return found if read(found, language).document == wanted else written(wanted, language)


def _versioned(text: str, language: Language, version: int) -> str:
    if language == "yaml":
        return _YAML_VERSION.sub(lambda found: f"{found[1]}{version}", text, count=1)
    place = positions(text, {"version"})["version"]
    start = sum(len(line) + 1 for line in text.split("\n")[: place.line - 1]) + place.column - 1
    return text[:start] + _JSON_VERSION.sub(
        lambda found: f"{found[1]}{version}", text[start:], count=1
    )


def compact(document: Json) -> str:
    """As JSON on one line."""
    return json.dumps(document, ensure_ascii=False)

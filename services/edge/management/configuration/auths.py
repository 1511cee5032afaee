"""Auth configurations between the registry's documents and what Orkes' clients exchange. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.edge.management.configuration.documents import Document, Kept, without_defaults

# Before the name of a key that is there: no key holds a blank, so none is taken for a mask.
_MASK = "*** "
_DEFAULTS: Mapping[str, Any] = {
    "passthrough": False,
    "fallbackToDefaultAuth": False,
    "tokenInWorkflowInput": False,
}


def auth_shown(kept: Kept) -> Document:
    """An auth configuration as clients read it: of each key its name behind a mask.

    A key that was made just now is shown, for the only time.
    """
    document = kept.document
    names = [key["name"] for key in document.get("knownKeys") or ()]
    made = list(kept.generated.values())
    return {
        **_DEFAULTS,
        **{name: value for name, value in document.items() if name != "kind"},
        "authenticationType": _type_shown(document["authenticationType"]),
        "apiKeys": made or [_MASK + name for name in names],
        **kept.stamps(),
    }


def _type_shown(name: str) -> str:
    # Orkes' clients refuse to read a name that they do not know.
    return "NONE" if name == "PUBLIC" else name


def auth_written(body: Document) -> Document:
    """The document to put for what a client sent: a masked key is the one of that name."""
    document = {**without_defaults(body, _DEFAULTS), "kind": "auth"}
    keys = document.get("apiKeys")
    if isinstance(keys, list):
        document["apiKeys"] = [_key_written(key) for key in keys]
    return document


def _key_written(key: Any) -> Any:
    if isinstance(key, str) and key.startswith(_MASK):
        return {"name": key.removeprefix(_MASK)}
    return key

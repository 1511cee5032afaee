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
        **_issuer_shown(document),
        "apiKeys": made or [_MASK + name for name in names],
        **kept.stamps(),
    }


def _type_shown(name: str) -> str:
    # Orkes' clients refuse to read a name that they do not know.
    return {"PUBLIC": "NONE", "JWT": "OIDC"}.get(name, name)


def _issuer_shown(document: Document) -> Document:
    """What clients know of tokens; ``jwt``, beside it, is all of it."""
    rules = document.get("jwt")
    if not isinstance(rules, Mapping):
        return {}
    audience = rules["audience"]
    first = audience if isinstance(audience, str) else audience[0]
    return {"issuerUri": rules["issuer"], "audience": first}


def _with_tokens(document: Document) -> Document:
    """What a client sends back of an auth that takes tokens.

    Without ``jwt`` it stays what it is, and is refused: scopes and the like would be lost.
    """
    if document.get("authenticationType") != "OIDC" or not document.get("jwt"):
        return document
    kept = {n: each for n, each in document.items() if n not in ("issuerUri", "audience")}
    return kept | {"authenticationType": "JWT"}


def auth_written(body: Document) -> Document:
    """The document to put for what a client sent: a masked key is the one of that name."""
    document = _with_tokens({**without_defaults(body, _DEFAULTS), "kind": "auth"})
    keys = document.get("apiKeys")
    if isinstance(keys, list):
        document["apiKeys"] = [_key_written(key) for key in keys]
    return document


def _key_written(key: Any) -> Any:
    if isinstance(key, str) and key.startswith(_MASK):
        return {"name": key.removeprefix(_MASK)}
    return key

"""Documents as text: read strictly, and written so that what is stored is what was meant."""

from __future__ import annotations

import json
from collections.abc import Mapping

from services.errors import Fault, InvalidDefinition
from services.json_text import DocumentError, parse_json
from services.registry.definitions import Document, Json

# A change must fit a gRPC message with room to spare, and a page hold several.
LARGEST_BYTES = 4 << 20


def read(text: str) -> Json:
    """The JSON in ``text``.

    Raises:
        InvalidDefinition: With the first fault; what stands behind it cannot be read.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
        raise _invalid(f"is larger than {LARGEST_BYTES >> 20} MiB")
    try:
        return parse_json(text)
    except DocumentError as error:
        raise _invalid(str(error)) from error


def written(document: Mapping[str, Json]) -> str:
    """``document`` as it is stored: keys in their order, no blanks."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def stored(text: str) -> Document:
    """A document that was written here."""
    document: Document = json.loads(text)
    return document


def same(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two documents say the same; the order of keys says nothing, 1 and true differ."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _invalid(detail: str) -> InvalidDefinition:
    return InvalidDefinition(f"The document cannot be read: {detail}.", [Fault("", detail)])

"""YAML that is being written, read once for all who ask about the same text."""

from __future__ import annotations

from functools import lru_cache

from services.json_text import DocumentError
from services.yaml_documents import SourceDocument, read_documents


def yaml_documents(text: str) -> list[SourceDocument]:
    """The documents in ``text``; nobody may change them.

    Raises:
        DocumentError: With the first thing that is wrong.
    """
    found = _read(text)
    if isinstance(found, DocumentError):
        raise found
    return found


# Reading takes milliseconds a kilobyte, and a pause in the typing asks several times.
@lru_cache(maxsize=2)
def _read(text: str) -> list[SourceDocument] | DocumentError:
    try:
        return list(read_documents(text))
    except DocumentError as error:
        return error

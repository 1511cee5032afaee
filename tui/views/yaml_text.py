"""A document as YAML 1.2 that reads back as the same document."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML


def yaml_text(document: Any) -> str:
    """``document`` (a JSON value) as block-style YAML, keys in their order."""
    writer = YAML(typ="safe", pure=True)
    writer.version = (1, 2)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 10_000
    text = StringIO()
    writer.dump(document, text)
    return text.getvalue().removeprefix("%YAML 1.2\n---\n").removesuffix("...\n")

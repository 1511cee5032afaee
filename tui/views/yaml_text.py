"""A document as YAML 1.2 that reads back as the same document."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

# What YAML takes for an end of a line, or does not take at all, has to be escaped.
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# What turns the direction of text, or has no width, is to be seen; what joins letters and emoji
# is a part of them.
_HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]")
# A block's first line says how far it is indented.
_BLOCK = re.compile(r"\S[^\n]*\n.*", re.DOTALL)


class _Representer(SafeRepresenter):
    """Text of several lines as such: a script is read, and compared, line by line."""

    def represent_str(self, data: str) -> ScalarNode:
        style = None
        if _ESCAPED.search(data) or _HIDDEN.search(data):
            style = '"'
        elif "\n" in data:
            style = "|" if _BLOCK.fullmatch(data) else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def yaml_text(document: Any) -> str:
    """``document`` (a JSON value) as block-style YAML, keys in their order."""
    writer = YAML(typ="safe", pure=True)
    writer.Representer = _Representer
    writer.version = (1, 2)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 10_000
    text = StringIO()
    writer.dump(document, text)
    # What is of one line, as an empty list, stands beside the dashes.
    whole = text.getvalue().removeprefix("%YAML 1.2\n---")[1:].removesuffix("...\n")
    # They are within double quotes only.
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)

"""Colours for one line of JSON, YAML, JavaScript or HTTP: light, and without its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from tui.views.lines import LONGEST_SHOWN, Mark

_JSON = re.compile(
    r'(?P<primary>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<success>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<accent>-?\d[\d.eE+-]*)|(?P<warning>\b(?:true|false|null)\b)"
    r"|(?P<muted>[{}\[\],:]+)"
)
_YAML = re.compile(
    r"""(?P<muted>(?:^|(?<=\s))\#.*|^---|^\.\.\.|^\s*-(?=\s|$)|[{}\[\],](?=\s|$)|(?<=:\s)[|>][-+]?$)
      | (?P<primary>(?:(?<=^)|(?<=\s)|(?<=-\s))(?:"(?:[^"\\]|\\.)*"|[\w$./-][^\s:#]*)(?=:(?:\s|$)))
      | (?P<success>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')
      | (?P<warning>(?<=:\s)(?:true|false|null|~)(?=\s|$))
      | (?P<accent>(?<=[:-]\s)-?\d[\d.eE+-]*(?=\s|$))""",
    re.VERBOSE,
)
_JAVASCRIPT = re.compile(
    r"""(?P<muted>//.*|/\*.*?(?:\*/|$))
      | (?P<success>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`(?:[^`\\]|\\.)*`?)
      | (?P<primary>\b(?:async|await|break|case|catch|class|const|continue|default|delete|do|else
            |finally|for|function|if|in|instanceof|let|new|of|return|switch|throw|try|typeof|var
            |while|yield)\b)
      | (?P<warning>\b(?:true|false|null|undefined|this|NaN|Infinity)\b|\$(?:\.\w+)+)
      | (?P<accent>\b\d[\w.]*)""",
    re.VERBOSE,
)
_HTTP = re.compile(
    r"(?P<success>^HTTP/\S+ 2\d\d.*)|(?P<error>^HTTP/\S+ [45]\d\d.*)|(?P<warning>^HTTP/\S+ .*)"
    r"|(?P<primary>^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?=:))"
)
_DIFF = re.compile(
    r"(?P<muted>^(?:---|\+\+\+) .*)|(?P<accent>^@@.*)|(?P<success>^\+.*)|(?P<error>^-.*)"
)
_LANGUAGES: Mapping[str, re.Pattern[str]] = {
    "json": _JSON,
    "yaml": _YAML,
    "javascript": _JAVASCRIPT,
    "http": _HTTP,
    "diff": _DIFF,
}


def colours(language: str) -> Callable[[str], Sequence[Mark]] | None:
    """What marks a line of ``language``; None: it has no colours."""
    pattern = _LANGUAGES.get(language)
    if pattern is None:
        return None
    return lambda line: list(_marks(pattern, line))


def _marks(pattern: re.Pattern[str], line: str) -> Iterator[Mark]:
    """What is marked in the part of a line that is shown at first: a line may be a whole file."""
    for found in pattern.finditer(line, 0, LONGEST_SHOWN):
        if found.lastgroup is not None and found.end() > found.start():
            yield Mark(found.start(), found.end(), found.lastgroup)

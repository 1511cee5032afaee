"""Command lines as they are told and kept: run as they are, unless that would be a document."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

LONGEST = 2_000


def with_text(words: Sequence[str], option: str, text: str, *names: str) -> str:
    """The line of ``words`` with ``option text``; a long text stands in a file to be written.

    The name of that file says how large it is. ``names`` come last, where they look like options.
    """
    last = ("--", *names) if names else ()
    line = shlex.join([*words, option, text, *last])
    if len(line) <= LONGEST:
        return line
    size = len(text.encode("utf-8", "surrogatepass"))
    return shlex.join([*words, option, f"@{option.lstrip('-')}-of-{size}-bytes", *last])


def command_line(command: Sequence[str], *names: str) -> str:
    """``podium``, the words of ``command`` with its options, and what users have named.

    A name that looks like an option is none: `--` comes before it.
    """
    apart = ("--",) if any(name.startswith("-") for name in names) else ()
    return shlex.join(["podium", *command, *apart, *names])

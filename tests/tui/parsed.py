"""Command lines read by the commands' own parser, and nothing of them done."""

from __future__ import annotations

import shlex

import click

from tui.cli.main import main


def parsed(words: list[str]) -> list[str]:
    """The names of the commands that ``words`` (without ``podium``) call.

    Raises:
        click.ClickException: They are no command line.
    """
    context = main.make_context("podium", list(words))
    names: list[str] = []
    while isinstance(context.command, click.Group) and (rest := _rest(context)):
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(str(name), rest, parent=context)
        names.append(str(context.info_name))
    return names


def _rest(context: click.Context) -> list[str]:
    return [*context._protected_args, *context.args]


def commands_in(line: str) -> list[list[str]]:
    """The words of each `podium` command of a shell's line, without that word."""
    found: list[list[str]] = [[]]
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&<")
    lexer.whitespace_split = True
    for word in lexer:
        if word in ("|", "&&", "<<<"):
            found.append([])
        else:
            found[-1].append(word)
    return [words[1:] for words in found if words[:1] == ["podium"]]

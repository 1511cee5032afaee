"""Writes docs/commands.md: every command as the parser has it (`make docs`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from tui.cli.main import COMMANDS, main
from tui.views import rights_page

PAGE = Path("docs/commands.md")
# In a table a bar parts cells, in code too.
BAR = "\\|"

_HEAD = """\
# Commands

<!-- Written by `make docs` from what `--help` says. -->

`podium COMMAND --help` says the same. What holds of all of them:

**Which suite.** `--home FOLDER`, else `$PODIUM_HOME`, else `~/.podium`. `PODIUM_REGISTRY`, \
`PODIUM_EXECUTOR`, `PODIUM_EDGE` and `PODIUM_KEY_ID` with `PODIUM_KEY_SECRET` name one without a \
folder.

**Output.** What shows something takes `--output text|json|yaml`. Text is for people: its lists \
are cut at the edge of a terminal and whole everywhere else, and it is coloured on terminals \
only, never with `NO_COLOR`. JSON is a list or an object; what comes piece by piece (`log`, \
`events`, `audit`, and whatever goes on with `--watch` or `--follow`) is a JSON object a line, or \
YAML documents parted by `---`, each written at once. Data go to standard output, words about \
them to standard error.

    podium executions status:failed --output json | python -m json.tool
    podium events ID --follow --output json | while read -r event; do …; done
    podium get wf order --output yaml | podium apply -

**Exit status.**

| | |
|---|---|
| 0 | done |
| 1 | refused, failed, or a service cannot be reached: a line on standard error names it, its \
address and the way out; `podium run --wait`, `watch` and `test-route`: it ended other than well \
|
| 2 | the command line is wrong; of `podium diff`, as of diff(1): it cannot be said (1: there are \
differences) |
| 130 | Ctrl-C |
| 141 | who read its output through a pipe has left, as `head` does; what follows something ends \
at once then, and what changes something is done to its end |

**Queries.** `podium executions`, `podium tasks`, `podium audit`, `get KIND --query`, \
`routes --query`, `log --query` and the `--query` of operations read [one grammar](query.md), \
which the console's filters read too.

**The console's nouns.** `podium get NOUN` is short for the command that shows what the console \
shows under that noun: `podium get executions status:failed`, `podium get audit`, `podium get \
suite`.

| noun | command |
|---|---|
"""


def page() -> str:
    """The page."""
    return _HEAD + "".join(_nouns()) + "".join(_commands())


def _nouns() -> Iterator[str]:
    # Late: the nouns have more to import than the commands.
    from tui.cli.nouns import OWN, TWINS
    from tui.resources import RESOURCES

    for resource in RESOURCES:
        names = ", ".join(f"`{name}`" for name in (resource.name, *resource.aliases))
        words = TWINS.get(resource.name)
        shown = f"`podium {' '.join(words)}`" if words else f"none: {OWN[resource.name]}"
        yield f"| {names} | {shown} |\n"


def _commands() -> Iterator[str]:
    context = click.Context(main, info_name="podium")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield from _command(command, name, context)


def _command(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    level = "##" if parent.parent is None else "###"
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    yield f"\n{level} {context.command_path}\n\n    {usage}\n\n"
    yield f"{_paragraphs(command.help or '')}\n"
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield "\n| option | |\n|---|---|\n"
        yield from (_option(each, context) for each in options)
    lines = [line.strip() for line in (command.epilog or "").splitlines() if "podium " in line]
    yield "\n" + "".join(f"    {line}\n" for line in lines)
    if isinstance(command, click.Group):
        for below, each in command.commands.items():
            yield from _command(each, below, context)


def _paragraphs(text: str) -> str:
    """Help as Markdown: a line a paragraph, placeholders as they are typed."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_escaped(" ".join(part.split())) for part in parts)


def _escaped(text: str) -> str:
    """``text`` without what Markdown takes for its own, but for code."""
    parts = text.split("`")
    return "`".join(
        part if at % 2 else re.sub(r"([*_<|])", r"\\\1", part) for at, part in enumerate(parts)
    )


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    names, help_text = (" ".join(part.split()) for part in record)
    return f"| `{names.replace('|', BAR)}` | {_escaped(help_text)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    rights_page.PAGE.write_text(rights_page.page())
    section = rights_page.SECTION.read_text()
    rights_page.SECTION.write_text(rights_page.with_summary(section))

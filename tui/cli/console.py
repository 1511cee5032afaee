"""`podium tui`, which `podium` alone is too: the console."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.main import HOME_OPTION
from tui.cli.session import fail
from tui.cli.writing import examples
from tui.settings import DEFAULT_CONTEXT, Context, Parsed, read, settings_path, state_folder
from tui.settings.files import VARIABLE

if TYPE_CHECKING:
    from tui.app import Console
    from tui.suite import Suite

_MOST_PAINTS_A_SECOND = "240"


@click.command(
    epilog=examples(
        "podium tui",
        "podium tui --context staging --read-only",
        "podium tui --open 'ex status:failed'",
    )
)
@HOME_OPTION
@click.option(
    "--context", metavar="NAME", default="", help="Which suite: a name of the settings' contexts."
)
@click.option(
    "--open",
    "place",
    default="",
    metavar="PLACE",
    help="Where to begin: what is typed after ':' in the console; default executions.",
)
@click.option("--read-only", is_flag=True, help="Leave out all that changes something.")
@click.option("--theme", metavar="NAME", default="", help="The colours: :theme lists them.")
@click.option(
    "--check-config", is_flag=True, help="Say what is wrong with the settings' file, and end."
)
def tui(
    home: Path | None, context: str, place: str, read_only: bool, theme: str, check_config: bool
) -> None:
    """Open the console.

    Its settings are read from $PODIUM_CONSOLE_CONFIG, else from podium/console.toml in
    $XDG_CONFIG_HOME (~/.config).
    """
    if check_config:
        check()
    open_console(home, context, place, read_only, theme)


def check() -> None:
    """Tell every fault of the settings' file, and end: with 1 where there is one."""
    from tui.bindings import known

    path = settings_path(os.environ)
    parsed = read(path, known(), wanted=VARIABLE in os.environ)
    for fault in parsed.faults:
        click.echo(f"{path}: {fault}", err=True)
    if not parsed.faults:
        click.echo(f"{path}: no faults." if path.exists() else f"There is no {path}; none needed.")
    sys.exit(1 if parsed.faults else 0)


def open_console(
    home: Path | None,
    context: str = "",
    place: str = "",
    read_only: bool = False,
    theme: str = "",
) -> None:
    """Run the console on this terminal until it is left."""
    # It is painted on stderr.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        click.echo(
            "podium: The console needs a terminal; podium --help lists the commands.", err=True
        )
        sys.exit(1)
    # Textual reads it when it is imported: how long what a key changes may wait for the paint of
    # what came before it. Nothing is painted more often by it that does not change.
    os.environ.setdefault("TEXTUAL_FPS", _MOST_PAINTS_A_SECOND)
    # Late, since other commands need none of it.
    from tui.app import Console
    from tui.clients import Connection
    from tui.live.session import Session

    parsed = _settings()
    own = Context(DEFAULT_CONTEXT, str(home) if home else "")
    chosen = _chosen(parsed, context, home, own)

    def suite_of(wanted: Context) -> Suite:
        from tui.suite import find, of_context

        return find(home, os.environ) if wanted is own else of_context(wanted)

    console = Console(
        Session(Connection(lambda: suite_of(chosen))), place, context=chosen, own=own,
        settings=parsed.settings, faults=parsed.faults, suite_of=suite_of,
        state=state_folder(os.environ), read_only=read_only, theme=theme,
    )  # fmt: skip
    asyncio.run(_run(console))
    sys.exit(console.return_code or 0)


async def _run(console: Console) -> None:
    # Ended by it without a word, the terminal would stay as it is in the console.
    number = signal.SIGTERM
    asyncio.get_running_loop().add_signal_handler(number, console.exit, None, 128 + number)
    await console.run_async()


def _settings() -> Parsed:
    """The settings. What their keys may be is asked only where there are some: it takes long."""
    path = settings_path(os.environ)
    parsed = read(path, wanted=VARIABLE in os.environ)
    if not parsed.settings.keys:
        return parsed
    from tui.bindings import known

    return read(path, known(), wanted=VARIABLE in os.environ)


def _chosen(parsed: Parsed, name: str, home: Path | None, own: Context) -> Context:
    """The context of ``--context``, else of the settings; a home that was named comes first."""
    contexts = parsed.settings.contexts
    if name and home:
        fail("Say --home or --context, not both.", 2)
    if name and name not in contexts:
        there_are = f" There are {', '.join(contexts)}." if contexts else ""
        fail(f"There is no context {name!r} in the settings.{there_are}", 2)
    if home is not None or not (name or parsed.settings.context in contexts):
        return own
    return contexts[name or parsed.settings.context]

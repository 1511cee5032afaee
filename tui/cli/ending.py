"""How a command ends that is interrupted, whose reader has left, or whose output takes no more."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import click

# What a shell says of a command that a signal has ended: 128 and the signal's number.
INTERRUPTED = 130
READER_GONE = 141


@contextmanager
def ending() -> Iterator[None]:
    """Within, Ctrl-C and a reader that leaves end the command without a word.

    What standard output still holds is written before it ends; where it takes no more, a line on
    standard error says so, and it ends with 1.
    """
    if sys.stdout is None:
        # Else the next file that is opened takes its number.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What an encoding does not have is written as JSON has it, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _let_go()
        sys.exit(READER_GONE)
    except OSError as error:
        _let_go()
        what = error.filename or "The output"
        click.echo(f"podium: {what} cannot be written: {error.strerror or error}.", err=True)
        sys.exit(1)


def _let_go() -> None:
    """Have what is still to be written go nowhere: Python tries it again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@asynccontextmanager
async def while_read() -> AsyncGenerator[None]:
    """Within, who leaves standard output's pipe ends what goes on, also where nothing is written.

    For what shows only: what changes something is done whoever reads of it.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    pipe, left = _pipe(), False
    assert task is not None

    def leave() -> None:
        nonlocal left
        left = True
        loop.remove_reader(pipe)
        task.cancel()

    if pipe >= 0:
        # Its end for writing is never readable; it is told to be when the other end is closed.
        loop.add_reader(pipe, leave)
    try:
        yield
    except asyncio.CancelledError:
        if not left:
            raise
        raise BrokenPipeError from None
    finally:
        if pipe >= 0:
            loop.remove_reader(pipe)


def _pipe() -> int:
    """The number of standard output where it is a pipe; else -1."""
    try:
        number = sys.stdout.fileno()
        return number if stat.S_ISFIFO(os.fstat(number).st_mode) else -1
    except (OSError, ValueError):
        return -1

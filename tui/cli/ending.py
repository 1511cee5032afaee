"""How a command ends that is interrupted, whose reader has left, or whose output takes no more."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

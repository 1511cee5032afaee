"""Many commands in one process, one after the other: a process for each takes most of its time.

Run as a program, it reads ``[{"words": […], "text": …}, …]`` and writes what each has printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

_SECONDS = 240


def printed(
    home: Path, commands: Sequence[tuple[str, ...]], texts: dict[int, str] | None = None
) -> list[str]:
    """What each `podium` command prints, to both outputs, and where it crashes.

    Args:
        texts: What is on standard input of a command, by its place.
    """
    asked = [
        {"words": [*words, "--home", str(home)], "text": (texts or {}).get(number)}
        for number, words in enumerate(commands)
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.commands"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: list[str] = json.loads(done.stdout)
    # What is written past the commands' own outputs belongs to somebody, too.
    return [*told, done.stderr]


def _run(words: list[str], text: str | None) -> str:
    from click.testing import CliRunner

    from tui.cli.main import main

    result = CliRunner().invoke(main, words, input=text, prog_name="podium")
    if result.exception is None or isinstance(result.exception, SystemExit):
        return result.output
    return result.output + "".join(traceback.format_exception(result.exception))


if __name__ == "__main__":
    json.dump([_run(**each) for each in json.load(sys.stdin)], sys.stdout)

"""`podium demo`, as `make demo` runs it: away from a terminal, and on one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.system.conftest import needs
from tests.system.running import podium, until


@pytest.mark.timeout(120)
def test_the_demo_shows_all_four_and_ends_with_0() -> None:
    # The jobs that it runs take seconds.
    done = podium("demo")

    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("1. Polling", "2. Async complete", "3. Too slow", "4. A crash", "kill -9"):
        assert line in done.stdout
    assert "poll 2" in done.stdout
    assert "progress" in done.stdout
    assert "curl -X POST" in done.stdout


@pytest.mark.timeout(120)
def test_on_a_terminal_the_timeline_moves_in_place() -> None:
    needs("tmux")
    session = f"podium-demo-{id(object())}"
    command = f"{sys.executable} -m tui demo; echo demo ended with $?; cat"
    size = ["-x", "160", "-y", "200"]
    subprocess.run(
        ["tmux", "new-session", "-d", "-s", session, *size, "sh", "-c", command], check=True
    )
    try:

        def screen() -> str:
            shown = subprocess.run(
                ["tmux", "capture-pane", "-p", "-t", session],
                capture_output=True,
                text=True,
                check=True,
            )
            return shown.stdout

        until(lambda: "demo ended with" in screen(), 90, "the demo ends")
        last = screen()
        assert "demo ended with 0" in last
        assert last.count("HTTP_POLL") == 3, "each poll task is one line, rewritten in place"
    finally:
        subprocess.run(["tmux", "kill-session", "-t", session], check=False)

"""Ctrl-C ends any command in the same way, whatever it was about to do."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tui.cli import ending, interrupts, main


@click.command()
def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("attribute", ["interrupted", "interrupted_on_import"])
def test_ctrl_c_is_130_and_not_a_word(attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(main.COMMANDS, "wait", (__name__, attribute, "Wait."))

    done = CliRunner().invoke(main.main, ["wait"])

    assert (done.exit_code, done.output) == (ending.INTERRUPTED, "")


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Tests may be run by what ignores Ctrl-C, and its children with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


async def waiting_when_another_thread_gets_the_signal() -> None:
    """Waits for nothing that would wake the loop."""

    stat = Path(f"/proc/self/task/{threading.main_thread().native_id}/stat")

    def press() -> None:
        # Not before the loop waits: until then a signal is heard in any case.
        while stat.read_text().rpartition(")")[2].split()[0] != "S":
            pass
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    asyncio.get_running_loop().call_soon(threading.Thread(target=press).start)
    await asyncio.Event().wait()


def test_ctrl_c_is_heard_in_whatever_thread_it_arrives() -> None:
    handler = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(waiting_when_another_thread_gets_the_signal())

    assert signal.getsignal(signal.SIGINT) is handler


def test_what_was_started_to_ignore_ctrl_c_goes_on_ignoring_it() -> None:
    async def pressed() -> int:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        return 7

    signal.signal(signal.SIGINT, signal.SIG_IGN)

    assert interrupts.run(pressed()) == 7


def test_what_is_cancelled_otherwise_is_no_ctrl_c() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        interrupts.run(cancelled())


def test_what_ends_gives_its_value() -> None:
    async def ended() -> int:
        return 7

    assert interrupts.run(ended()) == 7


def __getattr__(name: str) -> object:
    if name == "interrupted_on_import":
        raise KeyboardInterrupt
    raise AttributeError(name)


@click.command()
def said() -> None:
    click.echo("✔ \ud800")


def test_what_an_encoding_does_not_have_is_written_as_json_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(main.COMMANDS, "say", (__name__, "said", "Say."))

    latin = CliRunner(charset="latin-1").invoke(main.main, ["say"])

    assert (latin.exit_code, latin.stdout_bytes) == (0, b"\\u2714 \\ud800\n")
    assert CliRunner().invoke(main.main, ["say"]).output == "✔ \\ud800\n"


async def following(begun: threading.Event) -> None:
    """Shows something, and then nothing for ever."""
    async with interrupts.while_read():
        begun.set()
        await asyncio.Event().wait()


def test_who_leaves_a_pipe_ends_what_waits_for_news(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    begun = threading.Event()

    def leave() -> None:
        begun.wait()
        os.close(reading)

    leaving = threading.Thread(target=leave)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        leaving.start()
        with pytest.raises(BrokenPipeError):
            interrupts.run(following(begun))
    leaving.join()


def test_a_file_is_followed_into_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def once() -> int:
        async with interrupts.while_read():
            return 7

    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr("sys.stdout", file)
        assert interrupts.run(once()) == 7

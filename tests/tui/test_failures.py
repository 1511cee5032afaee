"""What fails within the console is told, and kept for who is to mend it."""

from __future__ import annotations

from pathlib import Path

from textual.app import App

from tests.tui.screen import until
from tui.settings.failures import MOST_BYTES, NAME, Failures
from tui.widgets.working import WorkFailed, begin


def _error(text: str = "no such thing") -> KeyError:
    try:
        raise KeyError(text)
    except KeyError as error:
        return error


def test_a_failure_is_told_with_the_file_that_has_where_it_came_from(tmp_path: Path) -> None:
    failures = Failures(tmp_path / "state")

    told = failures.add("start", _error())

    kept = tmp_path / "state" / NAME
    assert "start" in told
    assert "KeyError" in told
    assert str(kept) in told
    assert "test_failures.py" in kept.read_text()
    assert "no such thing" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    (tmp_path / NAME).write_text("x" * (MOST_BYTES + 1))

    failures.add("start", _error())

    assert (tmp_path / NAME).stat().st_size < 10_000
    assert (tmp_path / "failures.1.log").stat().st_size == MOST_BYTES + 1


def test_where_nothing_can_be_written_it_is_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failures = Failures(tmp_path / "file" / "state")

    told = failures.add("start", _error())

    assert "KeyError" in told
    assert "cannot be written" in told
    assert [str(each) for each in failures.last] == ["'no such thing'"]


def test_a_text_that_is_no_unicode_and_very_long_is_told_cut(tmp_path: Path) -> None:
    told = Failures(tmp_path).add("start", ValueError("\ud800" + "y" * 100_000))

    assert len(told) < 1_000


class Failing(App[None]):
    """Begins what fails."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[WorkFailed] = []

    def on_mount(self) -> None:
        begin(self, self._fail, "reading")

    async def _fail(self) -> None:
        raise _error()

    def on_work_failed(self, message: WorkFailed) -> None:
        self.told.append(message)


async def test_the_app_is_told_of_work_that_failed_and_goes_on() -> None:
    app = Failing()
    async with app.run_test() as pilot:
        await until(pilot, lambda: bool(app.told))

        assert (app.told[0].group, type(app.told[0].error)) == ("reading", KeyError)
        assert app.is_running

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tests.tui.screen import screen_text, until, until_shown, until_snapshot
from tui.widgets.diff_view import DiffView

ONE = "\n".join(["kind: workflow", *(f"line: {n}" for n in range(40)), "retry: 1", "end: true"])
TWO = ONE.replace("line: 5\n", "line: five\n").replace("retry: 1", "retry: 2\nnew: [bold]\x1b[0m")


class Comparing(App[None]):
    def compose(self) -> ComposeResult:
        yield DiffView("order v1 and v2")

    def on_mount(self) -> None:
        view = self.query_one(DiffView)
        view.show(ONE, TWO, ("v1", "v2"))
        view.focus()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_difference_is_shown(size: tuple[int, int]) -> None:
    app = Comparing()
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "line: five", "change 1 of 2", "- v1", "+ v2")
        await pilot.pause()

        await until_snapshot(pilot, f"diff_view_{size[0]}x{size[1]}")


async def test_changes_are_gone_through() -> None:
    app = Comparing()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "change 1 of 2")
        await pilot.press("right_square_bracket")
        await until_shown(pilot, "change 2 of 2")
        await pilot.press("n")
        await until_shown(pilot, "This is the last change.")
        await pilot.press("N", "left_square_bracket")
        await until_shown(pilot, "This is the first change.")


async def test_what_is_the_same_unfolds_and_is_searched() -> None:
    app = Comparing()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "lines are the same")
        await pilot.press("slash", *"line: 20", "enter")
        await until_shown(pilot, "1 of 1 with 'line: 20'", "22   line: 20")
        await pilot.press("z")
        await until(pilot, lambda: "line: 20\n" not in screen_text(app).replace(" ", ""))


async def test_both_are_shown_beside_each_other_when_asked_and_when_there_is_room() -> None:
    app = Comparing()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "line: five")
        assert " │ " not in screen_text(app)
        await pilot.press("u")
        await until_shown(pilot, "- line: 5", " │  7 + line: five")
        await pilot.press("W")
        await until_shown(pilot, "Lines are not wrapped side by side")
        await pilot.press("u")
        await until(pilot, lambda: " │ " not in screen_text(app))


async def test_a_diff_is_copied_as_others_write_it() -> None:
    app = Comparing()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "line: five")
        await pilot.press("y", "y")
        assert app.clipboard.splitlines()[:3] == ["--- v1", "+++ v2", "@@ -4,7 +4,7 @@"]
        await pilot.press("y", "a")
        assert app.clipboard == TWO


class Empty(App[None]):
    def compose(self) -> ComposeResult:
        yield DiffView("Documents")


async def test_what_was_not_compared_is_not_the_same() -> None:
    async with Empty().run_test(size=(80, 24)) as pilot:
        pilot.app.query_one(DiffView).focus()
        await pilot.press("right_square_bracket")

        await until_shown(pilot, "Nothing is compared yet.")


async def test_texts_that_are_the_same_say_so() -> None:
    app = Comparing()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(DiffView).show(ONE, ONE)
        await until_shown(pilot, "43 lines are the same", "They are the same.")
        app.query_one(DiffView).show("", "")
        await pilot.press("z", "n", "j", "slash", "a", "enter")
        await until_shown(pilot, "Nothing holds 'a'.")


async def test_large_texts_are_compared_beside_the_loop_and_roughly() -> None:
    app = Comparing()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(DiffView)
        view.show(
            "\n".join(f"before {n}" for n in range(20_000)),
            "\n".join(f"after {n}" if n % 2 else f"before {n}" for n in range(20_000)),
        )
        await until(pilot, lambda: view.changes == 10_000)
        await until_shown(pilot, "They differ in so much")

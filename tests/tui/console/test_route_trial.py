"""Trying routes in the console."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Tabs

from podium.registry.v1 import registry_pb2
from tests.tui.console.conftest import console_on
from tests.tui.console.tried import answered, key_of, masked, serve, trying, typed_id
from tests.tui.screen import screen_text, typed, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.clients import connected
from tui.screens.route.tester import RouteTester
from tui.screens.write import EditScreen, LineScreen
from tui.widgets.document_editor import DocumentEditor

TIMES_OUT = "for (;;) {}"


def shown(pilot: Any) -> RouteTester:
    found: RouteTester = pilot.app.screen.query(RouteTester).last()
    return found


def log(pilot: Any) -> Mapping[str, Any]:
    records: Mapping[str, Any] = pilot.app.session.log.collection.records
    return records


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_call_is_sent_from_a_form_and_its_answer_shown(
    services: Services, size: tuple[int, int]
) -> None:
    await serve(services, "tried")
    name = f"route_trial_{size[0]}x{size[1]}"
    async with console_on(services, "routes service:tried path:*sum*", size=size) as pilot:
        await trying(pilot, "/tried/sum/{id}")
        await typed_id(pilot)
        await until_shown(pilot, " 7 ")
        await until_snapshot(pilot, f"{name}_call", masked)

        await answered(pilot, "✔ 200 OK", '"sum": 41', "Execution")
        await until_snapshot(pilot, f"{name}_answer", masked)

        await pilot.press("ctrl+right")
        await until_shown(pilot, "└ execution", "✔ authentication")
        await until_snapshot(pilot, f"{name}_stages", masked)


async def test_a_route_is_tried_in_its_own_tab(services: Services) -> None:
    await serve(services, "tabbed")
    place = "routes/tabbed%20POST%20%2Ftabbed%2Fsum%2F{id}/test"
    async with console_on(services, place, size=(80, 24)) as pilot:
        await until_shown(pilot, "6 Test", "headers")
        await typed_id(pilot)

        await answered(pilot, "✔ 200 OK", '"sum": 41')
        await until_snapshot(pilot, "route_trial_tab", masked)


async def test_a_key_that_is_not_known_is_asked_for_and_masked(services: Services) -> None:
    await serve(services, "keyed", key=True)
    key = await key_of(services, "keyed")
    async with console_on(services, "routes service:keyed path:*sum*", size=(140, 40)) as pilot:
        await trying(pilot, "/keyed/sum/{id}")
        await until_shown(pilot, "API key", "Not known here: type it once")
        await answered(pilot, "1 to mend")
        shown(pilot).form.go_to(("path", "id"))  # type: ignore[union-attr]
        await typed_id(pilot)
        await answered(pilot, "✘ 401 Unauthorized · unauthenticated")

        form = shown(pilot).form
        assert form is not None
        await pilot.press("f6")
        form.go_to(("key",))
        await typed(pilot, "enter", *key, "enter")
        await answered(pilot, "✔ 200 OK")

        for part in ("raw", "curl"):
            shown(pilot).query_one(Tabs).active = part
            await until_shown(pilot, "X-API-Key: ***")
            assert key not in screen_text(pilot.app)
        assert key not in str(list(log(pilot).values()))
        await pilot.press("y", "c")
        assert "'X-API-Key: ***'" in pilot.app.clipboard
        await pilot.press("y", "K")
        assert f"'X-API-Key: {key}'" in pilot.app.clipboard
        await pilot.press("escape", "escape")
        await trying(pilot, "/keyed/sum/{id}")
        assert shown(pilot).document["key"] == key


async def test_an_execution_that_goes_on_is_followed(services: Services) -> None:
    await serve(services, "follows")
    async with console_on(services, "routes service:follows path:*later*") as pilot:
        await trying(pilot, "/follows/later")
        await answered(pilot, "◷ 202 Accepted", "It goes on: follow the execution")

        await pilot.press("o")

        await until_shown(pilot, "Timeline", "hold")


async def test_a_call_that_runs_is_cancelled_by_escape(services: Services) -> None:
    await serve(services, "cancels")
    async with console_on(services, "routes service:cancels path:*hold*") as pilot:
        await trying(pilot, "/cancels/hold")
        await answered(pilot, "waiting for the answer, of at most 120 s", "esc cancels it")

        await pilot.press("escape")

        await until_shown(pilot, "⊘ Cancelled after", "headers")
        await until(pilot, lambda: [e.detail for e in log(pilot).values()][-1:] == ["cancelled"])


async def test_the_line_of_a_script_that_fails_is_marked(services: Services) -> None:
    await serve(services, "faulty", preRequestScript="const a = 1;\n$.a.b.c;\n$")
    async with console_on(services, "routes service:faulty path:*sum*", size=(80, 24)) as pilot:
        await trying(pilot, "/faulty/sum/{id}")
        await typed_id(pilot)
        await answered(pilot, "✘ 500 Internal Server Error · script-failed")

        await pilot.press("ctrl+right", "ctrl+right")

        await until_shown(pilot, "▶ 2  $.a.b.c;", "TypeError")
        await until_snapshot(pilot, "route_trial_script_fault", masked)


async def test_what_scripts_were_given_and_gave_is_shown(services: Services) -> None:
    scripts: dict[str, Any] = {
        "preRequestScript": "({a: $.a * 2})",
        "postResponseScript": "({half: $.sum / 2})",
    }
    await serve(services, "scripted", **scripts)
    async with console_on(services, "routes service:scripted path:*sum*") as pilot:
        await trying(pilot, "/scripted/sum/{id}")
        await typed_id(pilot)
        await answered(pilot, '"half": 41')

        await pilot.press("ctrl+right", "ctrl+right")
        await until_shown(pilot, '"id": "7"', '"a": 82')
        await pilot.press("ctrl+right")
        await until_shown(pilot, '"sum": 82', '"half": 41')


async def test_a_script_without_end_is_told(services: Services) -> None:
    await serve(services, "endless", preRequestScript=TIMES_OUT)
    async with console_on(services, "routes service:endless path:*sum*") as pilot:
        await trying(pilot, "/endless/sum/{id}")
        await typed_id(pilot)

        await answered(pilot, "script-failed")
        await pilot.press("ctrl+right", "ctrl+right")

        await until_shown(pilot, "✘ Script preRequestScript", "for (;;) {}")


async def test_cache_and_limits_are_told_in_words(services: Services) -> None:
    await serve(
        services, "told", cacheConfig={"key": "${path.id}", "ttlInSecond": 600},
        rateLimits=[{"name": "burst", "limit": 3, "windowSeconds": 600}],
    )  # fmt: skip
    async with console_on(services, "routes service:told path:*sum*", size=(160, 40)) as pilot:
        await trying(pilot, "/told/sum/{id}")
        await typed_id(pilot)
        await answered(pilot, "cache MISS (uri-miss)", "burst: 2 of 3 left")
        await answered(pilot, "cache HIT, ", "burst: 1 of 3 left")
        await answered(pilot, "burst: 0 of 3 left")

        await answered(pilot, "✘ 429 Too Many Requests · quota-exceeded", "again in")


async def test_where_all_is_read_only_no_call_is_sent(services: Services) -> None:
    await serve(services, "looked")
    place = "routes/looked%20POST%20%2Flooked%2Flater/test"
    async with console_on(services, place, read_only=True) as pilot:
        await until_shown(pilot, "headers")

        await pilot.press("ctrl+r")

        await until_shown(pilot, "read-only: no call is sent")
        assert not log(pilot)


async def test_what_a_form_holds_wrong_is_sent_when_asked_for_again(services: Services) -> None:
    await serve(services, "wrong")
    async with console_on(services, "routes service:wrong path:*sum*", size=(160, 40)) as pilot:
        await trying(pilot, "/wrong/sum/{id}")
        await typed_id(pilot)
        form = shown(pilot).form
        assert form is not None
        form.put(("body",), {"note": "no a"})
        await answered(pilot, "1 to mend · ctrl+r sends it as it is")

        await answered(pilot, "✘ 422", "invalid-input")


async def test_earlier_calls_are_recalled(services: Services) -> None:
    await serve(services, "recalls")
    async with console_on(services, "routes service:recalls path:*sum*") as pilot:
        await trying(pilot, "/recalls/sum/{id}")
        await typed_id(pilot)
        form = shown(pilot).form
        assert form is not None
        for number in (1, 2):
            form.put(("body",), {"a": number})
            await answered(pilot, f'"sum": {number}')

        await pilot.press("ctrl+up")
        await until_shown(pilot, '"sum": 1', "1 of 2")
        assert shown(pilot).document["body"] == {"a": 1}
        await pilot.press("ctrl+down")
        await until_shown(pilot, '"sum": 2', "2 of 2")


async def test_a_call_is_kept_in_a_file_and_opened(services: Services, tmp_path: Path) -> None:
    await serve(services, "kept")
    path = tmp_path / "case.json"
    async with console_on(services, "routes service:kept path:*sum*") as pilot:
        await trying(pilot, "/kept/sum/{id}")
        await typed_id(pilot)
        await pilot.press("S")
        await line_written(pilot, str(path))
        await until_shown(pilot, "Kept in")
        case = json.loads(path.read_text())
        assert (case["parameters"], case["body"]["a"]) == ({"id": "7"}, 41)

        path.write_text(json.dumps({**case, "body": {"a": 100}}))
        await pilot.press("O")
        await line_written(pilot, str(path))
        await until(pilot, lambda: shown(pilot).document.get("body") == {"a": 100})
        await answered(pilot, '"sum": 100')


async def test_a_file_that_is_there_is_not_written_over_unasked(
    services: Services, tmp_path: Path
) -> None:
    await serve(services, "overwritten")
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text("first")
    second.write_text("second")
    async with console_on(services, "routes service:overwritten path:*sum*") as pilot:
        await trying(pilot, "/overwritten/sum/{id}")
        await pilot.press("S")
        await line_written(pilot, str(first))
        await until_shown(pilot, "Write over it?", "first.json")
        # Another name, and that is taken as well.
        await line_written(pilot, str(second))
        await until_shown(pilot, "Write over it?", "second.json")
        # What one did not see when it was asked is asked for again.
        second.write_text("third's")
        await line_written(pilot, str(second))
        await until_shown(pilot, "Write over it?", "second.json")
        second.write_text("second")
        await line_written(pilot, str(second))
        await until_shown(pilot, "Write over it?", "second.json")
        assert (first.read_text(), second.read_text()) == ("first", "second")
        await line_written(pilot, str(second))
        await until_shown(pilot, "Kept in")

        assert first.read_text() == "first"
        assert json.loads(second.read_text())["service"] == "overwritten"
        await pilot.press("S")
        await line_written(pilot, "n" * 300)
        await until_shown(pilot, "nnnn cannot be")


async def line_written(pilot: Any, text: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
    dialog = pilot.app.screen
    dialog.query_one("Input").value = text
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is not dialog)


async def test_a_body_is_written_as_json(services: Services) -> None:
    await serve(services, "bodied")
    async with console_on(services, "routes service:bodied path:*sum*") as pilot:
        await trying(pilot, "/bodied/sum/{id}")
        await typed_id(pilot)
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditScreen))
        editor = pilot.app.screen.query_one(DocumentEditor)
        editor.area.text = '{"a": 9,'
        await pilot.press("ctrl+s")
        assert isinstance(pilot.app.screen, EditScreen)
        editor.area.text = '{"a": 9}'
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not isinstance(pilot.app.screen, EditScreen))

        await answered(pilot, '"sum": 9')


async def test_a_huge_body_is_refused_in_words_and_kept(services: Services) -> None:
    await serve(services, "huge")
    async with console_on(services, "routes service:huge path:*sum*") as pilot:
        await trying(pilot, "/huge/sum/{id}")
        await typed_id(pilot)
        form = shown(pilot).form
        assert form is not None
        form.put(("body",), {"a": 1, "note": "x" * 20_000_000})

        await answered(pilot, "✘ The body has 20,000,0")

        assert len(shown(pilot).document["body"]["note"]) == 20_000_000
        form.put(("body",), {"a": 1, "note": "x" * 14_000_000})
        await answered(pilot, "✘ 413")


async def test_a_route_that_was_deleted_meanwhile_is_told(services: Services) -> None:
    await serve(services, "gone")
    async with console_on(services, "routes service:gone path:*sum*") as pilot:
        await trying(pilot, "/gone/sum/{id}")
        await typed_id(pilot)
        async with connected(services.suite) as clients:
            await clients.registry.DeleteDefinition(
                registry_pb2.DeleteDefinitionRequest(kind="service", name="gone")
            )
        await put(services, {"kind": "auth", "id": "gone-after", "authenticationType": "NONE",
                             "applicationId": "gone"})  # fmt: skip

        await answered(pilot, "✘ There is no service 'gone'", "What was written is kept")
        assert shown(pilot).document["path"] == {"id": "7"}


async def test_nothing_is_lost_while_the_edge_is_away(own_services: Services) -> None:
    await serve(own_services, "away")
    async with console_on(own_services, "routes service:away path:*sum*") as pilot:
        await trying(pilot, "/away/sum/{id}")
        await typed_id(pilot)
        await own_services.stop("edge")

        # It may as well have been broken off on its way.
        await answered(
            pilot, "✘ ", "It may have begun: executions say so. What was written is kept"
        )
        assert shown(pilot).document["path"] == {"id": "7"}
        await own_services.start("edge")
        await until_sent(pilot, '"sum": 41')


async def until_sent(pilot: Any, text: str) -> None:
    """Send again and again until the answer has ``text``: the line comes back when it does."""
    async with asyncio.timeout(20):
        while text not in screen_text(pilot.app):
            await answered(pilot, " · f6: answer")

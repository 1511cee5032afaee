"""Scripts of routes, written, run and stored in the console."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2
from tests.tui.console.conftest import console_on
from tests.tui.console.tried import answered, calm, masked, serve, trying, typed_id
from tests.tui.screen import screen_text, until, until_shown, until_snapshot
from tests.tui.services import Services
from tui.clients import connected
from tui.screens.asking import AskScreen
from tui.screens.definition.saving import SaveScreen
from tui.screens.route.scripts import ScriptsPane
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.json_view import JsonView
from tui.widgets.live_table import LiveTable

DOUBLES = "const twice = $.a * 2;\n({a: twice})"


def editors(pilot: Any) -> tuple[DocumentEditor, DocumentEditor]:
    """That of the script and that of the payload."""
    script, payload = pilot.app.screen.query_one(ScriptsPane).query(DocumentEditor)
    return script, payload


async def writing(pilot: Any, path: str) -> None:
    await until_shown(pilot, "LIVE", path)
    await until(pilot, lambda: pilot.app.screen.query(LiveTable).first().cursor_id != "")
    await pilot.press("i")
    await until_shown(pilot, "Pre-request script", "Payload: $")


async def stored(services: Services, name: str) -> Any:
    async with connected(services.suite) as clients:
        answer = await clients.registry.GetDefinition(
            registry_pb2.GetDefinitionRequest(kind="service", name=name)
        )
    return json.loads(answer.definition.document)


async def change(services: Services, name: str, **fields: Any) -> None:
    """Change a service from elsewhere; ``fields`` of its first route beside its title."""
    document = await stored(services, name)
    document["name"] = "Somebody's title"
    document["routes"][0] |= fields
    async with connected(services.suite) as clients:
        put = registry_pb2.DocumentPut(document=json.dumps({"kind": "service", **document}))
        await clients.registry.PutDefinitions(registry_pb2.PutDefinitionsRequest(puts=[put]))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_script_is_run_on_a_payload(services: Services, size: tuple[int, int]) -> None:
    await serve(services, "written", preRequestScript=DOUBLES)
    name = f"route_scripts_{size[0]}x{size[1]}"
    async with console_on(services, "routes service:written path:*sum*", size=size) as pilot:
        await writing(pilot, "/written/sum")
        script, payload = editors(pilot)
        payload.load('{"a": 21}', "json")
        await pilot.press("ctrl+r")
        await until_shown(pilot, '"a": 42')
        script.area.move_cursor((0, 0))
        await pilot.pause()
        await until_snapshot(pilot, f"{name}_result", masked)

        payload.load("{}", "json")
        script.load("const a = 1;\n$.a.b.c;\n$", "javascript")
        await pilot.press("ctrl+r")
        await until_shown(pilot, "✘ Script test threw TypeError", "2:1")
        assert [fault.line for fault in script.faults] == [2]
        await until_snapshot(pilot, f"{name}_fault", masked)


async def test_a_script_without_end_is_ended_and_told(services: Services) -> None:
    await serve(services, "unending", preRequestScript="for (;;) {}")
    async with console_on(services, "routes service:unending path:*sum*") as pilot:
        await writing(pilot, "/unending/sum")
        await pilot.press("ctrl+r")

        await until_shown(pilot, "✘ Script test")
        editors(pilot)[0].load("1 + 1", "javascript")
        await pilot.press("ctrl+r")
        result = pilot.app.screen.query_one("#script-result", JsonView)
        await until(pilot, lambda: result.display and result.document is not None)
        assert result.document is not None
        assert result.document.value == 2


async def test_the_payload_is_what_the_last_call_gave(services: Services) -> None:
    await serve(services, "seeded", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:seeded path:*sum*", size=(80, 24)) as pilot:
        await trying(pilot, "/seeded/sum/{id}")
        await typed_id(pilot)
        await answered(pilot, '"sum": 82')
        await pilot.press("escape", "escape")

        await writing(pilot, "/seeded/sum")

        payload = editors(pilot)[1]
        assert json.loads(payload.text)["a"] == 41
        await pilot.press("f2")
        await until_shown(pilot, "Post-response script")
        assert json.loads(payload.text) == {"sum": 82}
        payload.load("{}", "json")
        await pilot.press("f3")
        assert json.loads(payload.text) == {"sum": 82}


async def test_both_scripts_are_stored_after_what_differs_was_shown(services: Services) -> None:
    await serve(services, "stores", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:stores path:*sum*") as pilot:
        await writing(pilot, "/stores/sum")
        editors(pilot)[0].area.text = "({a: 3})"
        await pilot.press("f2")
        editors(pilot)[0].area.text = "({three: $.sum})"

        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SaveScreen))
        await until_shown(pilot, "const twice", "({three: $.sum})")
        await pilot.press("ctrl+s")

        await until_shown(pilot, "The scripts are stored.")
        route = (await stored(services, "stores"))["routes"][0]
        assert route["preRequestScript"] == "({a: 3})"
        assert route["postResponseScript"] == "({three: $.sum})"
        assert not pilot.app.screen.query_one(ScriptsPane).dirty
        await pilot.press("escape")
        await trying(pilot, "/stores/sum/{id}")
        await typed_id(pilot)
        await calm(pilot)
        await answered(pilot, '"three": 3')


async def test_what_somebody_else_changed_meanwhile_is_kept(services: Services) -> None:
    await serve(services, "meets", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:meets path:*sum*") as pilot:
        await writing(pilot, "/meets/sum")
        editors(pilot)[0].area.text = "({a: 3})"
        await change(services, "meets", preRequestScript="({a: 'theirs'})")

        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SaveScreen))
        await until_shown(pilot, "({a: 'theirs'})", "({a: 3})", "and these scripts too")
        await change(services, "meets", preRequestScript="({a: 'third'})")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "({a: 'third'})", "({a: 3})", "and these scripts too")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "The scripts are stored.")

        document = await stored(services, "meets")
        assert document["name"] == "Somebody's title"
        assert document["routes"][0]["preRequestScript"] == "({a: 3})"


async def test_a_script_that_is_no_javascript_is_refused_at_its_line(services: Services) -> None:
    await serve(services, "refused", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:refused path:*sum*") as pilot:
        await writing(pilot, "/refused/sum")
        script = editors(pilot)[0]
        script.area.text = "const a = 1;\nconst = 2;"

        await pilot.press("ctrl+s")

        await until(pilot, lambda: [fault.line for fault in script.faults] == [2])
        assert (await stored(services, "refused"))["routes"][0]["preRequestScript"] == DOUBLES


async def test_a_service_that_was_deleted_meanwhile_is_told(services: Services) -> None:
    await serve(services, "ended", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:ended path:*sum*") as pilot:
        await writing(pilot, "/ended/sum")
        script = editors(pilot)[0]
        script.area.text = "({a: 3})"
        async with connected(services.suite) as clients:
            await clients.registry.DeleteDefinition(
                registry_pb2.DeleteDefinitionRequest(kind="service", name="ended")
            )

        await pilot.press("ctrl+s")

        await until_shown(pilot, "was deleted")
        assert script.text == "({a: 3})"


async def test_what_is_not_stored_is_asked_for_before_it_is_left(services: Services) -> None:
    await serve(services, "leaves", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:leaves path:*sum*") as pilot:
        await writing(pilot, "/leaves/sum")
        editors(pilot)[0].area.text = "({a: 3})"

        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, AskScreen))
        assert "Pre-request script" in screen_text(pilot.app)


async def test_a_payload_that_is_no_json_is_told_at_its_place(services: Services) -> None:
    await serve(services, "unread", preRequestScript=DOUBLES)
    async with console_on(services, "routes service:unread path:*sum*") as pilot:
        await writing(pilot, "/unread/sum")
        editors(pilot)[1].load('{"a": }', "json")

        await pilot.press("ctrl+r")

        await until_shown(pilot, "The payload is no JSON")


async def test_nothing_is_lost_while_the_edge_is_away(own_services: Services) -> None:
    await serve(own_services, "absent", preRequestScript=DOUBLES)
    async with console_on(own_services, "routes service:absent path:*sum*") as pilot:
        await writing(pilot, "/absent/sum")
        await own_services.stop("edge")

        await pilot.press("ctrl+r")

        await until_shown(pilot, "Nothing was lost")
        assert editors(pilot)[0].text == DOUBLES

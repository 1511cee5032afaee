"""Keys made, rolled and revoked, grants switched, services switched off and on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from podium.registry.v1 import registry_pb2
from services.home import Credentials
from tests.tui.console.conftest import console_on
from tests.tui.console.filling import (
    anybody,
    application,
    form_in,
    pane_text,
    press_button,
    route,
    saved,
    service,
    stored,
    type_in,
    workflow,
)
from tests.tui.screen import screen_text, typed, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.clients import connected
from tui.live import making_keys
from tui.live.session import Session
from tui.screens.definition.keys import AccessKeysTab
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.grant_matrix import GrantMatrix
from tui.widgets.live_table import LiveTable


async def api_keys(services: Services, auth: str) -> list[registry_pb2.ApiKey]:
    async with connected(services.suite) as clients:
        answer = await clients.registry.ListApiKeys(registry_pb2.ListApiKeysRequest(auth_id=auth))
    return list(answer.api_keys)


def keyed(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return application(name), {
        "kind": "auth", "id": name, "authenticationType": "API_KEY", "applicationId": name,
        "apiKeys": [{"name": "first", "key": f"{name}-first-key-of-the-tests"}],
    }  # fmt: skip


def table_of(pilot: Pilot[Any]) -> LiveTable:
    return next(each for each in pilot.app.screen.query(LiveTable) if each.has_focus)


def log_of(pilot: Pilot[Any]) -> list[str]:
    """The command lines of what was done."""
    console: Any = pilot.app
    return [entry.command for entry in console.session.log.collection.records.values()]


async def confirmed(pilot: Pilot[Any], *shown: str) -> None:
    """Do what a dialog asks for."""
    await until_shown(pilot, "Cancel", *shown)
    await pilot.press("ctrl+s")


async def copied_once(pilot: Pilot[Any]) -> str:
    """The key that a dialog shows, which is then closed."""
    await until_shown(pilot, "I have it")
    copied: list[str] = []
    pilot.app.copy_to_clipboard = copied.append  # type: ignore[method-assign,assignment]
    await pilot.press("y")
    await pilot.press("enter")
    await until(pilot, lambda: "I have it" not in screen_text(pilot.app))
    return copied[0]


async def test_a_key_is_made_rolled_and_revoked(services: Services) -> None:
    await put(services, *keyed("turned"))
    async with console_on(services, "auths/turned/keys", size=(120, 40)) as pilot:
        await until_shown(pilot, "first", "● live", "never")

        await pilot.press("n")
        await until_shown(pilot, "New key of auth turned")
        # It is typed at once: n and y of the dialog are letters here.
        await typed(pilot, *"second", "enter", *"90d", "enter")
        await until(pilot, lambda: pilot.app.screen.focused is pilot.app.screen.query_one("#do"))
        await pilot.press("enter")
        key = await copied_once(pilot)
        await until_shown(pilot, "second", "◐ ends")
        assert key not in screen_text(pilot.app)

        await until(pilot, lambda: table_of(pilot).put_cursor_on("first"))
        await pilot.press("r")
        await confirmed(pilot, "Roll key first", "24h")
        await copied_once(pilot)
        await until(pilot, lambda: len(table_of(pilot).view) == 3)
        assert len(await api_keys(services, "turned")) == 3

        await until(pilot, lambda: table_of(pilot).put_cursor_on("second"))
        await pilot.press("x")
        await confirmed(pilot, "Revoke second", "refused within a second")
        await until(pilot, lambda: len(table_of(pilot).view) == 2)

        assert log_of(pilot) == [
            "podium keys create --name second --expires 90d turned",
            "podium keys roll --overlap 24h turned first",
            "podium keys revoke turned second",
        ]
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "✔ done", "key second")
        assert key not in screen_text(pilot.app)


async def test_the_last_key_is_kept_unless_one_says_so(services: Services) -> None:
    await put(services, *keyed("lasting"))
    async with console_on(services, "auths/lasting/keys", size=(80, 24)) as pilot:
        await until_shown(pilot, "first")
        await pilot.press("x")

        await confirmed(pilot, "Revoke first")

        await until(pilot, lambda: "Cancel" not in screen_text(pilot.app))
        await until_shown(pilot, "last")
        assert [each.name for each in await api_keys(services, "lasting")] == ["first"]


async def test_an_end_that_cannot_be_read_makes_no_key(services: Services) -> None:
    await put(services, *keyed("unread"))
    async with console_on(services, "auths/unread/keys", size=(80, 24)) as pilot:
        await until_shown(pilot, "first")
        await pilot.press("n")
        await until_shown(pilot, "New key of auth unread")
        pilot.app.screen.query_one("#answer-expires", Input).value = "soon"

        await confirmed(pilot)

        await until_shown(pilot, "write a length like 90d")
        assert len(await api_keys(services, "unread")) == 1


async def test_an_access_key_is_made_and_revoked(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is done here is shown at once, not when the list is read for what others do.
    monkeypatch.setattr(AccessKeysTab, "again_seconds", None)
    await put(services, application("robot"))
    async with console_on(services, "applications/robot/keys", size=(120, 40)) as pilot:
        await until_shown(pilot, "Keys", "n New key")
        await pilot.press("n")
        await confirmed(pilot, "New access key of robot")
        await until_shown(pilot, "Key id:")
        secret = await copied_once(pilot)
        await until_shown(pilot, "● live")
        assert secret not in screen_text(pilot.app)

        await pilot.press("x")
        await confirmed(pilot, "Revoke")

        await until_shown(pilot, "⊘ revoked")
        async with connected(services.suite) as clients:
            answer = await clients.registry.ListAccessKeys(
                registry_pb2.ListAccessKeysRequest(application_id="robot")
            )
        assert answer.access_keys[0].HasField("revoked_at")


async def test_grants_are_switched_and_stored_at_once(services: Services) -> None:
    granted = [{"target": {"type": "workflow", "id": "one"}, "access": ["EXECUTE"]}]
    await put(services, {**application("granted"), "permissions": granted})
    async with console_on(services, "applications/granted/grants", size=(80, 24)) as pilot:
        await until_shown(pilot, "EXECUTE", "one", "1 target")
        matrix = pilot.app.screen.query_one(GrantMatrix)
        await until(pilot, lambda: matrix.has_focus)
        await pilot.press("space")
        await pilot.press("a")
        await until_shown(pilot, "which kind?")
        await typed(pilot, *"workf", "enter")
        await until_shown(pilot, "which workflow?", "* is every workflow")
        await pilot.press("asterisk", "enter")
        await until_shown(pilot, "2 targets", "● changed")
        await pilot.press("right", "space")
        await until(pilot, lambda: "CREATE" in matrix.grants[1].access)
        await until_snapshot(pilot, "manage_grants_80x24", pane_text)

        await pilot.press("escape")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written", "+")
        await pilot.press("enter")

        console: Any = pilot.app
        await until(pilot, lambda: not console.frame.place.dirty)
        assert (await stored(services, "application", "granted"))["permissions"] == [
            {"target": {"type": "workflow", "id": "one"}, "access": ["READ", "EXECUTE"]},
            {"target": {"type": "workflow", "id": "*"}, "access": ["CREATE"]},
        ]


async def test_grants_follow_the_stream_until_one_is_switched(services: Services) -> None:
    await put(services, application("followed"))
    async with console_on(services, "applications/followed/grants", size=(120, 40)) as pilot:
        await until_shown(pilot, "0 targets")
        matrix = pilot.app.screen.query_one(GrantMatrix)

        grant = {"target": {"type": "secret", "id": "T"}, "access": ["READ"]}
        await put(services, {**application("followed"), "permissions": [grant]})
        await until_shown(pilot, "1 target")
        await until(pilot, lambda: matrix.has_focus)
        await pilot.press("right", "space")
        await until_shown(pilot, "● changed")
        await put(services, {**application("followed"), "name": "Theirs", "permissions": [grant]})
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile", "do not meet")
        await press_button(pilot, "both")
        await until(pilot, lambda: "Changed meanwhile" not in screen_text(pilot.app))
        await until_shown(pilot, "● changed")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written")
        await pilot.press("enter")

        await until(pilot, lambda: "● changed" not in screen_text(pilot.app))
        document = await stored(services, "application", "followed")
        assert document["name"] == "Theirs"
        assert document["permissions"][0]["access"] == ["READ", "CREATE"]


async def test_a_service_is_switched_off_and_on(services: Services) -> None:
    await put(services, *anybody("sw-any"), service("switched", "sw-any"))
    async with console_on(services, "services switched", size=(120, 40)) as pilot:
        await until_shown(pilot, "switched", "● enabled")
        await pilot.press("x")
        await until_shown(pilot, "○ disabled")
        assert (await stored(services, "service", "switched"))["enabled"] is False

        await pilot.press("x")

        await until_shown(pilot, "● enabled")


async def test_a_service_opens_with_its_routes_and_one_is_added_there(services: Services) -> None:
    await put(services, *anybody("tab-any"), workflow("tab-flow"))
    await put(services, service("tabbed", "tab-any"), service("other", "tab-any",
              route("/no", "tab-flow")))  # fmt: skip
    async with console_on(services, "services tabbed", size=(120, 40)) as pilot:
        await until(pilot, lambda: table_of(pilot).put_cursor_on("tabbed"))
        await pilot.press("enter")
        await until_shown(pilot, "1 Routes", "n New route")
        assert "/other" not in screen_text(pilot.app)

        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("httpMethod",), "PUT")
        await type_in(pilot, form, ("path",), "/new")
        await type_in(pilot, form, ("mappedWorkflow", "name"), "tab-flow")
        await saved(pilot)

        await until_shown(pilot, "/tabbed/new", "1 Routes")


async def test_a_sample_is_judged_as_it_is_written(services: Services) -> None:
    data = {
        "type": "object", "required": ["count"],
        "properties": {"count": {"type": "integer", "minimum": 1}},
    }  # fmt: skip
    await put(services, {"kind": "schema", "name": "counted", "version": 1, "data": data})
    async with console_on(services, "schemas/counted/sample", size=(120, 40)) as pilot:
        await until_shown(pilot, "Sample · ✔ valid", '"count": 1')
        editor = pilot.app.screen.query_one(DocumentEditor)

        editor.area.text = '{\n  "count": 0\n}'

        await until_shown(pilot, "Sample · ✘ 1 fault")
        assert [fault.line for fault in editor.faults] == [2]
        editor.area.text = '{"count": '
        await until_shown(pilot, "cannot be read")
        await pilot.press("f5")
        await until_shown(pilot, "Sample · ✔ valid")


async def test_read_only_consoles_only_look(services: Services) -> None:
    await put(services, *keyed("seen"), service("seen", "seen"))
    async with console_on(services, "auths/seen/keys", size=(120, 40), read_only=True) as pilot:
        await until_shown(pilot, "first", "● live")
        assert "New key" not in screen_text(pilot.app)
        await pilot.press("n", "x", "r")
        await typed(pilot, "colon", *"applications/seen/grants", "enter")
        await until_shown(pilot, "0 targets")
        assert "Add target" not in screen_text(pilot.app)
        await typed(pilot, "colon", *"services", "enter")
        await until_shown(pilot, "● enabled")
        await pilot.press("x")
        await pilot.pause()

        assert len(await api_keys(services, "seen")) == 1
        assert "enabled" not in (await stored(services, "service", "seen"))


async def test_what_the_key_may_not_do_is_told_in_words(services: Services) -> None:
    looker = application("looker")
    await put(services, {**looker, "roles": ["ADMIN"]}, application("not-mine"))
    async with connected(services.suite) as clients:
        made = await clients.registry.CreateAccessKey(
            registry_pb2.CreateAccessKeyRequest(application_id="looker")
        )
    credentials = Credentials(made.access_key.key_id, made.key_secret)
    lookers: Any = SimpleNamespace(suite=replace(services.suite, credentials=credentials))
    async with console_on(lookers, "applications", size=(120, 40)) as pilot:
        await until(pilot, lambda: table_of(pilot).put_cursor_on("not-mine"))
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("name",), "Mine")
        # What it may no more is grey in lists; what is written already is refused.
        await put(services, {**looker, "roles": ["VIEWER"]})

        await pilot.press("ctrl+s")

        await until_shown(pilot, "Your key may not do that")
        assert form.document["name"] == "Mine"  # type: ignore[index,call-overload]


async def test_a_key_is_known_in_the_suite_that_made_it_only(services: Services) -> None:
    await put(services, *keyed("elsewhere"))
    async with console_on(services, "auths/elsewhere/keys", size=(100, 30)) as pilot:
        await until_shown(pilot, "first", "● live")
        console: Any = pilot.app
        made_in = console.session
        await pilot.press("n")
        await until_shown(pilot, "New key of auth elsewhere", "Cancel")
        other = Session(made_in.connection, made_in.log)
        console.session = other

        await pilot.press("ctrl+s")
        key = await copied_once(pilot)
        console.session = made_in

        assert made_in.keys.of("elsewhere") == key
        assert other.keys.of("elsewhere") == ""


async def test_a_key_whose_answer_is_lost_may_have_been_made_and_can_be_revoked(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(services, application("unheard"))
    async with console_on(services, "applications/unheard/keys", size=(100, 30)) as pilot:
        await until_shown(pilot, "● LIVE", "n New key")
        with monkeypatch.context() as patch:
            patch.setattr(making_keys, "CALL_SECONDS", 1e-6)
            await pilot.press("n")
            await confirmed(pilot, "New access key of unheard")
            await until_shown(pilot, "It may have been made", "Show the keys")
        await press_button(pilot, "again")
        await copied_once(pilot)
        await until_shown(pilot, "● live")
        async with connected(services.suite) as clients:
            request = registry_pb2.ListAccessKeysRequest(application_id="unheard")
            (made,) = (await clients.registry.ListAccessKeys(request)).access_keys

        await until(pilot, lambda: table_of(pilot).cursor_id == made.key_id)
        await pilot.press("x")
        await confirmed(pilot, "Revoke")
        await until_shown(pilot, "revoked")


async def test_the_keys_are_shown_where_an_answer_is_lost(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(services, *keyed("unanswered"))
    monkeypatch.setattr(making_keys, "CALL_SECONDS", 1e-6)
    async with console_on(services, "auths/unanswered/keys", size=(100, 30)) as pilot:
        await until_shown(pilot, "first", "● live")
        await pilot.press("n")
        await confirmed(pilot, "New key of auth unanswered")
        await until_shown(pilot, "It may have been made")
        console: Any = pilot.app
        console.command("workflows")
        await press_button(pilot, "keys")

        await until_shown(pilot, "unanswered", "Keys", "first", "● live")


async def test_an_access_key_is_rolled_and_found_among_all(services: Services) -> None:
    await put(services, application("roller"))
    async with connected(services.suite) as clients:
        request = registry_pb2.CreateAccessKeyRequest(application_id="roller")
        old = (await clients.registry.CreateAccessKey(request)).access_key.key_id
    async with console_on(services, "access-keys application:roller", size=(120, 40)) as pilot:
        await until_shown(pilot, old, "roller", "● live")
        await pilot.press("o")
        await until_shown(pilot, "Keys", "r Roll")
        await until(pilot, lambda: table_of(pilot).put_cursor_on(old))

        await pilot.press("r")
        await confirmed(pilot, f"Roll access key {old}", "1h")
        secret = await copied_once(pilot)

        await until_shown(pilot, "◐ ends", "● live")
        assert secret not in screen_text(pilot.app)
        assert log_of(pilot) == [f"podium access-keys roll --overlap 1h {old}"]


async def test_signing_keys_are_rotated_once_the_key_s_name_is_typed(
    own_services: Services,
) -> None:
    async with console_on(own_services, "signing-keys", size=(160, 40)) as pilot:
        await until_shown(pilot, "● SIGNS", "Another is made at")
        async with connected(own_services.suite) as clients:
            request = registry_pb2.ListSigningKeysRequest()
            (key,) = (await clients.registry.ListSigningKeys(request)).signing_keys

        await pilot.press("r")
        await until_shown(pilot, f"Type its name to go on: {key.key_id}")
        assert pilot.app.screen.query_one("#do", Button).disabled
        pilot.app.screen.query_one("#typed", Input).value = key.key_id
        await until(pilot, lambda: not pilot.app.screen.query_one("#do", Button).disabled)
        await pilot.press("ctrl+s")

        await until_shown(pilot, "◌ ANNOUNCED")
        assert log_of(pilot) == ["podium signing-keys rotate"]

"""Everybody calls every RPC and every page of the management listener, as the table of rights says.

What is called comes of descriptors and of the listener's own pages: a new RPC is called as well.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import httpx
import pytest

from services import rpc
from services.access.reach import Reach, reach
from services.edge.management.pages import PAGES
from services.rights import RIGHTS, SERVICES
from services.rights.pages import rights_of
from tests.access.asking import OK, Answer, everything
from tests.access.callers import APPLICATIONS, FORGERIES, HIDDEN, Callers, callers
from tests.rpcs import methods
from tests.tui.services import Services, put, services_in, start

METHODS = methods()
ABSENT = "absent-zq"
# Refusals that say nothing of who calls: what was asked for makes no sense, or is not there.
SENSELESS = ("INVALID_ARGUMENT", "NOT_FOUND")
NEVER = ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "UNAVAILABLE")


class Everybody:
    """A suite, and all who call it."""

    def __init__(
        self, services: Services, callers: Callers, channels: Mapping[str, grpc.aio.Channel]
    ) -> None:
        self.services = services
        self.callers = callers
        self.channels = channels

    async def call(self, token: str, name: str = "") -> dict[str, Answer]:
        return await everything(self.channels, METHODS, dict.fromkeys(self.channels, token), name)

    async def call_as_service(self, name: str) -> dict[str, Answer]:
        identity = self.callers.identities[name]
        tokens = {audience: identity.token(audience) for audience in self.channels}
        return await everything(self.channels, METHODS, tokens)


@pytest.fixture(scope="module")
async def everybody(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Everybody]:
    home: Path = tmp_path_factory.mktemp("everybody")
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(services_in(home))
        await put(services, *_hidden())
        await start(services, HIDDEN, input=f'{{"of": "{HIDDEN}"}}')
        suite = services.suite
        channels = {
            name: await stack.enter_async_context(rpc.channel(address))
            for name, address in (
                ("registry", suite.registry), ("executor", suite.executor), ("edge", suite.edge)
            )
        }  # fmt: skip
        yield Everybody(services, await callers(services), channels)


def _hidden() -> list[dict[str, object]]:
    """What nobody without a role may know of: a service, its auth, its workflow and a schema."""
    tasks = [{"name": HIDDEN, "taskReferenceName": "t", "type": "SIMPLE"}]
    route = {"httpMethod": "GET", "path": f"/{HIDDEN}", "mappedWorkflow": {"name": HIDDEN}}
    return [
        {"kind": "application", "id": f"{HIDDEN}-app"},
        {"kind": "auth", "id": HIDDEN, "authenticationType": "NONE",
         "applicationId": f"{HIDDEN}-app"},
        {"kind": "task", "name": HIDDEN},
        {"kind": "schema", "name": HIDDEN, "data": {"type": "object"}},
        {"kind": "workflow", "name": HIDDEN, "tasks": tasks},
        {"kind": "service", "id": HIDDEN, "name": HIDDEN, "path": f"/{HIDDEN}",
         "authConfigId": HIDDEN, "routes": [route]},
    ]  # fmt: skip


def right_of(place: str) -> str:
    return place.partition(" ")[2]


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_token_that_does_not_hold_opens_nothing(everybody: Everybody, forgery: str) -> None:
    answers = await everybody.call(everybody.callers.forged[forgery])
    known = {place for place in answers if not RIGHTS[right_of(place)].open}

    wrong = {p: answers[p] for p in known if answers[p].code != "UNAUTHENTICATED"}
    assert wrong == {}
    told = {answers[place].said for place in known}
    # Whoever shows no token that holds learns of no method more than of another.
    assert len(told) == 1


@pytest.mark.parametrize("id_", APPLICATIONS)
async def test_an_application_may_what_the_table_says(everybody: Everybody, id_: str) -> None:
    application = APPLICATIONS[id_]
    answers = await everybody.call(everybody.callers.of_applications[id_])

    wrong = {}
    for place, answer in answers.items():
        right = RIGHTS[right_of(place)]
        if right.open:
            continue
        if not _as_expected(reach(application, right), answer.code):
            wrong[place] = answer
    assert wrong == {}


def _as_expected(expected: Reach, code: str) -> bool:
    if code in (*NEVER, "UNAUTHENTICATED"):
        return False
    if expected is Reach.GRANTED:
        return code in (OK, "PERMISSION_DENIED", *SENSELESS)
    return (code == "PERMISSION_DENIED") == (expected is Reach.NONE)


@pytest.mark.parametrize("id_", ["worker", "team", "nobody"])
async def test_nobody_learns_of_what_they_may_not_see(everybody: Everybody, id_: str) -> None:
    application, token = APPLICATIONS[id_], everybody.callers.of_applications[id_]
    unasked = await everybody.call(token)
    hidden, absent = await everybody.call(token, HIDDEN), await everybody.call(token, ABSENT)
    bounded = {
        place for place in unasked if reach(application, RIGHTS[right_of(place)]) is not Reach.ALL
    }

    told = {
        place: unasked[place]
        for place in bounded
        if HIDDEN.encode() in unasked[place].told or HIDDEN in unasked[place].said
    }
    assert told == {}
    # To ask for it by its name says no more than to ask for what is not there.
    guessed = {
        place: (hidden[place], absent[place])
        for place in bounded
        if (hidden[place].code, hidden[place].said.replace(HIDDEN, ABSENT))
        != (absent[place].code, absent[place].said)
    }
    assert guessed == {}


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_may_what_the_table_says(everybody: Everybody, name: str) -> None:
    answers = await everybody.call_as_service(name.removeprefix("service:"))

    wrong = {}
    for place, answer in answers.items():
        right = RIGHTS[right_of(place)]
        refused = answer.code == "PERMISSION_DENIED"
        if not right.open and (refused == (name in right.services) or answer.code in NEVER):
            wrong[place] = answer
    assert wrong == {}


def _path(path: str) -> str:
    parts = (f"{ABSENT}" if part.startswith("{") else part for part in path.split("/"))
    return "/".join(parts).replace(f"/{ABSENT}/{ABSENT}/{ABSENT}", f"/{ABSENT}/t/COMPLETED")


async def pages(everybody: Everybody, header: Mapping[str, str]) -> dict[str, httpx.Response]:
    """The answer of every page of the management listener to an empty object."""
    found = {}
    base = everybody.services.suite.management
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20) as client:
        for method, path, _ in PAGES:
            found[f"{method} {path}"] = await client.request(
                method, _path(path), json={}, headers=header
            )
    return found


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_page_is_closed_to_a_token_that_does_not_hold(
    everybody: Everybody, forgery: str
) -> None:
    token = everybody.callers.forged[forgery]
    answers = await pages(everybody, {"authorization": f"Bearer {token}"} if token else {})

    for page, answer in answers.items():
        open_to_all = all(right.open for right in rights_of(page))
        assert (answer.status_code == 401) == (not open_to_all), (page, answer.text)


@pytest.mark.parametrize("id_", APPLICATIONS)
async def test_a_page_is_open_as_its_rpcs_are(everybody: Everybody, id_: str) -> None:
    application = APPLICATIONS[id_]
    tokens = everybody.callers.of_applications
    answers = await pages(everybody, {"x-authorization": tokens[id_]})

    for page, answer in answers.items():
        reaches = {reach(application, right) for right in rights_of(page)}
        said = (page, answer.status_code, answer.text)
        assert answer.status_code not in (401, 500, 502, 503, 504), said
        if reaches <= {Reach.ALL}:
            assert answer.status_code != 403, said
        elif Reach.NONE in reaches:
            # Of several calls an earlier one may have failed, by what it was given or named.
            assert answer.status_code in (400, 403, 404), said
        assert HIDDEN not in answer.text or Reach.ALL in reaches, said

"""What an application with grants of its own sees of executions, and may do to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.conductor.calling import authorized
from tests.conductor.executions import Making
from tests.tui.services import Services, put

ID = "ops-team"
MAY = {"ops-wait": ["READ", "EXECUTE"], "ops-failed": ["READ"]}


@pytest.fixture(scope="session")
async def team(services: Services, making: Making) -> AsyncGenerator[httpx.AsyncClient]:
    """With the token of an application that may run one workflow and read another."""
    permissions = [
        {"target": {"type": "workflow", "id": name}, "access": access}
        for name, access in MAY.items()
    ]
    await put(services, {"kind": "application", "id": ID, "permissions": permissions})
    async with authorized(services, ID) as client:
        yield client


@pytest.fixture
async def three(making: Making) -> tuple[str, str, str]:
    """One that it may run, one that it may read, and one that it may not know of."""
    ids = [
        await making.started(name=name, version=1, correlationId="of all")
        for name in ("ops-wait", "ops-failed", "ops-parent")
    ]
    return ids[0], ids[1], ids[2]


async def test_it_reads_what_it_may(team: httpx.AsyncClient, three: tuple[str, str, str]) -> None:
    for page in ("", "/status", "/tasks"):
        codes = [(await team.get(f"/api/workflow/{id_}{page}")).status_code for id_ in three]
        assert codes == [200, 200, 404]


async def test_it_is_listed_what_it_may_read(
    team: httpx.AsyncClient, three: tuple[str, str, str]
) -> None:
    names = ("ops-wait", "ops-failed", "ops-parent")
    for name, id_ in zip(names, three, strict=True):
        ids = (await team.get(f"/api/workflow/running/{name}")).json()
        assert (id_ in ids) is (name in MAY)
        found = (await team.get(f"/api/workflow/{name}/correlated/of all")).json()
        assert bool(found) is (name in MAY)
    body = {"workflowNames": names, "correlationIds": ["of all"]}
    batch = (await team.post("/api/workflow/correlated/batch", json=body)).json()
    assert {each["workflowName"] for each in batch["of all"]} == set(MAY)


async def test_it_does_many_only_what_it_may(
    team: httpx.AsyncClient, api: httpx.AsyncClient, three: tuple[str, str, str]
) -> None:
    runs, reads, hidden = three
    told = (await team.put("/api/workflow/bulk/pause", json=list(three))).json()

    assert told["bulkSuccessfulResults"] == [runs]
    assert set(told["bulkErrorResults"]) == {reads, hidden}
    # As of one that is not there.
    assert told["bulkErrorResults"][hidden] == f"Workflow with id: {hidden} not found."
    stands = [(await api.get(f"/api/workflow/{id_}")).json()["status"] for id_ in three]
    assert stands == ["PAUSED", "RUNNING", "RUNNING"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/pause", None),
        ("PUT", "/resume", None),
        ("PUT", "/skiptask/later", {}),
        ("POST", "/rerun", {}),
        ("POST", "/restart", {}),
        ("POST", "/retry", {}),
        ("POST", "/resetcallbacks", {}),
        ("POST", "/variables", {"w": 1}),
        ("POST", "/state", {"variables": {"w": 1}}),
        ("DELETE", "", None),
        ("DELETE", "/remove", None),
        ("DELETE", "/terminate-remove", None),
    ],
)
async def test_it_does_nothing_to_what_it_may_not(
    team: httpx.AsyncClient, api: httpx.AsyncClient, three: tuple[str, str, str],
    method: str, path: str, body: object,
) -> None:  # fmt: skip
    _, reads, hidden = three
    before = [(await api.get(f"/api/workflow/{id_}")).json() for id_ in (reads, hidden)]

    refused = await team.request(method, f"/api/workflow/{reads}{path}", json=body)
    assert refused.status_code == 403, refused.text
    unseen = await team.request(method, f"/api/workflow/{hidden}{path}", json=body)
    assert unseen.status_code == 404
    assert unseen.json()["message"] == f"Workflow with id: {hidden} not found."
    assert [(await api.get(f"/api/workflow/{id_}")).json() for id_ in (reads, hidden)] == before


async def test_it_starts_and_tests_what_it_may(team: httpx.AsyncClient, making: Making) -> None:
    codes = {}
    for name in ("ops-wait", "ops-failed", "ops-parent", "ops-nope"):
        started = await team.post("/api/workflow", json={"name": name})
        tested = await team.post("/api/workflow/test", json={"name": name})
        codes[name] = (started.status_code, tested.status_code)
    assert codes["ops-wait"][0] == 200
    assert codes["ops-failed"][0] == 403
    # Of what it may not know, as of what is not there.
    assert codes["ops-parent"] == codes["ops-nope"]

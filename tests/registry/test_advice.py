"""What the definitions around a service show is told to who puts it."""

from __future__ import annotations

from typing import Any

from services.registry.advice import Adviser
from services.registry.definitions import Definition
from tests.registry.registries import WORKFLOW, Running, put
from tests.registry.test_writeonly import KEY_A, auth

APPLICATION: dict[str, Any] = {"kind": "application", "id": "partners"}
ROUTE = {"httpMethod": "POST", "path": "/", "mappedWorkflow": {"name": "checkout"}}
TOLD = (
    "routes[0].mappedWorkflow.name: application 'partners' may not EXECUTE workflow 'checkout', so "
    "every call gets 403: add to its permissions "
    "{target: {type: workflow, id: checkout}, access: [EXECUTE]}"
)


def orders(**fields: Any) -> dict[str, Any]:
    routes = [ROUTE | fields]
    return {
        "kind": "service", "id": "orders", "path": "/o", "authConfigId": "partners",
        "routes": routes,
    }  # fmt: skip


async def advice(registry: Running, *documents: dict[str, Any]) -> list[str]:
    """What is said of the last of ``documents``."""
    return list((await put(registry.admin, *documents))[-1].warnings)


async def test_a_route_whose_application_may_not_execute_its_workflow_is_told(
    registry: Running,
) -> None:
    keys = auth(applicationId="partners", apiKeys=[KEY_A])
    grant = {"target": {"type": "workflow", "id": "checkout"}, "access": ["EXECUTE"]}

    assert await advice(registry, WORKFLOW, APPLICATION, keys, orders()) == [TOLD]
    assert await advice(registry, orders()) == [TOLD]
    assert await advice(registry, APPLICATION | {"permissions": [grant]}, orders()) == []


async def test_a_workflow_that_is_started_and_is_not_there_is_told(registry: Running) -> None:
    def starter(**request: Any) -> dict[str, Any]:
        task = {"name": "s", "taskReferenceName": "s", "type": "START_WORKFLOW",
                "inputParameters": {"startWorkflow": request}}  # fmt: skip
        return {"kind": "workflow", "name": "starter", "tasks": [task]}

    path = "tasks[0].inputParameters.startWorkflow.name"
    later = "until there is, the task fails"
    assert await advice(registry, starter(name="checkout")) == [
        f"{path}: there is no workflow 'checkout' yet; {later}"
    ]
    assert await advice(registry, WORKFLOW, starter(name="checkout")) == []
    assert await advice(registry, starter(name="starter")) == []
    assert await advice(registry, starter(name="checkout", version=7)) == [
        f"{path}: there is no version 7 of workflow 'checkout' yet; {later}"
    ]


async def test_a_grant_by_tag_and_a_role_are_enough(registry: Running) -> None:
    tagged = WORKFLOW | {"tags": [{"key": "team", "value": "shop"}]}
    by_tag = {"target": {"type": "tag", "id": "team:shop"}, "access": ["EXECUTE"]}
    keys = auth(applicationId="partners", apiKeys=[KEY_A])

    everything = tagged, APPLICATION | {"permissions": [by_tag]}, keys, orders()
    assert await advice(registry, *everything) == []
    assert await advice(registry, APPLICATION | {"roles": ["OPERATOR"]}, WORKFLOW, orders()) == []


async def test_an_idempotency_key_for_everybody_is_vain_where_callers_have_keys(
    registry: Running,
) -> None:
    public = orders(idempotencyOnPublic=True)
    nobody = auth(authenticationType="NONE")

    assert await advice(registry, WORKFLOW, auth(apiKeys=[KEY_A]), public) == [
        "routes[0].idempotencyOnPublic: has no effect: auth 'partners' wants a key, and an "
        "Idempotency-Key is heeded anyway"
    ]
    assert await advice(registry, nobody, public) == []


async def test_what_may_not_be_read_is_told_nobody(registry: Running) -> None:
    keys = auth(applicationId="partners", apiKeys=[KEY_A])
    await put(registry.admin, WORKFLOW, APPLICATION, keys)
    service = {"target": {"type": "service", "id": "orders"}, "access": ["CREATE", "UPDATE"]}
    of_auth = {"target": {"type": "auth", "id": "partners"}, "access": ["READ"]}
    of_application = {"target": {"type": "application", "id": "*"}, "access": ["READ"]}
    # What it names it must have some access to.
    uses = [
        {"target": {"type": kind, "id": "*"}, "access": ["EXECUTE"]}
        for kind in ("auth", "workflow")
    ]
    grants = [service, *uses]
    blind = await registry.application("blind", permissions=grants)
    half = await registry.application("half", permissions=[*grants, of_auth])
    seeing = await registry.application("seeing", permissions=[*grants, of_auth, of_application])
    vain = orders(idempotencyOnPublic=True)

    told = [list((await put(caller, vain))[0].warnings) for caller in (blind, half, seeing)]

    assert [len(each) for each in told] == [0, 1, 2]
    assert told[2][1] == TOLD


def test_a_batch_finds_each_thing_out_once() -> None:
    asked: list[tuple[str, str]] = []
    stored: dict[str, dict[str, Any]] = {
        "auth": auth(applicationId="partners"),
        "application": APPLICATION,
        "workflow": WORKFLOW,
    }

    def lookup(kind: str, name: str, _version: int | None) -> dict[str, Any]:
        asked.append((kind, name))
        return stored[kind]

    adviser = Adviser(lookup, lambda *_: True)
    many = orders() | {"routes": [ROUTE] * 100}
    told = [
        *adviser.warnings(Definition("service", "orders", 1, many)),
        *adviser.warnings(Definition("service", "others", 1, many)),
    ]

    assert len(told) == 200
    assert asked == [("auth", "partners"), ("application", "partners"), ("workflow", "checkout")]


async def test_a_grant_on_what_is_not_there_is_put_and_told(registry: Running) -> None:
    def granting(*targets: tuple[str, str]) -> dict[str, Any]:
        grants = [
            {"target": {"type": kind, "id": id_}, "access": ["READ"]} for kind, id_ in targets
        ]
        return APPLICATION | {"permissions": grants}

    mistyped = granting(
        ("workflow", "checkout"), ("task", "feed"), ("tag", "a:b"), ("schema", "none")
    )

    assert await advice(registry, WORKFLOW, mistyped) == [
        "permissions[1].target.id: there is no task 'feed' yet; the grant is for workers of that "
        "type",
        "permissions[3].target.id: there is no schema 'none' yet; the grant waits for one",
    ]


async def test_scopes_that_nobody_can_have_are_told(registry: Running) -> None:
    keys = auth(applicationId="partners", apiKeys=[KEY_A])
    told = await advice(registry, APPLICATION, WORKFLOW, keys, orders(scopes=["read"]))

    assert (
        "routes[0].scopes: nobody can call it: auth 'partners' takes no tokens, and nothing else "
        "has scopes"
    ) in told

"""Who uses whom: what is missing, who would miss it, and whose routes clash."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.registry.definitions import Definition, Document, Json, parse
from services.registry.references import Lookup, User, over, route_conflicts, unknown, users


def stored(*definitions: Definition) -> Lookup:
    def find(kind: str, name: str, version: int | None) -> Mapping[str, Json] | None:
        found = {d.version: d.document for d in definitions if (d.kind, d.name) == (kind, name)}
        return found.get(max(found, default=0) if version is None else version)

    return find


def workflow(name: str, version: int = 1, *refs: str, **fields: Json) -> Definition:
    tasks: list[Json] = [
        {"name": f"{ref}-task", "taskReferenceName": ref, "type": "NOOP"} for ref in refs or ("n",)
    ]
    return parse({"name": name, "version": version, "tasks": tasks, **fields})


def service(id_: str, path: str, *routes: Document, auth: str = "open") -> Definition:
    mapped: Document = {"mappedWorkflow": {"name": "w"}}
    return parse(
        {"kind": "service", "id": id_, "path": path, "authConfigId": auth,
         "routes": [{"httpMethod": "GET", **mapped, **route} for route in routes]}
    )  # fmt: skip


AUTH = parse(
    {"kind": "auth", "id": "open", "authenticationType": "NONE", "applicationId": "public"}
)
APPLICATION = parse({"kind": "application", "id": "public"})
NESTED = parse(
    {"name": "w", "version": 4, "tasks": [
        {"name": "s", "taskReferenceName": "s", "type": "SWITCH", "evaluatorType": "javascript",
         "expression": "1", "decisionCases": {
             "1": [{"name": "charge", "taskReferenceName": "charge", "type": "NOOP"}]}}]}
)  # fmt: skip


def faults(definition: Definition, lookup: Lookup) -> list[str]:
    return [str(fault) for fault in unknown(definition, lookup)]


def test_what_does_not_exist_is_named_with_its_path() -> None:
    definition = service("a", "/a", {"path": "/x", "mappedWorkflow": {"name": "gone"}}, auth="none")

    assert faults(definition, stored()) == [
        "routes[0].mappedWorkflow.name: there is no workflow 'gone'",
        "authConfigId: there is no auth 'none'",
    ]
    assert faults(AUTH, stored()) == ["applicationId: there is no application 'public'"]


def test_a_version_that_does_not_exist_is_named_where_it_stands() -> None:
    pinned = service("a", "/a", {"path": "/x", "mappedWorkflow": {"name": "w", "version": 3}})
    failing = workflow("v", failureWorkflow="w", failureWorkflowVersion=9)
    lookup = stored(workflow("w", 2), AUTH)

    assert faults(pinned, lookup) == [
        "routes[0].mappedWorkflow.version: there is no version 3 of workflow 'w'"
    ]
    assert faults(failing, lookup) == [
        "failureWorkflowVersion: there is no version 9 of workflow 'w'"
    ]


def test_a_missing_secret_is_a_fault_and_a_missing_task_definition_is_none() -> None:
    call: Document = {
        "name": "c", "taskReferenceName": "c", "type": "HTTP",
        "inputParameters": {"uri": "http://a.example/${workflow.secrets.KEY}", "method": "GET"},
    }  # fmt: skip

    assert faults(parse({"name": "w", "tasks": [call]}), stored()) == [
        "tasks[0].inputParameters.uri: there is no secret 'KEY'"
    ]


def test_awaited_tasks_are_those_of_the_workflow_that_runs() -> None:
    route: Document = {"path": "/x", "waitUntilTasks": "charge, ship"}
    pinned: Document = {**route, "path": "/y", "mappedWorkflow": {"name": "w", "version": 1}}
    lookup = stored(workflow("w", 1, "ship"), NESTED, AUTH)

    assert faults(service("a", "/a", route, pinned), lookup) == [
        "routes[0].waitUntilTasks: workflow 'w' has no task 'ship'",
        "routes[1].waitUntilTasks: workflow 'w' has no task 'charge'",
    ]
    misspelt = service("a", "/a", {"path": "/x", "waitUntilTasks": "chrage"})
    assert faults(misspelt, lookup) == [
        "routes[0].waitUntilTasks: workflow 'w' has no task 'chrage'; did you mean 'charge'?"
    ]


@pytest.mark.parametrize("tasks", [None, 5, "x", {}, [[[{"taskReferenceName": 5}]]]])
def test_a_workflow_that_is_no_workflow_has_no_tasks(tasks: Json) -> None:
    def find(kind: str, name: str, version: int | None) -> Mapping[str, Json] | None:
        return {"name": "w", "tasks": tasks}

    assert faults(service("a", "/a", {"path": "/x", "waitUntilTasks": "t"}), find) == [
        "routes[0].waitUntilTasks: workflow 'w' has no task 't'"
    ]


def test_documents_of_one_batch_may_name_each_other() -> None:
    batch = [
        APPLICATION,
        AUTH,
        service("a", "/a", {"path": "/x", "waitUntilTasks": "new"}),
        workflow("w", 2, "new"),
    ]
    lookup = over(stored(workflow("w", 1, "old")), batch)

    assert [faults(definition, lookup) for definition in batch] == [[], [], [], []]
    older = over(stored(workflow("w", 3, "old")), batch)
    assert faults(batch[2], older) == ["routes[0].waitUntilTasks: workflow 'w' has no task 'new'"]


def test_users_of_what_is_about_to_be_deleted_are_named() -> None:
    latest = service("a", "/a", {"path": "/x"})
    pinned = service("b", "/b", {"path": "/x", "mappedWorkflow": {"name": "w", "version": 2}})
    itself = workflow("w", 2, failureWorkflow="w")
    everything = [AUTH, APPLICATION, latest, pinned, itself]

    assert [str(user) for user in users("workflow", "w", None, everything)] == [
        "service 'a' (routes[0].mappedWorkflow.name)",
        "service 'b' (routes[0].mappedWorkflow.name)",
    ]
    assert users("workflow", "w", 2, everything, remains=True) == (
        User("service", "b", 1, "routes[0].mappedWorkflow.name"),
    )
    assert len(users("workflow", "w", 2, everything)) == 2
    assert users("workflow", "w", 1, everything, remains=True) == ()
    assert [str(user) for user in users("auth", "open", None, everything)] == [
        "service 'a' (authConfigId)",
        "service 'b' (authConfigId)",
    ]


def test_a_task_definition_is_used_by_the_tasks_of_its_name() -> None:
    assert [str(user) for user in users("task", "n-task", None, [workflow("w", 2)])] == [
        "workflow 'w' version 2 (tasks[0].name)"
    ]


def test_the_version_that_stays_still_counts_as_a_user() -> None:
    older = workflow("w", 1, failureWorkflow="w", failureWorkflowVersion=2)

    assert users("workflow", "w", 2, [older], remains=True) == (
        User("workflow", "w", 1, "failureWorkflow"),
    )
    assert users("workflow", "w", None, [older]) == ()


def test_routes_clash_over_services_only_when_nothing_but_names_differs() -> None:
    first = service("a", "/api", {"path": "/orders/{id}"}, {"path": "/orders/new"})
    apart = service("b", "/api/orders", {"path": "/{id}", "httpMethod": "POST"})
    clash = service("c", "/api/orders", {"path": "/latest"}, {"path": "/{order}/"})

    assert route_conflicts([], [first, apart]) == ()
    (conflict,) = route_conflicts([first], [apart, clash])
    assert conflict.service == 1
    assert str(conflict.fault) == (
        "routes[1]: GET /api/orders/{order} answers the same requests as GET /api/orders/{id}, "
        "routes[0] of service 'a'"
    )


def test_a_route_over_another_services_pages_is_a_clash() -> None:
    orders = service("orders", "/api", {"path": "/a"})
    root = service("root", "/", {"path": "/orders/mcp"})
    hides = "routes[0].path: would hide /orders/mcp, which the gateway answers for service 'orders'"

    for stored_first, put in (([], [orders, root]), ([orders], [root]), ([], [root, orders])):
        (conflict,) = route_conflicts(stored_first, put)
        assert (put[conflict.service], str(conflict.fault)) == (root, hides)
    (conflict,) = route_conflicts([root], [orders])
    assert (conflict.service, str(conflict.fault)) == (
        0,
        "id: would have the page /orders/mcp, which routes[0] of service 'root' hides",
    )
    assert route_conflicts([root, orders], []) == ()


@pytest.mark.parametrize("count", [1000])
def test_many_routes_are_compared_in_one_pass(count: int) -> None:
    routes: list[Document] = [{"path": f"/{n}/{{x}}"} for n in range(count)]
    many = service("a", "/a", *routes)

    assert route_conflicts([], [many]) == ()

"""What may be done to a record, by the rights that the registry has told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from podium.registry.v1 import access_pb2 as pb
from services.access import Application, Grant, Reach, reach
from services.rights import RIGHTS
from tui.resources.own_access import subject_of, why_not
from tui.views.may import Own, Subject, own_of, refusal
from tui.views.needs import ACTIONS, OPENINGS, Needs

REACHES = {
    Reach.ALL: pb.REACH_ALL, Reach.GRANTED: pb.REACH_GRANTED, Reach.NONE: pb.REACH_NONE
}  # fmt: skip
OURS = Subject("workflow", "ours", frozenset(("team:a",)))
THEIRS = Subject("workflow", "theirs", frozenset(("team:b",)))


def own(*roles: str, grants: tuple[Grant, ...] = ()) -> Own:
    """As the registry would tell it of such an application."""
    application = Application("team", frozenset(roles), grants)
    return own_of(
        pb.Access(
            principal="application:team",
            roles=sorted(roles),
            grants=[pb.Grant(access=sorted(g.access), kind=g.kind, name=g.name) for g in grants],
            methods=[
                pb.MethodAccess(method=m, reach=REACHES[reach(application, r)], takes=str(r))
                for m, r in RIGHTS.items()
            ],
        )
    )


def grant(kind: str, name: str, *access: str) -> Grant:
    return Grant(frozenset(access), kind, name)


@pytest.mark.parametrize(
    ("roles", "grants", "action", "subject", "may"),
    [
        (["ADMIN"], [], "workflow.delete", OURS, True),
        (["EDITOR"], [], "workflow.delete", OURS, True),
        (["VIEWER"], [], "workflow.delete", OURS, False),
        (["EDITOR"], [], "application.delete", Subject("application", "a", frozenset()), False),
        (["EDITOR"], [], "application.edit", Subject("application", "a", frozenset()), False),
        (["ADMIN"], [], "application.edit", Subject("application", "a", frozenset()), True),
        (["OPERATOR"], [], "executions.retry", OURS, True),
        (["VIEWER"], [], "executions.retry", OURS, False),
        ([], [grant("tag", "team:a", "DELETE")], "workflow.delete", OURS, True),
        ([], [grant("tag", "team:a", "DELETE")], "workflow.delete", THEIRS, False),
        ([], [grant("tag", "team:a", "UPDATE")], "workflow.delete", OURS, False),
        ([], [grant("workflow", "ours", "DELETE")], "workflow.delete", OURS, True),
        ([], [grant("workflow", "*", "DELETE")], "workflow.delete", THEIRS, True),
        # To change something takes UPDATE, and to make it CREATE, though one RPC does both.
        ([], [grant("workflow", "*", "CREATE")], "workflows.edit", OURS, False),
        ([], [grant("workflow", "*", "CREATE")], "workflows.create", None, True),
        ([], [grant("workflow", "ours", "EXECUTE")], "workflows.run", OURS, True),
        ([], [grant("workflow", "ours", "EXECUTE")], "workflows.run", THEIRS, False),
        # What tags a workflow has is not known from its executions: the executor looks.
        ([], [grant("tag", "team:a", "EXECUTE")], "executions.retry",
         Subject("workflow", "x", None), True),
        ([], [grant("workflow", "ours", "EXECUTE")], "executions.retry",
         Subject("workflow", "x", None), False),
    ],
)  # fmt: skip
def test_who_may_do_what(
    roles: list[str], grants: list[Grant], action: str, subject: Subject | None, may: bool
) -> None:
    needs = ACTIONS.get(action) or OPENINGS[action]
    said = refusal(own(*roles, grants=tuple(grants)), needs, subject)

    assert (said == "") is may
    assert may or said.startswith("It takes ADMIN")


def test_a_reason_says_what_is_taken_and_what_is_had() -> None:
    viewer, team = own("VIEWER"), own(grants=(grant("tag", "team:a", "DELETE"),))

    assert refusal(viewer, ACTIONS["executions.retry"], None) == (
        "It takes ADMIN, OPERATOR or EXECUTE on the workflow; you have VIEWER."
    )
    assert refusal(team, ACTIONS["workflow.delete"], THEIRS) == (
        "It takes ADMIN, EDITOR or DELETE on the definition; you have no role and no such grant "
        "on workflow theirs."
    )


def test_what_has_not_been_told_is_left_to_the_service() -> None:
    assert refusal(None, ACTIONS["workflow.delete"], OURS) == ""
    assert refusal(own("VIEWER"), None, OURS) == ""
    assert refusal(own("VIEWER"), Needs(), OURS) == ""
    older = own("VIEWER")._replace(verdicts={})
    assert refusal(older, ACTIONS["workflow.delete"], OURS) == ""


def test_of_several_records_one_that_may_be_acted_on_is_enough() -> None:
    def row(name: str, tag: str) -> Any:
        definition = SimpleNamespace(kind="workflow", id=name, document={"tags": [tag]})
        return SimpleNamespace(definition=definition)

    team = own(grants=(grant("tag", "team:a", "DELETE"),))
    needs = ACTIONS["workflow.delete"]

    assert subject_of(row("w", "team:a")) == Subject("workflow", "w", frozenset(("team:a",)))
    assert subject_of(SimpleNamespace(workflow="w")) == Subject("workflow", "w", None)
    assert subject_of(None) is None
    assert why_not(team, needs, [row("w", "team:b"), row("v", "team:a")]) == ""
    assert why_not(team, needs, [row("w", "team:b")]) != ""

"""Who may do what, as people and programs read it."""

from __future__ import annotations

from podium.registry.v1 import access_pb2 as pb
from services.rights import RIGHTS
from tui.views import access
from tui.views.needs import COMMANDS, Needs


def told(**reaches: pb.Reach.ValueType) -> pb.Access:
    methods = [
        pb.MethodAccess(
            method=name, reach=reaches.get(name.rpartition("/")[2], pb.REACH_ALL), takes=str(right)
        )
        for name, right in RIGHTS.items()
    ]
    return pb.Access(
        principal="application:team",
        roles=["VIEWER"],
        grants=[pb.Grant(access=["READ"], kind="tag", name="team:a\x1b[31m")],
        methods=methods,
    )


def test_a_command_may_what_the_least_open_of_its_rpcs_may() -> None:
    of = access.verdicts(told(PutDefinitions=pb.REACH_NONE, GetDefinition=pb.REACH_GRANTED))

    both = access.verdict(Needs(("registry.GetDefinition", "registry.PutDefinitions")), of)
    assert both == (access.NONE, " and ".join((
        "ADMIN, EDITOR, OPERATOR, VIEWER or READ on the definition;",
        "ADMIN, EDITOR or CREATE, UPDATE or DELETE on the definition",
    )))  # fmt: skip
    assert access.verdict(Needs(("registry.GetDefinition",)), of).may == access.GRANTED
    assert access.verdict(Needs(), of).may == access.ALL
    # An older registry knows nothing of an RPC that this console calls.
    assert access.verdict(Needs(("registry.GetDefinition",)), {}).may == access.NONE


def test_what_a_command_takes_is_the_same_whoever_asks_and_no_more_than_it_takes() -> None:
    everything, nothing = (
        access.verdicts(told()),
        access.verdicts(told(PutDefinitions=pb.REACH_NONE)),
    )

    for words, needs in COMMANDS.items():
        assert access.verdict(needs, everything).takes == access.verdict(needs, nothing).takes, (
            words
        )
    # What READ on a service is enough for is not all of it.
    pulse = access.verdict(COMMANDS["pulse"], everything)
    assert pulse.takes == "ADMIN, EDITOR, OPERATOR or VIEWER"
    key = access.verdict(COMMANDS["keys create"], everything)
    assert key.takes.endswith(
        "where the caller has all rights of the application that the auth acts as"
    )


def test_an_editor_pauses_schedules_and_resumes_those_whose_workflow_it_may_execute() -> None:
    of = access.verdicts(told(StartExecution=pb.REACH_NONE))

    assert access.verdict(COMMANDS["schedules pause"], of).may == access.ALL
    assert access.verdict(COMMANDS["schedules resume"], of).may == access.NONE
    assert "EXECUTE on the workflow" in access.verdict(COMMANDS["schedules resume"], of).takes


def test_lines_and_fields_tell_the_same_and_no_control_characters() -> None:
    lines = "\n".join(access.access_lines(told(PutDefinitions=pb.REACH_NONE)))
    fields = access.access_fields(told(PutDefinitions=pb.REACH_NONE))

    assert "\x1b" not in lines
    assert "podium apply" in lines
    assert "ADMIN, EDITOR or CREATE, UPDATE or DELETE on the definition" in lines
    assert fields["commands"]["apply"]["may"] == "no"
    assert set(fields["commands"]) == {words for words, needs in COMMANDS.items() if needs.calls}
    assert set(fields["methods"]) == set(RIGHTS)


def test_a_paused_application_is_said_to_be_paused() -> None:
    paused = pb.Access(principal="application:vi", roles=["VIEWER"], paused=True)

    assert "state      paused: it may do nothing until it is resumed" in access.access_lines(paused)
    assert access.access_fields(paused)["paused"] is True
    assert not any(line.startswith("state") for line in access.access_lines(told()))


def test_holders_are_told_each_with_its_grounds_and_what_is_hidden() -> None:
    answer = pb.ListHoldersResponse(
        holders=[
            pb.Holder(application_id="ops", name="Ops", grounds=[
                pb.Ground(role="OPERATOR"),
                pb.Ground(grant=pb.Grant(access=["EXECUTE"], kind="workflow", name="*")),
            ]),
        ],
    )  # fmt: skip
    lines = list(access.holder_lines(answer, "EXECUTE", "workflow w"))

    assert lines[1].split() == ["ops", "Ops", "role", "OPERATOR"]
    assert "grant of EXECUTE on workflow *, all of them" in lines[2]
    assert lines[-1] == "Others may have it that you may not see."
    assert access.holder_fields(answer)["holders"][0]["grounds"][0] == {"role": "OPERATOR"}
    nobody = list(access.holder_lines(pb.ListHoldersResponse(complete=True), "READ", "workflow w"))
    assert nobody == ["nobody has READ on workflow w"]

"""What ``${…}`` names, wherever it stands."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Definition, Document, Json, Reference, parse
from services.registry.definitions.expressions import expressions, nesting
from services.registry.definitions.tasks import TASK_KINDS


def workflow(value: Json, **output: Json) -> Document:
    request: Document = {"uri": "http://127.0.0.1:9/", "method": "POST", "body": value}
    call: Document = {
        "name": "call", "taskReferenceName": "call", "type": "HTTP", "asyncComplete": True,
        "inputParameters": {"http_request": request},
    }  # fmt: skip
    return {"name": "w", "tasks": [call], "outputParameters": output}


def parsed(value: Json, **output: Json) -> Definition:
    return parse(workflow(value, **output))


def faults(value: Json, **output: Json) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parsed(value, **output)
    return [fault.detail for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("${a.output.b}", [("a", "output", "b")]),
        ("x ${a.output} y ${b.output}", [("a", "output"), ("b", "output")]),
        ("${$.a.output}", [("a", "output")]),
        ("${" + " " * 600 + "a.output}", [("a", "output")]),
        (f"${{workflow.secrets.{'S' * 255}.x}}", [("workflow", "secrets", "S" * 255)]),
        ("${$['a b']['output'].c.d}", [("a b", "output", "c")]),
        ("${a.output[?(@.x == 1)].y}", [("a", "output")]),
        ("${a.output.list[${b.output.i}].z}", [("b", "output", "i"), ("a", "output", "list")]),
        (
            "${workflow.variables.${a.output.key}}",
            [("a", "output", "key"), ("workflow", "variables")],
        ),
        ("${${a.output.ref}.output}", [("a", "output", "ref"), ()]),
        ("$${a.output}", []),
        ("$${a ${b.output}}", [("b", "output")]),
        ("${}", [()]),
        ("${  }", [()]),
        ("${..x}", [()]),
        ("${a.output.length()}", [("a", "output", "length()")]),
        ("a } { b", []),
        ("function () { return {a: `${a.output}`}; }", [("a", "output")]),
    ],
)
def test_expressions_are_found_as_conductor_finds_them(
    text: str, names: list[tuple[str, ...]]
) -> None:
    assert [found.names for found in expressions(text) if found] == names


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("none { at } all", 0),
        ("${a.b} ${c.d}", 1),
        ("${a[${b}]}", 2),
        ("$${a ${b}}", 1),
        ("${a { ${b} }} ${c}", 2),
        ("} ${a}", 1),
    ],
)
def test_expressions_within_each_other_are_counted(text: str, depth: int) -> None:
    assert nesting(text) == depth


def test_expressions_nest_only_so_deep() -> None:
    def nested(depth: int) -> str:
        return "${workflow.input." * depth + "x" + "}" * depth

    assert parsed(nested(20)).warnings == ()
    assert faults(nested(21)) == ["nests ${…} more than 20 deep"]
    assert faults("${" * 100_000) == ["nests ${…} more than 20 deep"]


def test_an_expression_without_its_end_stays_and_is_told() -> None:
    assert parsed("5 ${ more").warnings == (
        "tasks[0].inputParameters.http_request.body: has a ${ without its }, which stays as it is",
    )


def test_a_million_open_braces_are_read_once() -> None:
    assert list(expressions("${" * 1_000_000)) == [None]
    assert len(list(expressions("${" * 10_000 + "}" * 10_000))) == 10_000


def test_a_reference_that_no_task_provides_is_a_fault_wherever_it_stands() -> None:
    assert faults({"a": [{"b": "x ${gone[${away.output}]}"}]}, o="${nowhere.output}") == [
        "${away.output} names 'away', which no task of this workflow provides",
        "${gone[${away.output}]} names 'gone', which no task of this workflow provides",
        "${nowhere.output} names 'nowhere', which no task of this workflow provides",
    ]


def test_a_misspelt_reference_is_guessed() -> None:
    assert faults("${cal.output}") == [
        "${cal.output} names 'cal', which no task of this workflow provides; did you mean 'call'?"
    ]
    assert faults("${worklow.input}")[0].endswith("did you mean 'workflow'?")


def test_a_member_that_is_always_null_is_told() -> None:
    definition = parsed("${workflow.inptu.x} ${call.outptu}")

    path = "tasks[0].inputParameters.http_request.body: "
    assert definition.warnings == (
        f"{path}workflow has no 'inptu', so this is null; did you mean 'input'?",
        f"{path}a task has no 'outptu', so this is null; did you mean 'output'?",
    )


def test_a_task_that_surely_comes_later_is_told() -> None:
    def task(name: str, value: Json = None, **fields: Json) -> Document:
        inputs: Document = {"value": value}
        return {
            "name": name, "taskReferenceName": name, "type": "NOOP", "inputParameters": inputs,
            **fields,
        }  # fmt: skip

    def switch(*cases: list[Json]) -> Document:
        branches: Document = {str(number): case for number, case in enumerate(cases)}
        return task("s", type="SWITCH", evaluatorType="value-param", expression="value") | {
            "decisionCases": branches
        }

    def warnings(*tasks: Json) -> tuple[str, ...]:
        return parse({"name": "w", "tasks": list(tasks)}).warnings

    told = "task 'b' comes after this one, so this is null"
    at = "inputParameters.value"

    assert warnings(task("a", "${b.output.x}"), task("b")) == (f"tasks[0].{at}: {told}",)
    assert warnings(task("b"), task("a", "${b.output.x}")) == ()
    assert warnings(task("a", "${a.output.x}")) == ()
    # In one branch they run one after another; of two branches only one runs.
    assert warnings(switch([task("a", "${b.status}"), task("b")])) == (
        f"tasks[0].decisionCases['0'][0].{at}: {told}",
    )
    assert warnings(switch([task("a", "${b.output}")], [task("b")])) == ()


@pytest.mark.parametrize(
    "text", ["${workflow.workflowId}", "${CPEWF_TASK_ID}", "${task.callbackUrl}", "$${gone}"]
)
def test_what_every_task_may_name_is_no_fault(text: str) -> None:
    assert parsed(text).warnings == ()


def test_of_the_running_task_only_its_callback_url_is_known() -> None:
    assert faults("${task.output}") == ["of 'task' only ${task.callbackUrl} is known"]
    assert faults(1, o="${task.callbackUrl}") == [
        "${task.callbackUrl} stands only in the input of HTTP and of what workers do"
    ]


def test_a_callback_url_for_which_nothing_waits_is_told() -> None:
    document = workflow("${task.callbackUrl}")
    tasks = document["tasks"]
    assert isinstance(tasks, list)
    assert isinstance(tasks[0], dict)
    tasks[0]["asyncComplete"] = False

    assert parse(document).warnings == (
        "tasks[0]: hands out ${task.callbackUrl}, but without asyncComplete nothing waits for it",
    )
    inputs = tasks[0]["inputParameters"]
    assert isinstance(inputs, dict)
    inputs["asyncComplete"] = True
    assert parse(document).warnings == ()


def test_a_secret_is_a_reference_where_it_goes_out_and_a_fault_elsewhere() -> None:
    assert [r for r in parsed("Bearer ${workflow.secrets.KEY.a.b}").references if r.required] == [
        Reference("secret", "KEY", None, "tasks[0].inputParameters.http_request.body")
    ]
    assert faults(1, o="${workflow.secrets.KEY}") == [
        "a secret stands only in the input of a task that calls out: HTTP, HTTP_POLL, and what "
        "workers do"
    ]
    for text in (
        "${workflow.secrets}",
        "${workflow['secrets'].A}",
        "${workflow.secrets.${call.x}}",
    ):
        assert faults(text) == ["a secret is named ${workflow.secrets.NAME}"]


def test_a_variable_of_the_environment_is_named() -> None:
    assert faults("${workflow.env}") == [
        "a variable of the environment is named ${workflow.env.NAME}"
    ]
    assert faults("${HOME}")[0].startswith("${HOME} names 'HOME', which no task")


def test_tasks_within_branches_and_within_types_that_are_not_supported_count() -> None:
    inner: Document = {"name": "in", "taskReferenceName": "in", "type": "NOOP"}
    fork: Document = {
        "name": "f", "taskReferenceName": "f", "type": "KAFKA_PUBLISH", "forkTasks": [[inner]],
    }  # fmt: skip
    document = workflow("${in.output}")
    tasks = document["tasks"]
    assert isinstance(tasks, list)
    tasks.append(fork)

    with pytest.raises(InvalidDefinition) as caught:
        parse(document)

    assert [str(f) for f in caught.value.faults] == [
        "tasks[1].type: KAFKA_PUBLISH is not supported: let a worker of yours do it, as a "
        f"SIMPLE task; there are {', '.join(TASK_KINDS)}"
    ]

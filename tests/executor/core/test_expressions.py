"""``${…}``: what it names, what it becomes, what it never tells."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from hypothesis import given, strategies as st

from services.executor.core.expressions import MAX_NESTING, compiled, resolved
from services.executor.core.jsonpath import Visits
from services.executor.core.model import Json
from services.registry.definitions.expressions import MAX_NESTING as LET_PASS, nesting
from tests.executor.core.simulator import ID, Simulator, answer, http, task, workflow

ROOTS: dict[str, Json] = {
    "workflow": {"input": {"n": 1, "list": ["a", {"k": "v"}], "text": "it", "key": "list"}},
    "t": {"output": {"deep": {"n": 12345678901234567890}, "none": None, "yes": True, "f": 1.5}},
}


class Roots:
    """A scope of plain values."""

    def __init__(self, roots: Mapping[str, Json]) -> None:
        self._roots = roots
        self.visits = Visits()

    def root(self, name: str) -> Json:
        return self._roots.get(name)

    def member(self, root: str, name: str) -> Json:
        value = self._roots.get(root)
        return value.get(name) if isinstance(value, dict) else None

    def everything(self) -> Json:
        return dict(self._roots)


def value_of(value: Json, roots: Mapping[str, Json] = ROOTS) -> Json:
    return resolved(value, Roots(roots))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${workflow.input.n}", 1),
        ("${ workflow.input.n }", 1),
        ("${$.workflow.input.n}", 1),
        ("${workflow.input.list}", ["a", {"k": "v"}]),
        ("${workflow.input['list'][1].k}", "v"),
        ("${workflow['input'].n}", 1),
        ("${workflow.input}", ROOTS["workflow"]["input"]),  # type: ignore[index, call-overload]
        ("${workflow}", ROOTS["workflow"]),
        ("${t.output.deep.n}", 12345678901234567890),
        ("${t.output.none}", None),
        ("${t.output.yes}", True),
        ("n=${workflow.input.n}, ${t.output.yes}", "n=1, true"),
        ("${workflow.input.n}${workflow.input.n}", "11"),
        ("is ${t.output.none} and ${t.output.f}", "is null and 1.5"),
        ("${workflow.input.list}!", '["a",{"k":"v"}]!'),
        ("deep ${t.output.deep}", 'deep {"n":12345678901234567890}'),
        ("${}", ""), ("${  }", ""), ("a${}b", "ab"),
        ("$${workflow.input.n}", "${workflow.input.n}"),
        ("a $${x} ${workflow.input.n} $${y}", "a ${x} 1 ${y}"),
        ("$$${workflow.input.n}", "$${workflow.input.n}"),
        ("${workflow.input.n", "${workflow.input.n"), ("$", "$"), ("{}", "{}"), ("$ {x}", "$ {x}"),
        ("${workflow.input.list[${workflow.input.n}].k}", "v"),
        ("${workflow.input.${workflow.input.key}[0]}", "a"),
        ("${unknown.output.x}", None), ("${workflow.input.x.y[3]}", None), ("${a[}", None),
        ("${workflow.input.list[*]}", ["a", {"k": "v"}]),
        ("${workflow.input.none[*]}", []),
        ("${workflow.input.list.length()}", 2),
        ("${workflow.env.HOME}", None), ("${HOME}", None), ("${NETFLIX_ENV}", None),
        ("{${workflow.input.n}}", "{1}"), ("} ${workflow.input.n} {", "} 1 {"),
        ("${a {b} ${workflow.input.n}", "${a {b} ${workflow.input.n}"),
        ("${workflow.input.n} ${a ${workflow.input.n}", "1 ${a ${workflow.input.n}"),
        ("$${a ${workflow.input.n}}", "${a 1}"),
        ("$${" * 3 + "${workflow.input.n}", "${" * 3 + "1"),
        ("line\n${workflow.input.text}\n", "line\nit\n"),
        ("${workflow.secrets.A}", "${workflow.secrets.A}"),
        ("${ workflow.secrets.A.b }-${workflow.input.n}", "${workflow.secrets.A.b}-1"),
        ("${workflow.secrets.${workflow.input.text}}", None),
        ("${task.callbackUrl}", "${task.callbackUrl}"),
        ("${..n}", [1, 12345678901234567890]),
    ],
)  # fmt: skip
def test_text_becomes(text: str, value: Json) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_conductors_own_oracle() -> None:
    text = "${$.someString} $${$.someNumber}${$.someNumber} ${$.someNumber}$${$.someString}"

    assert value_of(text, {"someString": "conductor", "someNumber": 2}) == (
        "conductor ${$.someNumber}2 2${$.someString}"
    )


def test_structures_are_walked_but_not_their_keys_and_never_changed() -> None:
    value: Json = {"${workflow.input.n}": [1, "${t.output.yes}", {"x": "${workflow.input.n}"}]}
    template = compiled(value)

    assert template is not None
    for _ in range(2):
        assert template.resolve(Roots(ROOTS)) == {"${workflow.input.n}": [1, True, {"x": 1}]}
    assert value == {"${workflow.input.n}": [1, "${t.output.yes}", {"x": "${workflow.input.n}"}]}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(alphabet="ab{}.[]'$ ?@"),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_any_value_compiles_and_resolves(value: Json) -> None:
    template = compiled(value)

    if template is None:
        assert value_of(value) is value
    else:
        template.resolve(Roots(ROOTS))


@given(st.text(alphabet="ab{}$.wo"))
def test_data_is_never_read_as_an_expression(said: str) -> None:
    assert value_of("${t.output}", {"t": {"output": said}}) == said
    assert value_of("<${t.output}>", {"t": {"output": said}}) == f"<{said}>"


def test_a_value_without_expressions_is_shared_not_copied() -> None:
    flow = workflow(task("a", "INLINE", {"expression": "1", "list": [1, 2]}))

    assert Simulator(flow).begin().task("a").input is flow.steps["a"].input


def test_the_environment_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_TEST_SECRET", "hidden")
    assert os.environ["PODIUM_TEST_SECRET"] == "hidden"

    assert value_of("${PODIUM_TEST_SECRET}${workflow.env.PODIUM_TEST_SECRET}") == "nullnull"


def test_everything_of_an_execution_and_its_tasks_can_be_named() -> None:
    named: Json = {
        "w": "${workflow}", "a": "${a}", "id": "${CPEWF_TASK_ID}", "mine": "${b.taskId}",
        "where": "${a.workflowInstanceId}", "no": "${a.nothing}", "never": "${c.output}",
        "with": "${a.correlationId}",
    }  # fmt: skip
    flow = workflow(http("a"), http("b", {"body": named}), http("c"), variables={"v": 1})
    run = Simulator(flow, {"x": 1}).begin()
    run.answers("a", answer({"n": 1}))
    body = run.request("b").body

    assert isinstance(body, dict)
    assert body["w"] == {
        "input": {"x": 1}, "output": {}, "status": "RUNNING", "workflowId": ID,
        "parentWorkflowId": None, "parentWorkflowTaskId": None, "workflowType": "flow",
        "version": 1, "correlationId": "c-1", "reasonForIncompletion": None, "schemaVersion": 2,
        "variables": {"v": 1},
    }  # fmt: skip
    first = run.task("a")
    assert isinstance(body["a"], dict)
    assert body["a"] | {"input": 0, "output": 0} == {
        "input": 0, "output": 0, "taskType": "HTTP", "status": "COMPLETED",
        "referenceTaskName": "a", "retryCount": 0, "pollCount": 0, "taskDefName": "a",
        "scheduledTime": 1795348800000, "startTime": 1795348800000, "endTime": 1795348800000,
        "taskId": first.id, "reasonForIncompletion": None, "callbackAfterSeconds": 0,
        "workerId": None, "iteration": 0, "workflowInstanceId": ID, "correlationId": "c-1",
    }  # fmt: skip
    assert body["id"] == body["mine"] == run.task("b").id
    assert (body["where"], body["no"], body["never"]) == (ID, None, None)
    assert body["with"] == "c-1"


def test_an_expression_that_costs_too_much_fails_its_task() -> None:
    wide: Json = [[0] * 600 for _ in range(600)]
    run = Simulator(workflow(http("a", {"body": "${workflow.input..x}"})), {"wide": wide}).begin()

    assert run.task("a").status == "FAILED_WITH_TERMINAL_ERROR"
    assert "looks at more than" in run.task("a").reason


def nested(depth: int) -> str:
    return "${workflow.input.names." * depth + "k" + "}" * depth


def test_expressions_nest_so_deep_and_no_deeper() -> None:
    roots: dict[str, Json] = {"workflow": {"input": {"names": {"k": "k"}}}}

    assert value_of(nested(MAX_NESTING), roots) == "k"
    for depth in (MAX_NESTING + 1, 500, 5000):
        with pytest.raises(ValueError, match="nests deeper than 20 levels"):
            workflow(http("a", {"body": [nested(depth)]}))


def test_a_text_is_read_once_however_many_braces_are_in_it() -> None:
    """Read from each of its braces to the end, it would take minutes."""
    many = 50_000

    assert value_of("$${" * many) == "${" * many
    assert value_of("${" * many) == "${" * many
    assert compiled("$${" * many + "}" * many) is not None


@given(st.text(alphabet="${}a", max_size=40), st.integers(0, 25))
def test_what_the_registry_lets_pass_compiles(text: str, depth: int) -> None:
    wrapped = "${" * depth + text + "}" * depth
    if nesting(wrapped) <= MAX_NESTING:
        compiled(wrapped)
    assert LET_PASS == MAX_NESTING


def test_a_document_may_be_512_deep() -> None:
    deep: Json = ["${workflow.input.n}", nested(MAX_NESTING)]
    for level in range(499):
        deep = [deep] if level % 2 else {"x": deep}
    inputs: dict[str, Json] = {"n": 5, "names": {"k": "k"}}
    flow = workflow(task("a", "INLINE", {"expression": "1", "deep": deep}))
    run = Simulator(flow, inputs)
    run.begin()

    assert run.status == "COMPLETED"

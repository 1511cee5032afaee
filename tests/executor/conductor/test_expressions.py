"""What ``${…}`` of a definition comes to, in a task that is reached behind others."""

from __future__ import annotations

import copy
import os

import pytest

from services.executor.core.model import Json
from services.executor.core.scope import TASK, WORKFLOW
from services.executor.eventing.handlers import Action, asked
from services.registry.definitions.expressions import TASK_MEMBERS, WORKFLOW_MEMBERS
from tests.executor.conductor.rows import (
    MENDED,
    Row,
    answered,
    check,
    ids,
    played,
)
from tests.executor.core.simulator import ID, Simulator, answer, http, task, workflow

INPUT: dict[str, Json] = {
    "n": 2, "text": "conductor", "no": None, "yes": True, "f": 1.5, "index": 1, "key": "b",
    "list": [{"x": 1}, {"x": 3}], "map": {"a": 1, "b": [5, 6]}, "a b": "spaced", "ids": ["p", "q"],
}  # fmt: skip
BODY: Json = {"x": {"y": [1, 2]}, "said": "${workflow.input.n}"}


def value(rule: str, text: Json, expected: Json, record: str = "") -> Row:
    """``text`` in the input of a task behind an HTTP call ``h`` that was answered with BODY."""
    flow = workflow(http("h"), task("e", "NOOP", {"v": text}), variables={"k": {"d": 9}})
    return Row(rule, flow, {"e.input.v": expected}, (answered("h", answer(BODY)),), record, INPUT)


ROOTS = (
    value("the workflow's input", "${workflow.input.n}", 2),
    value("its output, which is none yet", "${workflow.output}", {}),
    value("its status", "${workflow.status}", "RUNNING"),
    value("its id", "${workflow.workflowId}", ID),
    value("its parent, where there is none", "${workflow.parentWorkflowId}", None),
    value("its parent's task", "${workflow.parentWorkflowTaskId}", None),
    value("its name", "${workflow.workflowType}", "flow"),
    value("its version", "${workflow.version}", 1),
    value("its correlation id", "${workflow.correlationId}", "c-1"),
    value("its reason", "${workflow.reasonForIncompletion}", None),
    value("the version of its format", "${workflow.schemaVersion}", 2),
    value("its variables", "${workflow.variables.k.d}", 9),
    value("a task's output", "${h.output.body.x.y}", [1, 2]),
    value("a task's input", "${h.input.http_request.method}", "POST"),
    value("a task's type", "${h.taskType}", "HTTP"),
    value("a task's status", "${h.status}", "COMPLETED"),
    value("a task's reference", "${h.referenceTaskName}", "h"),
    value("a task's name", "${h.taskDefName}", "h"),
    value("how often it was tried again", "${h.retryCount}", 0),
    value("how often it was polled", "${h.pollCount}", 0),
    value("whose it is", "${h.workflowInstanceId}", ID),
    value("by which correlation id", "${h.correlationId}", "c-1"),
    value("in which round", "${h.iteration}", 0),
    value("when it began", "${h.startTime}", 1795348800000),
    value("a task that there is none of is null", "${nobody.output.x}", None),
    value("a member that there is none of is null", "${h.nothing}", None),
)
PATHS = (
    value("a path may begin with $.", "${$.workflow.input.n}", 2),
    value("or with brackets", "${$['workflow']['input']['n']}", 2),
    value("a place of a list", "${workflow.input.list[1].x}", 3),
    value("one from the end", "${workflow.input.list[-1].x}", 3),
    value("a name with a space", "${workflow.input['a b']}", "spaced"),
    value("all of a list", "${workflow.input.list[*].x}", [1, 3]),
    value("all below", "${workflow.input.list..x}", [1, 3]),
    value("what a filter lets through", "${workflow.input.list[?(@.x>1)]}", [{"x": 3}]),
    value("and what is in it", "${workflow.input.list[?(@.x>1)].x}", [3]),
    value("how many", "${workflow.input.list.length()}", 2),
    value("what is not there is null", "${workflow.input.gone.x}", None),
    value("beyond a list's end, too", "${workflow.input.list[9]}", None),
    value("but of a search an empty list", "${workflow.input.gone..x}", []),
    value("and of a filter", "${workflow.input.list[?(@.x>99)]}", []),
    value("what is no path is null", "${workflow.input.list[}", None),
)
TEXTS = (
    *(
        value(f"one expression alone keeps the type of {name}", f"${{workflow.input.{name}}}",
              INPUT[name])
        for name in ("n", "f", "yes", "no", "list", "map", "text")
    ),
    value("within text it is text", "n=${workflow.input.n}!", "n=2!"),
    value("a truth", "${workflow.input.yes}.", "true."),
    value("null is the text null", "${workflow.input.no}.", "null."),
    # As Java prints them, there: {a=1, b=[5, 6]}.
    value("an object within text is JSON", "m=${workflow.input.map}", 'm={"a":1,"b":[5,6]}',
          MENDED),
    value("a list, too", "l=${workflow.input.ids}", 'l=["p","q"]', MENDED),
    value("two side by side are text", "${workflow.input.n}${workflow.input.n}", "22"),
    value("an empty one is empty", "${}", ""),
    value("one of blanks, too", "${  }", ""),
    value("$${ is the text ${", "$${workflow.input.n}", "${workflow.input.n}"),
    value("also beside one that counts", "$${workflow.input.n}${workflow.input.n}",
          "${workflow.input.n}2"),
    value("the inner one comes first", "${workflow.input.ids[${workflow.input.index}]}", "q"),
    value("at any depth", "${workflow.input.map.${workflow.input.key}[${workflow.input.index}]}",
          6),
    value("lines are no end", "a\n${workflow.input.n}\nb", "a\n2\nb"),
    value("a brace that is not closed stays", "${workflow.input.n", "${workflow.input.n"),
    value("what is data is not read again", "${h.output.body.said}", "${workflow.input.n}"),
)  # fmt: skip
WALKED = (
    value("lists and objects are walked", {"a": ["${workflow.input.n}", {"b": "${h.status}"}]},
          {"a": [2, {"b": "COMPLETED"}]}),
    value("their keys are not", {"${workflow.input.n}": 1}, {"${workflow.input.n}": 1}),
    # Environment variables and properties of the server there.
    value("the environment is told nobody", "${PATH}", None, MENDED),
    value("nor the stack", "${NETFLIX_STACK}", None, MENDED),
    value("nor what the workflow calls so", "${workflow.env.PATH}", None, MENDED),
)  # fmt: skip


@pytest.mark.parametrize("row", [*ROOTS, *PATHS, *TEXTS, *WALKED], ids=ids)
def test_expressions(row: Row) -> None:
    check(row)


def test_a_task_can_name_its_own_id() -> None:
    run = played(value("own", "${CPEWF_TASK_ID}", None))
    assert run.task("e").input == {"v": run.task("e").id}


def test_what_can_be_named_is_what_the_registry_lets_pass() -> None:
    assert {*WORKFLOW_MEMBERS} - {"secrets", "env"} == WORKFLOW.keys()
    assert {*TASK_MEMBERS} == {*TASK, "workflowInstanceId", "correlationId"}


def test_the_environment_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_SERVER", "told")
    assert os.environ["OF_THE_SERVER"] == "told"
    check(value("environment", "${OF_THE_SERVER}", None, MENDED))


def test_conductors_own_example() -> None:
    text = "${$.text} $${$.n}${$.n} ${$.n}$${$.text}"
    given: dict[str, Json] = {"text": "conductor", "n": 2}
    assert asked(Action("x", {"v": text}), given) == {"v": "conductor ${$.n}2 2${$.text}"}


def test_a_definition_is_never_changed() -> None:
    flow = workflow(task("e", "NOOP", {"v": {"deep": ["${workflow.input.n}"]}}))
    before = copy.deepcopy(flow.document)
    Simulator(flow, {"n": 1}).begin()
    assert flow.document == before


# As they are kept, or as the remote has sent them, which is how they stand in Conductor.
@pytest.mark.parametrize("place", ["response.headers", "headers"])
@pytest.mark.parametrize("name", [".etag[0]", ".ETag[0]", "['etag'][0]", "['ETAG'][0]"])
def test_a_header_is_named_in_any_case(place: str, name: str) -> None:
    flow = workflow(http("h"), task("e", "NOOP", {"v": f"${{h.output.{place}{name}}}"}))
    check(Row("header", flow, {"e.input": {"v": "x"}}, (answered("h", answer(None, etag="x")),)))


def test_a_name_as_it_stands_comes_first() -> None:
    given: dict[str, Json] = {"headers": {"X": 1, "x": 2}, "other": {"x": 3}, "none": {"X": 0}}
    flow = workflow(task("e", "NOOP", {"a": "${workflow.input.headers.X}",
                                       "b": "${workflow.input.other.X}"}))  # fmt: skip
    check(Row("exact", flow, {"e.input": {"a": 1, "b": None}}, inputs=given))


# In loops, and after retries.


def test_in_a_loop_a_reference_is_the_latest_round() -> None:
    say = task("say", "NOOP", {"n": "${loop.output.iteration}"})
    seen = task("see", "NOOP", {"n": "${say.input.n}"})
    loop = task("loop", "DO_WHILE", items=[1, 2], loopOver=[say, seen])
    behind = task("behind", "NOOP", {"n": "${say.input.n}", "ref": "${say.referenceTaskName}"})
    check(Row("round", workflow(loop, behind), {"see__1.input": {"n": 1}, "see__2.input": {"n": 2},
              "behind.input": {"n": 2, "ref": "say__2"}}))  # fmt: skip


def test_a_reference_is_the_latest_attempt() -> None:
    flow = workflow(http("h", None, taskDefinition={"retryCount": 1, "retryDelaySeconds": 0}),
                    task("e", "NOOP", {"n": "${h.retryCount}"}))  # fmt: skip
    check(Row("attempt", flow, {"e.input": {"n": 1}},
              (answered("h", status=500), answered("h"))))  # fmt: skip


# Templates of input, and outputs.


def templated(rule: str, template: Json, given: Json, expected: Json) -> Row:
    flow = workflow(task("e", "NOOP", given), definitions={"e": {"inputTemplate": template}})
    return Row(rule, flow, {"e.input": expected}, inputs=INPUT)


TEMPLATES = (
    templated("a template gives what a task lacks", {"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
    templated("its expressions are resolved", {"a": "${workflow.input.n}"}, {}, {"a": 2}),
    templated("it takes the place of what resolves to null", {"a": 1},
              {"a": "${workflow.input.no}"}, {"a": 1}),
    templated("and of nothing else", {"a": 1}, {"a": "${workflow.input.yes}"}, {"a": True}),
)  # fmt: skip


@pytest.mark.parametrize("row", TEMPLATES, ids=ids)
def test_templates(row: Row) -> None:
    check(row)


# An empty input takes nothing of it, there.
@pytest.mark.parametrize(
    ("given", "known", "record"),
    [({}, {"a": 1, "b": 2}, MENDED), ({"b": 3}, {"a": 1, "b": 3}, ""),
     ({"a": None}, {"a": 1, "b": 2}, "")],
)  # fmt: skip
def test_a_workflows_template_gives_what_a_start_lacks(
    given: dict[str, Json], known: Json, record: str
) -> None:
    flow = workflow(task("n", "NOOP"), inputTemplate={"a": 1, "b": 2})
    check(Row("start", flow, {"workflow.input": known}, record=record, inputs=given))


@pytest.mark.parametrize("status", [200, 500])
def test_outputs_are_resolved_the_same_way_whatever_the_end(status: int) -> None:
    output: Json = {"s": "${h.output.statusCode}", "t": "it was ${h.output.statusCode}", "c": 1}
    flow = workflow(http("h"), outputParameters=output)
    check(Row("output", flow, {"workflow.output": {"s": status, "t": f"it was {status}", "c": 1}},
              (answered("h", status=status),)))  # fmt: skip


def test_without_outputs_of_its_own_it_has_those_of_the_last_or_the_failing_task() -> None:
    flow = workflow(task("a", "TERMINATE", {"terminationStatus": "COMPLETED"}))
    check(Row("nothing", flow, {"workflow.output": {}}))
    two = workflow(http("h"), http("i"))
    check(Row("last", two, {"workflow.output.body": 2},
              (answered("h", answer(1)), answered("i", answer(2)))))  # fmt: skip
    check(Row("failing", two, {"workflow.output.body": {"n": 1}}, (answered("h", status=500),)))


# Secrets.


def test_a_secret_stays_as_it_is_written_until_the_call_goes_out() -> None:
    text = "Bearer ${workflow.secrets.TOKEN}"
    flow = workflow(http("h", {"headers": {"authorization": text}, "body": "${workflow.input.n}"}))
    run = Simulator(flow, INPUT).begin()
    request = run.request("h")
    assert request.headers["authorization"] == text
    assert request.handoff == {"workflow.secrets.TOKEN"}
    assert request.body == 2
    given = run.task("h").input
    assert isinstance(given, dict)
    kept = given["http_request"]
    assert isinstance(kept, dict)
    assert kept["headers"] == {"authorization": text}


def test_event_handlers_read_what_was_told_in_the_same_way() -> None:
    action = Action("start_workflow", {"name": "x", "input": {"a": "${order.id}", "b": "n ${k}"}})
    payload: dict[str, Json] = {"order": {"id": 7}, "k": None}
    assert asked(action, payload) == {"name": "x", "input": {"a": 7, "b": "n null"}}

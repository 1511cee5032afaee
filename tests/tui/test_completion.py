from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from services.registry.definitions import parse
from tui.views.completion import Completion, Words, complete
from tui.views.task_words import SKELETONS

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "schema" / "workflow.json").read_text("utf-8")
)
WORDS = Words(
    schema=SCHEMA,
    values={"failureWorkflow": ["mend", "undo"]},
    secrets=["SHOP_TOKEN"],
    inputs=["given"],
)


def offered(marked: str, words: Words = WORDS) -> list[Completion]:
    cursor = marked.index("|")
    return complete(marked.replace("|", ""), cursor, words)


def labels(marked: str) -> list[str]:
    return [each.label for each in offered(marked)]


def taken(marked: str, label: str) -> str:
    """The text after a completion is taken, with ``|`` for the cursor."""
    (one,) = [each for each in offered(marked) if each.label == label]
    text = marked.replace("|", "")
    written = one.text[: one.cursor] + "|" + one.text[one.cursor :]
    return text[: one.start] + written + text[one.end :]


def test_keys_come_from_the_schema_those_that_are_needed_first() -> None:
    assert labels("{|")[:2] == ["name", "tasks"]
    assert labels('{"name": "a", |')[0] == "tasks"
    assert "timeoutSeconds" in labels("{|")
    assert offered("{|")[0].detail == "required. Its name."


def test_a_key_begins_its_value() -> None:
    assert taken('{"na|', "name") == '{"name": "|"'
    assert taken("{|}", "tasks") == '{"tasks": [|]}'
    assert taken('{"timeoutS|"', "timeoutSeconds") == '{"timeoutSeconds": |'
    assert taken('{"na|x": 1}', "name") == '{"name"|: 1}'


def test_what_begins_with_what_is_written_comes_first() -> None:
    found = labels('{"out|')

    assert found[:2] == ["outputParameters", "outputSchema"]
    assert "timeoutSeconds" in found
    assert "name" not in found


def test_a_task_knows_the_fields_of_its_type() -> None:
    inside = '{"tasks": [{"type": "%s", "inputParameters": {"|'

    assert "terminationCondition" in labels(inside % "HTTP_POLL")
    assert "terminationCondition" not in labels(inside % "HTTP")
    assert "uri" in labels(inside % "HTTP")
    assert "duration" in labels(inside % "WAIT")
    assert "evaluatorType" in labels('{"tasks": [{"type": "SWITCH", "|')


def test_fields_of_a_type_that_is_not_known_yet_are_all_offered() -> None:
    assert {"uri", "duration"} <= set(labels('{"tasks": [{"inputParameters": {"|'))


def test_tasks_nest() -> None:
    inner = '{"tasks": [{"type": "SWITCH", "decisionCases": {"a b": [{"|'

    # What must be there comes first.
    assert labels(inner)[:2] == ["name", "taskReferenceName"]
    assert "type" in labels(inner)


def test_values_come_from_the_schema() -> None:
    assert taken('{"tasks": [{"type": "HTTP_|"', "HTTP_POLL") == (
        '{"tasks": [{"type": "HTTP_POLL"|'
    )
    assert labels('{"tasks": [{"type": "HTTP", "inputParameters": {"method": "P|')[:3] == [
        "POST", "PUT", "PATCH",
    ]  # fmt: skip
    assert {"true", "false"} == set(labels('{"restartable": |')) - {"null"}


def test_names_of_others_are_values() -> None:
    assert labels('{"failureWorkflow": "|"') == ["mend", "undo"]


def test_a_whole_task_is_offered_where_one_may_stand() -> None:
    text = taken('{\n  "tasks": [\n    |\n  ]\n}', "WAIT task")

    assert text == (
        '{\n  "tasks": [\n    {\n      "name": "|",\n      "taskReferenceName": "",\n'
        '      "type": "WAIT",\n      "inputParameters": {\n        "duration": "10 seconds"\n'
        "      }\n    }\n  ]\n}"
    )


def test_the_letters_of_a_type_are_enough_for_a_task_of_it() -> None:
    assert labels('{"tasks": [wai|]}') == ["WAIT task", "WAIT_FOR_WEBHOOK task"]
    assert taken('{"tasks": [HTTP_|]}', "HTTP_POLL task").startswith('{"tasks": [{\n')


def test_a_task_before_another_one_ends_with_a_comma() -> None:
    before = taken('{"tasks": [|\n  {"type": "NOOP"}]}', "NOOP task")

    assert '},\n  {"type": "NOOP"}' in before
    assert "}]}" in taken('{"tasks": [{"type": "NOOP"}, |]}', "NOOP task")
    assert "},\n ,{" not in taken('{"tasks": [|\n ,{"type": "NOOP"}]}', "NOOP task")


@pytest.mark.parametrize("kind", SKELETONS)
def test_a_task_that_is_offered_needs_only_names_and_tasks_within_to_be_put(kind: str) -> None:
    task = {"name": "a", "taskReferenceName": "a", "type": kind, **SKELETONS[kind]}
    join = {"name": "j", "taskReferenceName": "j", "type": "JOIN"}
    inner = {"name": "b", "taskReferenceName": "b", "type": "NOOP"}
    text = json.dumps({"name": "w", "tasks": [task, join]})
    text = text.replace("https://", "https://example.com").replace("input.}", "input.x}")
    text = text.replace('"name": ""', '"name": "x"').replace('Name": ""', 'Name": "x"')
    text = text.replace('"webhook": ""', '"webhook": "x"')
    text = text.replace("[[], []]", f"[[{json.dumps(inner)}]]")

    assert parse(json.loads(text), "workflow").kind == "workflow"


def test_every_type_of_task_is_offered() -> None:
    known = SCHEMA["$defs"]["task"]["properties"]["type"]["enum"]

    assert set(SKELETONS) >= set(known)


WORKFLOW = """{
  "inputParameters": ["orderId"],
  "variables": {"region": "eu"},
  "tasks": [
    {"taskReferenceName": "charge", "type": "HTTP",
     "inputParameters": {"uri": "https://x/${workflow.input.other}?k=${workflow.secrets.OWN}"}},
    {"taskReferenceName": "set", "type": "SET_VARIABLE", "inputParameters": {"total": 1}},
    {"taskReferenceName": "now", "type": "%s", "inputParameters": {"value": "${|"}},
    {"taskReferenceName": "later", "type": "INLINE"}
  ],
  "outputParameters": {"a": "%s"}
}"""


def test_expressions_name_input_tasks_before_and_variables() -> None:
    found = labels(WORKFLOW % ("INLINE", ""))

    assert {
        "workflow.input.given", "workflow.input.orderId", "workflow.input.other",
        "charge.output.response.body", "charge.status", "set.output",
        "workflow.variables.region", "workflow.variables.total", "workflow.workflowId",
    } <= set(found)  # fmt: skip
    assert not [each for each in found if each.startswith(("later.", "now."))]
    assert not [each for each in found if each.startswith("workflow.secrets")]


def test_secrets_are_named_in_what_asks_for_the_outside() -> None:
    found = labels((WORKFLOW % ("HTTP", "")).replace("${|", "${workflow.secrets.|"))

    assert found == ["workflow.secrets.SHOP_TOKEN", "workflow.secrets.OWN"]
    assert "task.callbackUrl" in labels((WORKFLOW % ("HTTP", "")).replace("${|", "${task|"))


def test_the_output_may_name_every_task() -> None:
    text = (WORKFLOW % ("INLINE", "${la|}")).replace('"${|"', '""')

    assert "later.output.result" in labels(text)
    assert taken(text, "later.output").count("${later.output}|") == 1


def test_an_expression_replaces_the_rest_of_one() -> None:
    marked = '{"outputParameters": {"a": "x ${wor|kflow.input.b} y"}}'

    assert '"x ${workflow.status}| y"' in taken(marked, "workflow.status")


def test_what_only_looks_like_an_expression_is_none() -> None:
    assert offered('{"outputParameters": {"a": "$${wor|') == []
    assert offered('{"outputParameters": {"a": "${x} wor|') == []


def test_without_a_schema_there_are_still_expressions() -> None:
    assert offered("{|", Words()) == []
    assert offered('{"outputParameters": {"a": "${|', Words())


@given(st.text(st.sampled_from('{}[],:"\\ \n${tasks'), max_size=50), st.data())
def test_any_text_can_be_completed_anywhere(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    for each in complete(text, cursor, WORDS):
        assert 0 <= each.start <= cursor <= each.end <= len(text)
        assert 0 <= each.cursor <= len(each.text)

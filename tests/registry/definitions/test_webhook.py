"""Webhooks and the tasks that wait for them: what their documents may say."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Document, Json, parse


def webhook(verifier: Json, **fields: Json) -> Document:
    return {"kind": "webhook", "name": "shop", "verifier": verifier, **fields}


def waiting(**inputs: Json) -> Document:
    task: Json = {"name": "w", "taskReferenceName": "w", "type": "WAIT_FOR_WEBHOOK",
                  "inputParameters": inputs}  # fmt: skip
    return {"name": "flow", "tasks": [task]}


def faults(document: Document) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(document)
    return [str(fault) for fault in caught.value.faults]


def test_a_webhook_refers_to_its_secret() -> None:
    definition = parse(webhook({"type": "GITHUB", "secretName": "KEY"}))

    assert [(each.kind, each.name) for each in definition.references] == [("secret", "KEY")]
    assert not parse(webhook({"type": "NONE"})).references


def test_a_task_refers_to_its_webhook() -> None:
    definition = parse(waiting(webhook="shop", matches={"$.order.id": "${workflow.input.id}"}))

    assert definition.warnings == ()
    assert ("webhook", "shop") in [(each.kind, each.name) for each in definition.references]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (webhook({"type": "STRIPE"}), "verifier.secretName: is required by the type STRIPE"),
        (webhook({"type": "HMAC", "secretName": "K"}), "verifier.header: is required by the type"),
        (webhook({"type": "OAUTH"}), "verifier.type: must be one of STANDARD_WEBHOOKS, GITHUB"),
        (webhook(None), "verifier: is required"),
        (webhook({"type": "NONE"}, name="a/b"), "name: must be letters, digits"),
        (webhook({"type": "NONE"}, idHeader="x y"), "idHeader: must be a header's name"),
        (webhook({"type": "NONE"}, maxBodyBytes=11 << 20), "maxBodyBytes: must be at most"),
        (waiting(), "tasks[0].inputParameters.webhook: is required"),
        (waiting(webhook="a", matches=[]), "tasks[0].inputParameters.matches: must be an object"),
        (
            waiting(webhook="a", matches={"order": 1}),
            "tasks[0].inputParameters.matches.order: must be a path into the body",
        ),
        (
            waiting(webhook="a", matches={f"$.a{n}": 1 for n in range(17)}),
            "tasks[0].inputParameters.matches: has more than 16 paths",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_path(document: Document, said: str) -> None:
    assert faults(document)[0].startswith(said)

"""Who calls with Conductor's Python client: by tokens, and without."""

from __future__ import annotations

import json

import pytest
from conductor.client.http.models import TaskDef
from conductor.client.http.models.create_or_update_application_request import (
    CreateOrUpdateApplicationRequest,
)
from conductor.client.http.rest import AuthorizationException
from conductor.client.metadata_client import MetadataClient
from conductor.client.orkes_clients import OrkesClients

from tests.system.conductor.world import ANYBODY, Conductor
from tests.system.running import until


def test_the_start_warns_of_an_application_for_strangers_that_is_not_there(
    conductor: Conductor,
) -> None:
    # It is put once the suite runs.
    assert f"There is no application '{ANYBODY}' yet" in conductor.suite.log.read_text()


def test_a_token_that_has_expired_is_replaced(conductor: Conductor) -> None:
    made = conductor.suite.podium(
        "access-keys", "create", ANYBODY, "--expires", "1s", "--output", "json"
    )
    short = json.loads(made.stdout)
    authorization = conductor.clients.get_authorization_client()
    old = authorization.generate_token(short["keyId"], short["keySecret"])["token"]
    configuration = conductor.configuration(*conductor.key)
    metadata = OrkesClients(configuration).get_metadata_client()

    def asked_with_the_old_one() -> str:
        configuration.update_token(old)
        metadata.get_task_def("py_greet")
        return str(configuration.AUTH_TOKEN)

    # While it holds it is used; when it no longer does, the client has another one.
    until(lambda: asked_with_the_old_one() != old, 20, "the client gets another token")
    configuration.update_token("no token at all")
    assert metadata.get_task_def("py_greet").name == "py_greet"


def test_a_wrong_key_gets_no_token(conductor: Conductor) -> None:
    key_id, _ = conductor.key
    authorization = conductor.clients.get_authorization_client()
    with pytest.raises(AuthorizationException) as caught:
        authorization.generate_token(key_id, "wrong")
    assert caught.value.status == 401


def test_an_application_and_its_key_are_made(conductor: Conductor) -> None:
    authorization = conductor.clients.get_authorization_client()
    name = CreateOrUpdateApplicationRequest("Made by Python")
    made = authorization.create_application(name)
    authorization.add_role_to_application_user(made.id, "METADATA_MANAGER")
    key = authorization.create_access_key(made.id)
    assert [each.id for each in authorization.get_access_keys(made.id)] == [key.id]
    assert made.id in [each.id for each in authorization.list_applications()]

    metadata = OrkesClients(conductor.configuration(key.id, key.secret)).get_metadata_client()
    until(lambda: registers(metadata), 20, "the edge knows the key, and the role")
    authorization.delete_access_key(made.id, key.id)
    assert authorization.get_access_keys(made.id) == []
    authorization.delete_application(made.id)


def registers(metadata: MetadataClient) -> bool:
    try:
        metadata.register_task_def(TaskDef(name="py_of_application"))
    except AuthorizationException:
        return False
    return True


def test_who_has_no_key_acts_as_the_anonymous_application(conductor: Conductor) -> None:
    clients = OrkesClients(conductor.configuration())
    conductor.waiting("py_anonymous")
    id = clients.get_workflow_client().start_workflow_by_name("py_anonymous", {})

    assert clients.get_workflow_client().get_workflow(id).created_by == f"application:{ANYBODY}"
    with pytest.raises(AuthorizationException) as caught:
        clients.get_metadata_client().register_task_def(TaskDef(name="py_forbidden"))
    assert caught.value.status == 403

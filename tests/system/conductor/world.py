"""What the tests of Conductor's Python client share: a suite, its clients, workers at work."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from conductor.client.configuration.configuration import Configuration
from conductor.client.configuration.settings.authentication_settings import AuthenticationSettings
from conductor.client.http.api.event_resource_api import EventResourceApi
from conductor.client.http.api.workflow_bulk_resource_api import WorkflowBulkResourceApi
from conductor.client.http.api_client import ApiClient
from conductor.client.http.models import StartWorkflowRequest, TaskDef
from conductor.client.http.rest import ApiException
from conductor.client.orkes_clients import OrkesClients
from conductor.client.workflow.conductor_workflow import ConductorWorkflow
from conductor.client.workflow.task.simple_task import SimpleTask
from conductor.client.workflow.task.wait_task import WaitTask

from tests.system.running import Suite, until

WORKER = Path(__file__).with_name("worker.py")
ANYBODY = "anybody"


@dataclass
class Conductor:
    """Conductor's clients of a suite, by the suite's own key; each is made when it is first used.

    Attributes:
        workers: The processes of the Python workers.
        fussy: Ids of executions by what they ask of ``py_fussy``.
    """

    suite: Suite
    workers: subprocess.Popen[bytes] | None = None
    fussy: dict[str, str] = field(default_factory=dict)

    @cached_property
    def key(self) -> tuple[str, str]:
        """Id and secret of the suite's administrator."""
        credentials = json.loads((self.suite.home / "credentials.json").read_text())
        return credentials["keyId"], credentials["keySecret"]

    @property
    def environment(self) -> dict[str, str]:
        """Where clients that are told nothing else look for the server and the key."""
        key_id, secret = self.key
        return {
            "CONDUCTOR_SERVER_URL": f"{self.suite.management}/api",
            "CONDUCTOR_AUTH_KEY": key_id,
            "CONDUCTOR_AUTH_SECRET": secret,
        }

    def configuration(self, *key: str) -> Any:
        """With a key's id and secret; with neither, what is asked has no token."""
        settings = AuthenticationSettings(*key) if key else None
        return Configuration(base_url=self.suite.management, authentication_settings=settings)

    @cached_property
    def clients(self) -> Any:
        """Where all clients come from."""
        return OrkesClients(self.configuration(*self.key))

    @cached_property
    def workflows(self) -> Any:
        """Starts and operates."""
        return self.clients.get_workflow_client()

    @cached_property
    def tasks(self) -> Any:
        """Polls and updates."""
        return self.clients.get_task_client()

    @cached_property
    def metadata(self) -> Any:
        """Definitions."""
        return self.clients.get_metadata_client()

    @cached_property
    def executor(self) -> Any:
        """What workflows that are written in Python are registered and run by."""
        return self.clients.get_workflow_executor()

    @cached_property
    def bulk(self) -> Any:
        """Operations on many."""
        return WorkflowBulkResourceApi(self.workflows.api_client)

    @cached_property
    def events(self) -> Any:
        """Event handlers."""
        return EventResourceApi(ApiClient(self.configuration(*self.key)))

    def simple(self, name: str, task: str, /, **inputs: str) -> Any:
        """Registers a workflow ``name`` of one task, which is called ``step``."""
        step = SimpleTask(task, "step")
        step.input_parameters.update(inputs)
        flow = ConductorWorkflow(self.executor, name, 1).add(step)
        flow.output_parameters({"result": "${step.output.result}"}).timeout_seconds(0)
        flow.register(overwrite=True)
        return flow

    def waiting(self, name: str, *refs: str) -> Any:
        """Registers a workflow ``name`` of tasks that wait to be signalled, one after the other."""
        flow = ConductorWorkflow(self.executor, name, 1)
        for ref in refs or ("held",):
            flow.add(WaitTask(ref))
        flow.timeout_seconds(0).register(overwrite=True)
        return flow

    def start(self, name: str, **more: Any) -> str:
        """The id of a new execution."""
        started: str = self.workflows.start_workflow(
            StartWorkflowRequest(name=name, version=1, **{"input": {}, **more})
        )
        return started

    def status(self, execution_id: str) -> str:
        """Of an execution."""
        return str(self.workflows.get_workflow_status(execution_id).status)

    def ended(self, execution_id: str, seconds: float = 20) -> Any:
        """An execution with its tasks, once it has ended."""
        what = f"{execution_id} ends"
        until(lambda: self.status(execution_id) not in {"RUNNING", "PAUSED"}, seconds, what)
        return self.workflows.get_workflow(execution_id, include_tasks=True)

    def at_work(self, task: str) -> None:
        """Return once a worker polls for ``task``: its process takes long to start."""
        until(lambda: self.tasks.get_task_poll_data(task), 60, f"a worker polls for {task}")

    def define(self) -> None:
        """What the workers do, and workflows of it."""
        short = {"retry_delay_seconds": 0, "timeout_seconds": 0}
        greet = TaskDef(name="py_greet", retry_count=0, response_timeout_seconds=30, **short)
        fussy = TaskDef(name="py_fussy", retry_count=2, response_timeout_seconds=6, **short)
        for each in (greet, fussy):
            self.metadata.register_task_def(each)
        self.simple("py_greets", "py_greet", name="${workflow.input.name}")
        self.simple("py_fusses", "py_fussy", how="${workflow.input.how}")
        self.simple("py_fetches", "py_fetch", seconds="${workflow.input.seconds}",
                    name="${workflow.input.name}")  # fmt: skip


def refused(status: int, sentence: str = "") -> Any:
    """The block raises what the client makes of an answer with ``status`` and ``sentence``."""
    return pytest.raises(ApiException, match=rf"(?s)^\({status}\).*{re.escape(sentence)}")


@contextmanager
def workers(conductor: Conductor, folder: Path) -> Iterator[None]:
    """The processes of the workers, killed in the end; what they say is in ``worker.log``."""
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            env={**os.environ, **conductor.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        conductor.workers = process
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

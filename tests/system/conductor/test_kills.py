"""The executor is killed while workers poll for what it gives them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx

from tests.system.conductor.world import Conductor
from tests.system.running import until

KILLS, AT_LEAST = 3, 60


@dataclass
class Poller:
    """Starts executions, and polls for their tasks.

    Attributes:
        started: Ids of executions.
        given: Those whose task has come.
    """

    api: str
    headers: dict[str, str]
    started: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    enough: Event = field(default_factory=Event)
    over: Event = field(default_factory=Event)

    def start(self) -> None:
        with httpx.Client(headers=self.headers) as client:
            while not self.enough.is_set():
                answer = client.post(f"{self.api}/workflow/py_given", json={}, timeout=30)
                if answer.status_code == 200:
                    self.started.add(answer.text)

    def poll(self, worker: int) -> None:
        query = {"workerid": f"p{worker}", "count": "3", "timeout": "500"}
        with httpx.Client(headers=self.headers) as client:
            while not self.over.is_set():
                # With the stream that it was to come on, an answer may go.
                with suppress(httpx.TransportError):
                    answer = client.get(f"{self.api}/tasks/poll/batch/py_gives", params=query)
                    if answer.status_code == 200:
                        self.given += [each["workflowInstanceId"] for each in answer.json()]


def test_no_task_is_lost_that_a_killed_executor_was_giving(conductor: Conductor) -> None:
    conductor.simple("py_given", "py_gives")
    token = httpx.post(f"{conductor.suite.management}/api/token", json=_key(conductor)).json()
    poller = Poller(f"{conductor.suite.management}/api", {"X-Authorization": str(token["token"])})
    with ThreadPoolExecutor(8) as pool:
        polling = [pool.submit(poller.poll, worker) for worker in range(6)]
        starting = [pool.submit(poller.start) for _ in range(2)]
        try:
            for _ in range(KILLS):
                before = len(poller.given)
                until(_more(poller, before + AT_LEAST), 60, "tasks are given")
                conductor.suite.kill("executor")
            until(_more(poller, len(poller.given) + AT_LEAST), 60, "tasks are given again")
            poller.enough.set()
            _all(starting)
            until(lambda: poller.started <= set(poller.given), 30, "each has come")
        finally:
            poller.enough.set()
            poller.over.set()
        _all(polling)
    assert len(poller.given) == len(set(poller.given))


def _key(conductor: Conductor) -> dict[str, str]:
    key_id, secret = conductor.key
    return {"keyId": key_id, "keySecret": secret}


def _more(poller: Poller, than: int) -> Callable[[], bool]:
    return lambda: len(poller.given) >= than


def _all(tasks: list[Any]) -> None:
    for task in tasks:
        task.result()

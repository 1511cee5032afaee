"""What may happen next in a simulated life, as the store alone says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from services.executor import message_rows, queries
from services.executor.core.attempts import OWN_TURN
from services.executor.core.events import Event, Performed, TaskUpdated, TimerKey
from services.executor.core.http import HttpOutcome
from services.executor.core.identity import derived_id, fraction
from services.executor.core.model import Json, TaskStatus
from tests.executor.core.simulator import answer, failure
from tests.simulation.office import Office
from tests.simulation.shell import Call, Shell
from tests.simulation.wider import WEBHOOK
from tests.simulation.workers import STREAM, Workers, lent

Act = tuple[str, Callable[[], None]]
"""Something that may happen: what it is called, and how it is done."""

OUTCOMES: tuple[HttpOutcome, ...] = (
    answer({"n": 1, "done": True}),
    answer({"n": 1, "done": True}),
    answer({"n": 0, "done": False}, 202),
    answer({"error": "busy"}, 503, retry_after="20"),
    answer({"error": "no"}, 404),
    failure("Refused.", unknown=False),
    failure("Timed out."),
)
_JUMPS = (-7200, -30, 30, 7200, 400_000)


class Acts:
    """Of a seed.

    Args:
        note: Told what may come twice.
    """

    def __init__(
        self,
        seed: int,
        shell: Shell,
        workers: Workers,
        office: Office,
        note: Callable[[str, Event], None],
    ) -> None:
        self._seed = seed
        self._shell = shell
        self._workers = workers
        self._office = office
        self._note = note
        self._orders = _orders(shell)

    def possible(self) -> list[Act]:
        """What may happen now, in an order that no fault changes."""
        found = [
            *self._calls(), *self._words(), *self._timers(), *self._work(), *self._polls(),
            *self._requests(), *self._early(), *self._alarms(),
        ]  # fmt: skip
        return sorted(found, key=lambda act: act[0])

    def disorder(self) -> list[Act]:
        """What nobody asked for: the clock jumps, the stream of workers breaks, or is back."""
        found: list[Act] = [
            (f"jump {each}", partial(self._shell.clock.jump, each)) for each in _JUMPS
        ]
        workers = self._workers
        if workers.session is not None:
            found += [("breaks", workers.disconnect)] * 2
        elif workers.slots:
            found += [("back", workers.connect)] * 4
            found.append(("new", partial(workers.connect, empty_handed=True)))
        return found

    def _calls(self) -> Iterator[Act]:
        for _, task_id, number, kind, polls in _under_way(self._shell):
            call = self._shell.calls.get(task_id)
            assert call is not None, f"{kind} {task_id} waits for a call that was not begun"
            assert call.number == number
            yield f"call {task_id} {polls}", self._ending(call, polls)

    def _ending(self, call: Call, polls: int) -> Callable[[], None]:
        chance = fraction(self._seed, call.task_id, polls)
        outcome = OUTCOMES[int(chance * len(OUTCOMES) * 0.999)]

        def end() -> None:
            self._shell.end_call(call, outcome)
            self._note(call.execution_id, Performed(call.task_id, call.number, outcome))

        return end

    def _words(self) -> Iterator[Act]:
        for execution_id, task_id in _awaiting_a_word(self._shell):
            status = "COMPLETED" if fraction(self._seed, task_id, "word") < 0.7 else "FAILED"
            event = TaskUpdated(TaskStatus(status), {"word": 1}, task_id=task_id, exact=True)
            yield f"word {task_id}", partial(self._shell.tell, execution_id, event)

    def _timers(self) -> Iterator[Act]:
        for execution_id, task_id, name, at in queries.timers(self._shell.db, 1 << 62, 10_000):
            key = TimerKey(task_id, name)
            named = f"timer {execution_id} {task_id} {name.partition(' ')[0]}"
            # Never as late as another one: else it would depend on milliseconds who came first.
            late = timedelta(seconds=fraction(self._seed, "late", named))
            yield named, partial(self._shell.fire, execution_id, key, at, late)

    def _work(self) -> Iterator[Act]:
        for task in lent(self._shell):
            if task.worker_id != STREAM or self._workers.session is not None:
                yield f"work {task.turn}", partial(self._workers.speak, task)

    def _polls(self) -> Iterator[Act]:
        """A queue with waiting tasks; where one is of a definition with a limit, last of all."""
        rows = self._shell.db.execute(
            "SELECT DISTINCT queue FROM tasks WHERE queue != '' AND substr(queue, 1, 1) != ? "
            "AND status = 'SCHEDULED' AND ended_at IS NULL AND next_at IS NULL AND held = 0",
            (OWN_TURN,),
        )
        for (queue,) in rows.fetchall():
            if queue not in self._workers.slots:
                yield f"~poll {queue}", partial(self._workers.poll, queue)

    def _requests(self) -> Iterator[Act]:
        rows = self._shell.db.execute(
            "SELECT tasks.id, tasks.input, (SELECT count(*) FROM event_messages) "
            "FROM tasks JOIN executions ON executions.id = execution_id "
            "WHERE kind = 'WAIT_FOR_WEBHOOK' AND tasks.ended_at IS NULL "
            "AND tasks.status = 'IN_PROGRESS' AND executions.status = 'RUNNING'"
        )
        for task_id, text, number in rows.fetchall():
            payload: dict[str, Json] = {"n": 1}
            for path, value in json.loads(text)["matches"].items():
                payload[path.removeprefix("$.")] = value
            delivery = f"{task_id} {number}"
            yield f"request {task_id}", partial(self._request, delivery, payload)

    def _early(self) -> Iterator[Act]:
        """What comes whether somebody waits for it or not, each once."""
        for order in self._orders:
            delivery = f"early {order}"
            known = message_rows.is_known(self._shell.db, derived_id("webhook", WEBHOOK, delivery))
            if not known:
                yield delivery, partial(self._request, delivery, {"n": 1, "order": order})

    def _request(self, delivery: str, payload: dict[str, Json]) -> None:
        """It is sent, and sent again by one who has not heard that it came."""
        self._office.receive(delivery, payload)
        commits = self._shell.commits
        assert self._office.receive(delivery, payload)
        assert self._shell.commits == commits

    def _alarms(self) -> Iterator[Act]:
        if self._shell.clock.alarms:
            yield "alarm", self._shell.clock.ring


def _orders(shell: Shell) -> list[Json]:
    """What tasks will wait for, if the webhook keeps what comes before."""
    replica = shell.snapshots.replica
    webhook = replica.get("webhook", WEBHOOK)
    if webhook is None or not webhook.document["keepSeconds"]:
        return []
    texts = " ".join(json.dumps(each.document) for each in replica.all("workflow"))
    wanted = sorted(set(re.findall(r'"\$\.order": "([^"]+)"', texts)))
    return [1 if each.startswith("$") else each for each in wanted[:3]]


def _under_way(shell: Shell) -> list[Any]:
    return shell.db.execute(
        "SELECT execution_id, id, pending, kind, poll_count FROM tasks WHERE pending > 0"
    ).fetchall()


def _awaiting_a_word(shell: Shell) -> list[Any]:
    """Open tasks that only somebody outside can end."""
    return shell.db.execute(
        "SELECT execution_id, tasks.id FROM tasks JOIN executions ON executions.id = execution_id "
        "WHERE tasks.status = 'IN_PROGRESS' AND executions.status = 'RUNNING' AND pending = 0 AND "
        "(kind IN ('HUMAN', 'EVENT') OR (kind = 'HTTP' AND json_extract(tasks.input, "
        "'$.http_request.body') = '${task.callbackUrl}'))"
    ).fetchall()

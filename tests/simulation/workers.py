"""Workers of a simulated executor: real streams and polls, and what workers say over them.

Which of them has what is asked of the store: a worker is another process, and outlives a crash.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from podium.worker.v1 import worker_pb2 as pb
from services.access import application_principal
from services.errors import ServiceError
from services.executor.actors import Told
from services.executor.core.attempts import OWN_TURN
from services.executor.core.events import LetGo, Taken
from services.executor.core.identity import fraction
from services.executor.core.turns import domain_of, kind_of, queue_of
from services.executor.effects.callbacks import CallbackTokens
from services.executor.handingoff import HandingOff
from services.executor.workers.handing import result_event
from services.executor.workers.polled import polled
from services.executor.workers.session import WorkSession
from services.executor.workers.working import Working
from services.replica import Replica
from services.sealing import Sealer
from tests.simulation.shell import Shell
from tests.simulation.wider import WORKED

_KEY = b"a key of more than thirty-two bytes, as it is"

STREAM = "streaming"
_CALLER = application_principal("admin")
_ENDS = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR")
_SAID = ("COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED", "FAILED", "FAILED",
         "FAILED_WITH_TERMINAL_ERROR", "back now", "back later", "still at it",
         "lets go")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lent:
    """A task that a worker has, as its row says.

    Attributes:
        lines: How many lines are in its log: every word adds one.
    """

    execution_id: str
    task_id: str
    queue: str
    name: str
    status: str
    worker_id: str
    polls: int
    lines: int

    @property
    def turn(self) -> str:
        """Names what is next said of it."""
        return f"{self.task_id} {self.polls} {self.lines}"


def streamed(seed: int) -> dict[str, int]:
    """The queues that the stream is open for, with how many hands; all others are polled."""
    queues = [queue_of(domain, kind) for kind in WORKED for domain in ("", "fast")]
    return {
        queue: 1 + (fraction(seed, "hands", queue) < 0.4)
        for queue in queues
        if fraction(seed, "streamed", queue) < 0.5
    }


class Workers:
    """All of them.

    Args:
        loop: Runs what is asked by polls.
        slots: The queues that the stream is open for, and with how many hands.
    """

    def __init__(
        self,
        shell: Shell,
        seed: int,
        replica: Replica,
        loop: asyncio.AbstractEventLoop,
        slots: Mapping[str, int],
    ) -> None:
        self._shell = shell
        self._seed = seed
        self._replica = replica
        self._loop = loop
        self.slots = slots
        self.session: WorkSession | None = None
        # What the worker on the stream is at, with the queue of each, as it knows.
        self._at_work: dict[str, str] = {}
        self.connect()

    def connect(self, *, empty_handed: bool = False) -> None:
        """The stream is opened, if there is to be one; with what the worker has.

        Args:
            empty_handed: It is a new process, which has nothing and says so.
        """
        # No task here names a secret, and none is called back.
        handing_off = HandingOff(self._replica, Sealer(_KEY), CallbackTokens(_KEY), "")
        runtime: Any = SimpleNamespace(engine=self._shell, handing_off=handing_off)
        self._working = Working(runtime, self._replica)
        self.session = None
        if not self.slots:
            return
        self.session = WorkSession(self._working, _CALLER)
        if empty_handed:
            self._at_work = {}
        else:
            self._at_work |= {
                each.task_id: each.queue for each in lent(self._shell) if each.worker_id == STREAM
            }
        offers = [self._offer(queue) for queue in self.slots]
        self.session.greet(pb.Hello(worker_id=STREAM, offers=offers, exclusive=True))
        self.session.begin(self._at_work)
        self.listen()

    def _offer(self, queue: str) -> pb.Offer:
        at_work = [task_id for task_id, each in self._at_work.items() if each == queue]
        return pb.Offer(task_type=kind_of(queue), domain=domain_of(queue),
                        slots=self.slots[queue], at_work=at_work)  # fmt: skip

    def disconnect(self) -> None:
        """The stream breaks; what its worker has stays with it."""
        if self.session is not None:
            self.session.end()
            self.session = None

    def listen(self) -> None:
        """The worker on the stream hears of what it has no more, and lets go of that."""
        while self.session is not None:
            message = self.session.next_message()
            for task in message.tasks:
                self._at_work[task.task_id] = queue_of(task.domain, task.task_type)
            if not message.ended:
                return
            for task_id in message.ended:
                self._at_work.pop(task_id, None)
            _driven(self.session.take(pb.WorkRequest(let_go=message.ended)))

    def nod(self) -> None:
        """The worker on the stream says that it is there, and nothing else."""
        if self.session is not None:
            _driven(self.session.take(pb.WorkRequest()))

    def idle(self) -> dict[str, int]:
        """The free hands on the stream, by queue."""
        if self.session is None:
            return {}
        busy = [each.queue for each in lent(self._shell) if each.worker_id == STREAM]
        free = {queue: slots - busy.count(queue) for queue, slots in self.slots.items()}
        return {queue: hands for queue, hands in free.items() if hands > 0}

    def poll(self, queue: str) -> None:
        """Somebody asks for a task of a queue."""
        self._loop.run_until_complete(self._polled(queue))

    async def _polled(self, queue: str) -> None:
        asking = asyncio.ensure_future(polled(self._working, f"polls {queue}", queue, 1, 0))
        await asyncio.sleep(0)
        self._arrive(Taken)
        await asking

    def _arrive(self, kind: type) -> None:
        """What is about tasks and workers only need not wait for others' letters."""
        for execution_id, letter in self._shell.post.of(kind):
            self._shell.arrives(execution_id, letter)

    def speak(self, task: Lent) -> None:
        """The worker says of a task what it has to say."""
        said = _SAID[int(fraction(self._seed, "said", task.turn) * len(_SAID) * 0.999)]
        if task.polls >= 3 or task.lines >= 2:
            said = "COMPLETED"
        if said == "lets go":
            self._lets_go(task)
        elif said == "still at it":
            word = pb.TaskWord(execution_id=task.execution_id, task_id=task.task_id,
                               output='{"progress": 0.5}', logs=["still at it"])  # fmt: skip
            self._hear(task, pb.WorkRequest(words=[word]))
        else:
            self._hear(task, pb.WorkRequest(results=[_result(task, said)]))

    def _lets_go(self, task: Lent) -> None:
        if task.worker_id == STREAM and self.session is not None:
            self._at_work.pop(task.task_id, None)
            _driven(self.session.take(pb.WorkRequest(let_go=[task.task_id])))
            self._arrive(LetGo)
            return
        self._shell.tell(task.execution_id, LetGo(task.task_id, task.worker_id))

    def _hear(self, task: Lent, request: pb.WorkRequest) -> None:
        if task.worker_id == STREAM and self.session is not None:
            for result in request.results:
                self._at_work.pop(result.task_id, None)
            _driven(self.session.take(request))
            self.listen()
            return
        for result in request.results:
            self.say(result, task.worker_id)
        for word in request.words:
            said = pb.TaskResult(execution_id=word.execution_id, task_id=word.task_id,
                                 status=pb.RESULT_STATUS_IN_PROGRESS, logs=word.logs)  # fmt: skip
            self.say(said, task.worker_id)

    def say(self, result: pb.TaskResult, worker_id: str) -> Told | ServiceError | None:
        """Something is said by a call, by whomever; what came of it, if it is known by then."""
        heard: list[Told | ServiceError] = []
        make: Callable[..., Any] = partial(result_event, result, worker_id)
        output = json.loads(result.output) if result.output else None
        self._working.tell(_CALLER, result.execution_id, result.task_id, output, make, heard.append)
        return heard[0] if heard else None

    def ends(self, task: Lent) -> None:
        """The worker has done it."""
        self._hear(task, pb.WorkRequest(results=[_result(task, "COMPLETED")]))

    def babble(self, luck: Random) -> None:
        """Somebody answers twice, too late, or for what is not theirs: nothing is stored."""
        tasks = [*lent(self._shell, ended=True)]
        if not tasks:
            return
        task = luck.choice(tasks)
        theirs = task.status != "IN_PROGRESS" and luck.random() < 0.7
        result = _result(task, luck.choice((*_ENDS, "back now", "back later")))
        commits = self._shell.commits
        self.say(result, task.worker_id if theirs else "thief")
        assert self._shell.commits == commits, f"{result} was none of theirs: {task}"


def lent(shell: Shell, *, ended: bool = False) -> Iterable[Lent]:
    """The tasks that workers have; with ``ended`` those that they had, or gave back, too."""
    which = "poll_count > 0" if ended else "status = 'IN_PROGRESS' AND ended_at IS NULL"
    rows = shell.db.execute(
        "SELECT execution_id, id, queue, name, status, worker_id, poll_count, "
        "coalesce(json_extract(memory, '$.logged'), 0) FROM tasks "
        f"WHERE queue != '' AND substr(queue, 1, 1) != ? AND {which} ORDER BY id",
        (OWN_TURN,),
    )
    return [Lent(*row) for row in rows.fetchall()]


def _result(task: Lent, said: str) -> pb.TaskResult:
    status = said if said in _ENDS else "IN_PROGRESS"
    result = pb.TaskResult(
        execution_id=task.execution_id,
        task_id=task.task_id,
        status=pb.ResultStatus.Value(f"RESULT_STATUS_{status}"),
        output=json.dumps({"n": 1, "result": task.polls}),
        reason="" if said == "COMPLETED" else f"It says {said}.",
        logs=[f"{said} at {task.polls}"],
    )
    if said == "back later":
        result.callback_after.FromSeconds(5)
    return result


def _driven(coroutine: Coroutine[Any, Any, None]) -> None:
    """What is short is done without waiting for anything."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError(f"{cast('Any', coroutine)} waits for something")

"""Executions that others have started: an end is told to the parent, an operator's word to both.

What is told is not stored: after a crash it follows from how parent and child stand
(:meth:`Kin.recover`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.errors import Conflict, NotFound, ServiceError
from services.executor.actors import Letter, Told
from services.executor.core.commands import TellExecution
from services.executor.core.events import ChildEnded, ChildReopened, Event, Retried, Terminated
from services.executor.core.model import Execution, ExecutionStatus
from services.executor.kinship import Unheard, run_of
from services.executor.unfolding import Unfolded

Send = Callable[[str, Letter], None]


class Kin:
    """Tells parents and children of each other.

    Args:
        send: Delivers a letter that nobody waits for.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        # By execution, the tasks that wait for it without having started it; after a start of the
        # executor those that are stored as such.
        self._followers: dict[str, set[tuple[str, str]]] = {}

    def committed(self, event: Event | None, unfolded: Unfolded) -> None:
        """Tell what follows from a commit."""
        for tell in unfolded.tells:
            task = unfolded.changed.get(tell.task_id)
            # What it was retried for may have ended again in the same unit.
            if not isinstance(tell.event, Retried) or (task and not task.status.final):
                self._tell_child(unfolded.execution.id, tell)
        before, after = unfolded.before, unfolded.execution
        for follow in unfolded.follows:
            self._follow(follow.id, after.id, follow.task_id)
        if self._followers and after.status.final:
            self._tell_followers(after)
        if isinstance(event, ChildReopened) and before.status.final and not after.status.final:
            self._ask_child(unfolded, event.task_id)
        if not after.parent_id:
            return
        # A start that ends at once was RUNNING before; what runs again may end again at once.
        again = before.status.final and (not after.status.final or run_of(before) != run_of(after))
        if again and not (isinstance(event, Retried) and event.by_parent):
            self._send(after.parent_id, Letter(ChildReopened(after.parent_task_id)))
        if after.status.final and (again or not before.status.final):
            self._tell_parent(after)

    def recover(self, unheard: Unheard) -> None:
        """Say again what a crash may have kept from being heard."""
        for child_id, parent_id, task_id in unheard.followed:
            self._follow(child_id, parent_id, task_id)
        for child_id in unheard.ended:
            self._send(child_id, Letter(None, heard=self._as_it_stands))
        for child_id, parent_id, task_id, word in unheard.retried:
            again = Retried(resume=True, by_parent=True, word=word)
            self._tell_child(parent_id, TellExecution(child_id, again, task_id))
        for child_id, parent_id, task_id in unheard.again:
            self._send(parent_id, Letter(ChildReopened(task_id)))
            self._send(child_id, Letter(None, heard=self._as_it_stands))
        for orphan in unheard.orphans:
            if orphan.reopened:
                self._send(orphan.parent_id, Letter(ChildReopened(orphan.parent_task_id)))
            else:
                said = f"Parent workflow has been terminated with reason: {orphan.reason}"
                self._send(orphan.id, Letter(Terminated(said, by_parent=True)))

    def _ask_child(self, unfolded: Unfolded, task_id: str) -> None:
        """How what runs again stands: it may have ended before its parent heard of it."""
        task = unfolded.changed.get(task_id)
        output = task.output if task is not None else None
        child_id = output.get("subWorkflowId") if isinstance(output, dict) else None
        if isinstance(child_id, str):
            self._send(child_id, Letter(None, heard=self._as_it_stands))

    def _follow(self, child_id: str, parent_id: str, task_id: str) -> None:
        """A task waits for an execution that is not of its making."""
        self._followers.setdefault(child_id, set()).add((parent_id, task_id))

        def stands(told: Told | ServiceError) -> None:
            if isinstance(told, Told) and told.after.status.final:
                self._tell_followers(told.after)
            elif isinstance(told, NotFound):
                self._followers.pop(child_id, None)
                gone = ChildEnded(task_id, child_id, ExecutionStatus.FAILED, None, told.detail)
                self._send(parent_id, Letter(gone))

        self._send(child_id, Letter(None, heard=stands))

    def _tell_followers(self, ended: Execution) -> None:
        for parent_id, task_id in self._followers.pop(ended.id, ()):
            self._send(parent_id, Letter(replace(_ended(ended), task_id=task_id)))

    def _tell_parent(self, child: Execution) -> None:
        self._send(child.parent_id, Letter(_ended(child)))

    def _as_it_stands(self, told: Told | ServiceError) -> None:
        if isinstance(told, Told) and told.after.status.final:
            self._tell_parent(told.after)

    def _tell_child(self, parent_id: str, tell: TellExecution) -> None:
        if not isinstance(tell.event, Retried):
            self._send(tell.id, Letter(tell.event))
            return

        def answered(told: Told | ServiceError) -> None:
            if isinstance(told, Conflict):
                # It has completed, say: the parent hears how it stands.
                self._send(tell.id, Letter(None, heard=self._as_it_stands))
            elif isinstance(told, NotFound):
                gone = ChildEnded(tell.task_id, tell.id, ExecutionStatus.FAILED, None, told.detail)
                self._send(parent_id, Letter(gone))

        self._send(tell.id, Letter(tell.event, heard=answered))


def _ended(child: Execution) -> ChildEnded:
    workflow = child.workflow
    named = f"{workflow.name}.{workflow.version}/{child.id}.{child.status}"
    task_id, run = child.parent_task_id, run_of(child)
    return ChildEnded(task_id, named, child.status, child.output, child.reason, run)

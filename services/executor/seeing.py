"""Which executions a caller may see, and act on: those whose workflow it may READ, or EXECUTE.

An execution is its workflow's, by name; a grant by tag is by the tags that the workflow has now.
Who may neither READ nor EXECUTE the workflow is told what is told of an id that nobody has.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from services.access import Principal, Sight, current
from services.errors import NotFound, PermissionDenied
from services.executor.readers import Readers
from services.query import NOTHING, And, Pattern, Query, Term, conjoined, matcher
from services.query.executions import EXECUTIONS
from services.replica import Sights

WORKFLOW, READ, EXECUTE = "workflow", "READ", "EXECUTE"
_FIELD = "wf"
# Of sights, each of which may be of thousands of names.
_MOST_KNOWN = 64
# No name depends on it.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def not_there(execution_id: str) -> NotFound:
    """What is said of an execution that is not there, or that the caller knows nothing of."""
    return NotFound(f"There is no execution {execution_id!r}.", execution_id=execution_id)


def in_sight(query: Query, sight: Sight) -> Query:
    """``query``, of executions or of their tasks, among those whose workflow is in sight.

    What it asks of the workflow itself is answered at once: the names that are left are one term.
    """
    if sight.names is None:
        return query
    parts = query.parts if isinstance(query, And) else (query,)
    asked = tuple(each for each in parts if isinstance(each, Term) and each.name == _FIELD)
    term = _among(sight.names, asked)
    if term is None:
        return NOTHING
    return conjoined((term, *(each for each in parts if each not in asked)))


# All who follow lists ask at once when the rights of their application have changed.
@lru_cache(_MOST_KNOWN)
def _among(names: frozenset[str], asked: tuple[Term, ...]) -> Term | None:
    """One of ``names``, of which ``asked`` holds; None: there is none."""
    is_asked_for = matcher(And(asked), EXECUTIONS, {_FIELD: _itself}, _ANY_TIME)
    found = sorted(filter(is_asked_for, names))
    return Term(_FIELD, "=", tuple(Pattern((name,)) for name in found)) if found else None


@lru_cache(_MOST_KNOWN)
def digest_of(names: frozenset[str]) -> str:
    """The same for the same names, and no others."""
    return sha256(json.dumps(sorted(names)).encode()).hexdigest()[:16]


def _itself(name: str) -> str:
    return name


class Looking:
    """What one caller may READ, at each moment."""

    def __init__(self, sights: Sights, principal: Principal) -> None:
        self._sights = sights
        self._principal = principal

    def now(self) -> Sight:
        """Those workflows. Raises :class:`PermissionDenied` where there could be none."""
        return self._sights.of(self._principal, READ, WORKFLOW)

    def telling(self, told: Callable[[], None]) -> AbstractContextManager[None]:
        """Have ``told`` called when they may be others, while inside."""
        return self._sights.telling(told)


class Seeing:
    """The rights of whoever makes the call that is being served."""

    def __init__(self, sights: Sights, readers: Readers) -> None:
        self.sights = sights
        self._readers = readers

    def sight(self, access: str = READ) -> Sight:
        """The workflows that the caller has ``access`` to.

        Raises:
            PermissionDenied: There could be none.
        """
        return self.sights.of(current.get(), access, WORKFLOW)

    def looking(self) -> Looking:
        """What the caller may READ, for as long as it looks."""
        return Looking(self.sights, current.get())

    def may_start(self, principal: Principal, workflow: str, version: int) -> bool:
        """Whether the caller may start that version, by its own tags, and so hear what comes of it.

        Whoever began it waits on after its stream broke.
        """
        return self.sights.may(principal, EXECUTE, WORKFLOW, workflow, version)

    def check(self, principal: Principal, access: str, execution_id: str, workflow: str) -> None:
        """Refuse ``principal`` unless it has ``access`` to the workflow of an execution.

        Raises:
            PermissionDenied: It may see or use the execution, but not so.
            NotFound: It may know nothing of it.
        """
        may = self.sights.may
        if may(principal, access, WORKFLOW, workflow):
            return
        self.sights.of(principal, access, WORKFLOW)
        if not may(principal, EXECUTE if access == READ else READ, WORKFLOW, workflow):
            unseen = not_there(execution_id)
            unseen.hidden = True
            raise unseen
        # Of the workflow it says nothing: the id may come from anywhere.
        raise PermissionDenied(
            f"The application {principal.application_id!r} has no {access} on the workflow of "
            "this execution.",
            application=principal.application_id,
            access=access,
        )

    async def check_one(self, access: str, execution_id: str, *roles: str) -> str:
        """Refuse the caller as :meth:`check` does; one with one of ``roles`` may.

        Returns:
            The workflow; empty where nothing depends on it.

        Raises:
            NotFound: There is no such execution, perhaps; whom nothing is hidden from hears that
                from whatever he asked for.
        """
        principal = current.get()
        if self.sights.of(principal, access, WORKFLOW, *roles).whole:
            return ""
        workflow = await self._readers.read(_workflow_of, execution_id)
        if workflow is None:
            raise not_there(execution_id)
        self.check(principal, access, execution_id, workflow)
        return workflow


def _workflow_of(db: sqlite3.Connection, execution_id: str) -> str | None:
    row = db.execute("SELECT workflow FROM executions WHERE id = ?", (execution_id,)).fetchone()
    return None if row is None else str(row[0])

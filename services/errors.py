"""What can go wrong, named once.

Every failure that crosses a service's boundary is one of these. Each names the gRPC
status it travels as and the HTTP status the edge answers with:

    ServiceError                 INTERNAL             500
    ├── InvalidDefinition        INVALID_ARGUMENT     400   every fault with its path
    ├── InvalidRequest           INVALID_ARGUMENT     400
    ├── NotFound                 NOT_FOUND            404
    ├── AlreadyExists            ALREADY_EXISTS       409
    ├── Conflict                 FAILED_PRECONDITION  409   not in this state
    ├── KeyReused                FAILED_PRECONDITION  422   an idempotency key, with other content
    ├── Stale                    ABORTED              409   somebody else wrote first
    ├── Unauthenticated          UNAUTHENTICATED      401
    ├── PermissionDenied         PERMISSION_DENIED    403
    ├── RateLimited              RESOURCE_EXHAUSTED   429
    ├── ConcurrencyLimited       RESOURCE_EXHAUSTED   429   as many run at once as may
    ├── Overloaded               RESOURCE_EXHAUSTED   503   admission said no
    ├── TooLarge                 OUT_OF_RANGE         413
    ├── DeadlineExceeded         DEADLINE_EXCEEDED    503   a service took too long
    └── Unavailable              UNAVAILABLE          503
        └── Unwritable           UNAVAILABLE          503   disk full, database locked …
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

import grpc

# How a detail offers a known word for one that nobody knows, at its end.
MEANT = "; did you mean '{}'?"
_MEANT = re.compile(re.escape(MEANT).replace(r"\{\}", "(.*)") + r"\Z", re.DOTALL)
# How a detail says a line of the text that it is about: what cannot be read begins with it, what is
# wrong with a script ends with it.
_LINE = re.compile(r"\A(?:cannot be read: )?line ([0-9]{1,9}): |\(line ([0-9]{1,9})\)\Z")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document.

    Attributes:
        path: Where, as its author would write it: ``tasks[2].inputParameters.uri``; empty for
            the whole document.
        detail: What, and the way out: ``is required``.
    """

    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}" if self.path else self.detail

    @property
    def meant(self) -> str:
        """The word that the detail offers for one that nobody knows; empty: it offers none."""
        found = _MEANT.search(self.detail)
        return found[1] if found else ""

    @property
    def line(self) -> int:
        """The line within the text at the path, such as a script, from 1; 0: nobody knows."""
        found = _LINE.search(self.detail)
        return int(found[1] or found[2]) if found else 0


class ServiceError(Exception):
    """A failure with a name the caller can act on.

    Attributes:
        detail: One sentence for a person; it never holds a secret.
        metadata: Facts for a program, e.g. ``{"workflow": "greet"}``.
        faults: Every fault of a document that was refused; empty otherwise.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, faults: Sequence[Fault] = (), **metadata: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.metadata = metadata
        self.faults = tuple(faults)

    @classmethod
    def reason(cls) -> str:
        """The name on the wire: ``NotFound`` → ``NOT_FOUND``."""
        return "".join(f"_{c}" if c.isupper() else c for c in cls.__name__).lstrip("_").upper()


class InvalidDefinition(ServiceError):
    """The document can never work; :attr:`faults` lists all that is wrong with it."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    status = HTTPStatus.BAD_REQUEST


class InvalidRequest(ServiceError):
    """The caller asked for something that makes no sense."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    status = HTTPStatus.BAD_REQUEST


class NotFound(ServiceError):
    """There is nothing by that name.

    Attributes:
        hidden: There is, of which the caller may know nothing: for the audit log, told to nobody.
    """

    code = grpc.StatusCode.NOT_FOUND
    status = HTTPStatus.NOT_FOUND
    hidden = False


class AlreadyExists(ServiceError):
    """Something by that name is there already."""

    code = grpc.StatusCode.ALREADY_EXISTS
    status = HTTPStatus.CONFLICT


class Conflict(ServiceError):
    """It cannot be done to the thing in the state it is in."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    status = HTTPStatus.CONFLICT


class KeyReused(ServiceError):
    """The idempotency key came with another request before."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Stale(ServiceError):
    """Somebody else changed it since the caller read it."""

    code = grpc.StatusCode.ABORTED
    status = HTTPStatus.CONFLICT


class Unauthenticated(ServiceError):
    """No token or key, or one that does not hold."""

    code = grpc.StatusCode.UNAUTHENTICATED
    status = HTTPStatus.UNAUTHORIZED


class PermissionDenied(ServiceError):
    """The caller is known and may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED
    status = HTTPStatus.FORBIDDEN


class RateLimited(ServiceError):
    """Too many requests; ask again later."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    status = HTTPStatus.TOO_MANY_REQUESTS


class ConcurrencyLimited(ServiceError):
    """As many executions run at once as may; nothing was started."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    status = HTTPStatus.TOO_MANY_REQUESTS


class Overloaded(ServiceError):
    """The service takes no new work just now; what runs goes on."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    status = HTTPStatus.SERVICE_UNAVAILABLE


class TooLarge(ServiceError):
    """A document beyond its limit."""

    code = grpc.StatusCode.OUT_OF_RANGE
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class DeadlineExceeded(ServiceError):
    """It took longer than the caller gave it."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    # 504 says of an execution that it ran out of time; this one may be asked for again.
    status = HTTPStatus.SERVICE_UNAVAILABLE


class Unavailable(ServiceError):
    """The service, or one it needs, cannot answer now."""

    code = grpc.StatusCode.UNAVAILABLE
    status = HTTPStatus.SERVICE_UNAVAILABLE


class Unwritable(Unavailable):
    """The service's disk takes nothing now: nothing was begun, and what is stored is still there.

    To ask again at once is of no use.
    """


KINDS: tuple[type[ServiceError], ...] = (ServiceError, *ServiceError.__subclasses__(), Unwritable)
BY_REASON = {kind.reason(): kind for kind in KINDS}
BY_CODE = {kind.code: kind for kind in reversed(KINDS)}

"""A start as it is asked for, checked: who may, what it runs, on what input."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import cast

from podium.executor.v1 import executor_pb2 as pb
from services import tracing
from services.access import Principal, application_principal, require, tags_of
from services.errors import (
    InvalidRequest,
    NotFound,
    ServiceError,
    TooLarge,
    Unavailable,
)
from services.executor.core.decide import start
from services.executor.core.masking import NOTHING
from services.executor.core.model import Execution, Json
from services.executor.core.turns import domains_of
from services.executor.core.webhooks import Webhook
from services.executor.defining import check_named, may_define
from services.executor.documents import LARGE_CHARS, text_of
from services.executor.orders import Order, Strategy, workflow_key
from services.executor.rows import Origin
from services.executor.runtime import Runtime
from services.executor.slots import Slot
from services.executor.snapshots import Snapshot
from services.executor.texts import short
from services.executor.timers import now
from services.ids import new_execution_id
from services.json_text import DocumentError, parse_json
from services.replica import Replica
from services.rights import EDGE
from services.tracing import Trace

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_INPUT_CHARS = 16 << 20
# 1e15, is stored as 1000000000000000.0,
_MOST_GROWTH = 4
_MOST_DEFINITION_CHARS = 1_000_000
_MOST_URL_CHARS = 2048
_MOST_PRIORITY = 99
_MOST_ALLOWED = 10_000
_MOST_KEY_BYTES = 32
_MOST_DOMAINS = 1_000
_PATIENCE = timedelta(seconds=1)


class Starting:
    """Turns what is asked for into orders."""

    def __init__(self, runtime: Runtime, replica: Replica) -> None:
        self._runtime = runtime
        self._replica = replica
        # (principal, workflow, version) that may be, as the definitions were at a place.
        self._allowed: set[tuple[str, str, int]] = set()
        self._allowed_at = replica.place

    def is_behind(self, request: pb.Start | pb.TestWorkflowRequest) -> bool:
        """Whether the definitions that the caller decided on are not here yet."""
        return request.min_revision > self._replica.revision

    def is_slow(self, request: pb.Start) -> bool:
        """Whether the start has to be :meth:`prepared` before it is ordered."""
        return self.is_behind(request) or len(request.input) >= LARGE_CHARS

    async def prepared(self, request: pb.Start) -> dict[str, Json] | None:
        """Wait up to a second for those definitions; the input where it takes long to read.

        Raises:
            Unavailable: They did not come.
            InvalidRequest, TooLarge: It is not to be read.
        """
        await self._catch_up(request)
        text = request.input
        return await asyncio.to_thread(_input, text) if len(text) >= LARGE_CHARS else None

    async def _catch_up(self, request: pb.Start | pb.TestWorkflowRequest) -> None:
        wanted = request.min_revision
        if self.is_behind(request) and not await self._replica.reached(wanted, _PATIENCE):
            raise Unavailable("The executor has not got the newest definitions yet; try again.")

    async def defined(self, request: pb.Start, caller: Principal) -> Snapshot:
        """What the definition that comes with ``request`` says.

        Raises:
            PermissionDenied: The caller may run what is put only.
            InvalidRequest, TooLarge: It cannot be run.
        """
        principal = speaking(caller, request.on_behalf_of)
        trusted = may_define(principal, self._replica, request.workflow_name)
        text = request.workflow_definition
        if len(text) > _MOST_DEFINITION_CHARS:
            raise TooLarge(f"The definition is longer than {_MOST_DEFINITION_CHARS} characters.")
        snapshot = await asyncio.to_thread(self._defined, text, request.workflow_name, trusted)
        if trusted:
            check_named(principal, self._replica, snapshot.workflow.document)
        return snapshot

    async def tested(self, request: pb.TestWorkflowRequest) -> Snapshot:
        """What a test runs. Raises as :meth:`prepared` and :meth:`defined`, and NotFound."""
        if request.workflow_version < 0:
            raise InvalidRequest("workflow_version must not be negative.")
        await self._catch_up(request)
        name, text = request.workflow_name, request.workflow_definition
        if not text:
            return self._snapshot(name, request.workflow_version)
        if len(text) > _MOST_DEFINITION_CHARS:
            raise TooLarge(f"The definition is longer than {_MOST_DEFINITION_CHARS} characters.")
        # Nothing goes out: it may name what it likes.
        return await asyncio.to_thread(self._defined, text, name, True)

    def _defined(self, text: str, name: str, trusted: bool) -> Snapshot:
        document = _object(text, "definition")
        if name and document.get("name") != name:
            raise InvalidRequest(f"The definition is not of the name {name!r}.")
        if document.get("tasks") in (None, []):
            # As the registry has it of what is put: an end without a beginning hides a mistake.
            raise InvalidRequest("The definition cannot be run: it has no tasks.")
        try:
            return self._runtime.snapshots.given(document, trusted=trusted)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise InvalidRequest(f"The definition cannot be run: {error}.") from error

    def order(
        self,
        request: pb.Start,
        caller: Principal,
        given: dict[str, Json] | None = None,
        defined: Snapshot | None = None,
    ) -> Order:
        """What ``request`` asks for.

        Args:
            given: Its input, if that is read already.
            defined: What it runs, if it brings that.

        Raises:
            ServiceError: It cannot be, or may not be; says why.
        """
        # Every read of a message's field makes a new object.
        execution_id, name = request.execution_id, request.workflow_name
        version, priority = request.workflow_version, request.priority
        principal = speaking(caller, request.on_behalf_of)
        self._check_start(principal, execution_id, name, version)
        _check(execution_id, version, priority)
        correlation_id = short(request.correlation_id, "correlation_id")
        origin = self._origin(request, caller, principal)
        snapshot = self._snapshot(name, version) if defined is None else defined
        if defined is None and request.workflow_definition:
            raise InvalidRequest("A session takes no workflow_definition.")
        execution = start(
            execution_id or new_execution_id(),
            snapshot.workflow,
            _input(request.input) if given is None else given,
            now(),
            correlation_id=correlation_id,
            priority=priority,
            task_to_domain=_domains(request) if request.task_to_domain else None,
        )
        if origin.trace is None and (trace := self._runtime.new_trace(execution.id)):
            origin = replace(origin, trace=trace)
        return self._ordered(request, caller, execution, origin, snapshot)

    def _ordered(
        self,
        request: pb.Start,
        caller: Principal,
        execution: Execution,
        origin: Origin,
        snapshot: Snapshot,
    ) -> Order:
        return Order(
            execution,
            origin,
            snapshot,
            key=_workflow_key(request) or _key(request, caller),
            refs=tuple(request.await_refs),
            slot=_slot(request) if origin.slot else None,
            again=request.again,
            size=len(request.input),
            strategy=_strategy(request) if request.workflow_key else None,
        )

    def _check_start(
        self, principal: Principal, execution_id: str, name: str, version: int
    ) -> None:
        """Whether there is room for one, where it is not known yet, and who may start it."""
        if execution_id and self._runtime.engine.is_known(execution_id):
            self._check_right(principal, name, version)
            return
        self._runtime.check_open()
        self._check_right(principal, name, version)
        self._runtime.gate.check_scripts(name)

    def _origin(self, request: pb.Start, caller: Principal, principal: Principal) -> Origin:
        origin = _origin(request, caller, principal)
        if caller.name != EDGE or not request.HasField("completion_webhook"):
            return origin
        webhook = _webhook(request.completion_webhook, self._runtime.public_url)
        return replace(origin, webhook=webhook)

    def latest(self, name: str, masked: frozenset[str] = NOTHING) -> Snapshot:
        """The workflow's newest version, with ``masked`` masked. Raises :class:`NotFound`."""
        return self._runtime.snapshots.masking(self._snapshot(name, 0), masked)

    def _check_right(self, principal: Principal, name: str, version: int) -> None:
        place, asked = self._replica.place, (principal.name, name, version)
        if place is not self._allowed_at or len(self._allowed) >= _MOST_ALLOWED:
            self._allowed.clear()
            self._allowed_at = place
        if asked in self._allowed:
            return
        # Not by the snapshot: who may not start a workflow is not told whether there is one.
        stored = self._replica.get("workflow", name, version)
        tags = tags_of(stored.document) if stored else frozenset[str]()
        require(principal, self._replica, "EXECUTE", "workflow", name, tags)
        self._allowed.add(asked)

    def _snapshot(self, name: str, version: int) -> Snapshot:
        try:
            snapshot = self._runtime.snapshots.of(name, version)
        except ValueError as error:
            # The registry is newer than this executor, or its document was changed by hand.
            raise ServiceError(f"The workflow {name!r} cannot be read: {error}.") from error
        if snapshot is None:
            what = (
                f"version {version} of the workflow {name!r}" if version else f"workflow {name!r}"
            )
            raise NotFound(f"There is no {what}.", workflow=name)
        return snapshot


def _check(execution_id: str, version: int, priority: int) -> None:
    if execution_id and not _UUID.fullmatch(execution_id):
        raise InvalidRequest("execution_id must be a UUID, in lower case with hyphens.")
    if not 0 <= priority <= _MOST_PRIORITY:
        raise InvalidRequest(f"priority must be from 0 to {_MOST_PRIORITY}.")
    if version < 0:
        raise InvalidRequest("workflow_version must not be negative.")


def _domains(request: pb.Start) -> dict[str, str]:
    given = dict(request.task_to_domain)
    if len(given) > _MOST_DOMAINS:
        raise InvalidRequest(f"task_to_domain holds more than {_MOST_DOMAINS:,} entries.")
    for kind, domains in given.items():
        short(kind, "A type in task_to_domain")
        short(domains, f"task_to_domain of {kind!r}")
    if domains_of(cast("Json", given)) != given:
        raise InvalidRequest("A domain in task_to_domain must hold neither ':' nor '='.")
    return given


def speaking(caller: Principal, on_behalf_of: str) -> Principal:
    """Whose right counts: the edge's word for an application is taken, others speak for themselves.

    Raises:
        InvalidRequest: Somebody else would speak for an application.
    """
    if not on_behalf_of or caller.application_id == on_behalf_of.removeprefix("application:"):
        return caller
    if caller.name != EDGE:
        raise InvalidRequest(f"Only the edge may ask on behalf of somebody, not {caller.name}.")
    return _application(on_behalf_of.removeprefix("application:"))


_application = lru_cache(1024)(application_principal)


def _origin(request: pb.Start, caller: Principal, principal: Principal) -> Origin:
    edge = caller.name == EDGE
    named = short(request.principal, "principal")
    return Origin(
        started_by=(named if edge else "") or principal.name,
        fingerprint=request.fingerprint if edge else _fingerprint(caller, request.fingerprint),
        answer=request.answer if edge else "",
        slot=request.slot.key if edge and request.HasField("slot") else b"",
        request_id=short(request.request_id, "request_id"),
        trace=_trace(request),
    )


def _trace(request: pb.Start) -> Trace | None:
    """What the start says of its trace; else what the call that brought it says."""
    parent = short(request.traceparent, "traceparent")
    state = short(request.tracestate, "tracestate")
    return tracing.read(parent, state) if parent else tracing.current.get()


def _webhook(asked: pb.CompletionWebhook, absolute: Callable[[str], str]) -> Webhook:
    return Webhook(
        url=short(asked.url, "completion_webhook.url", _MOST_URL_CHARS),
        secret_name=short(asked.secret_name, "completion_webhook.secret_name"),
        location=absolute(short(asked.location, "completion_webhook.location")),
        with_output=asked.with_output,
        exposed=asked.exposed,
    )


def _fingerprint(caller: Principal, given: bytes) -> bytes:
    """One that no other caller can give; the edge's, of 32 bytes, are always shorter.

    Empty where nothing says that a start is the same one again.
    """
    if not given:
        return b""
    return f"{caller.name} ".encode() + sha256(given).digest()


def _key(request: pb.Start, caller: Principal) -> bytes:
    """One that no other caller can give, as :func:`_fingerprint` has it."""
    given = request.idempotency_key
    if not given:
        return b""
    if len(given) > _MOST_KEY_BYTES:
        raise InvalidRequest(f"idempotency_key is longer than {_MOST_KEY_BYTES} bytes.")
    if not request.fingerprint:
        raise InvalidRequest("A start with an idempotency_key must have a fingerprint.")
    return given if caller.name == EDGE else _fingerprint(caller, given)


def _workflow_key(request: pb.Start) -> bytes:
    """One that all starts of the workflow share, and that none other can give."""
    if not request.workflow_key:
        return b""
    if request.idempotency_key:
        raise InvalidRequest("A start has either a workflow_key or an idempotency_key.")
    return workflow_key(request.workflow_name, short(request.workflow_key, "workflow_key"))


def _strategy(request: pb.Start) -> Strategy:
    try:
        name = pb.IdempotencyStrategy.Name(request.idempotency_strategy)
    except ValueError:
        raise InvalidRequest("idempotency_strategy is none that there is.") from None
    name = name.removeprefix("IDEMPOTENCY_STRATEGY_")
    return Strategy.FAIL if name == "UNSPECIFIED" else Strategy(name)


def _slot(request: pb.Start) -> Slot:
    slot = Slot(request.slot.key, request.slot.limit, request.slot.most_waiting)
    if len(slot.key) > _MOST_KEY_BYTES:
        raise InvalidRequest(f"The key of the slot is longer than {_MOST_KEY_BYTES} bytes.")
    if slot.limit < 1 or slot.most_waiting < 0:
        raise InvalidRequest("A slot's limit must be 1 or more, most_waiting 0 or more.")
    return slot


def _input(text: str) -> dict[str, Json]:
    return _object(text, "input")


def _object(text: str, name: str) -> dict[str, Json]:
    if len(text) > _MOST_INPUT_CHARS:
        raise TooLarge(f"The {name} is longer than {_MOST_INPUT_CHARS} characters.")
    if not text:
        return {}
    try:
        value = parse_json(text)
    except DocumentError as error:
        raise InvalidRequest(f"The {name} cannot be taken: {error}.") from error
    if not isinstance(value, dict):
        raise InvalidRequest(f"The {name} must be a JSON object.")
    if len(text) * _MOST_GROWTH > _MOST_INPUT_CHARS and len(text_of(value)) > _MOST_INPUT_CHARS:
        raise TooLarge(
            f"The {name} is longer than {_MOST_INPUT_CHARS} characters once its numbers are "
            "written out."
        )
    return value

"""A workflow definition, indexed once: every step by its ref, with what comes after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import cast

from services.executor.core import masking, schemas
from services.executor.core.caching import CACHE, Cache
from services.executor.core.expressions import (
    Resolve,
    Template,
    compiled,
    handed_over,
    resolving,
)
from services.executor.core.isolation import SHARED, Isolation, isolation_of, metadata_of
from services.executor.core.model import Json
from services.executor.core.policy import Policy, bounded

Document = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Step:
    """A task as the definition has it.

    Attributes:
        document: As the user wrote it.
        input: Its input, with the task definition's ``inputTemplate``: constant, unless there is
            a ``template``.
        fallback: By key of the input, what takes its place where that resolves to null.
        next: The ref of the step after it in its block; empty: it is the last.
        previous: The ref of the step before it in its block; empty: it is the first.
        parent: The ref of the step in whose block it stands; empty: at the top.
        blocks: The ref of the first step of each of its blocks, empty for an empty block; named
            ``decisionCases.<case>``, ``defaultCase``, ``forkTasks.<index>``, ``loopOver``.
        spawned: It was made by a task, which gave it its input; that wins over its own.
        trusted: Callers have no say in it: it may name secrets and the environment, and have
            another workflow name them.
        body: Of a loop: the refs of all steps in it, but for those of loops within it.
        joined_by: The refs of the steps whose ``joinOn`` names it.
        defined: There is a task definition of its name.
        input_schema, output_schema: JSON text of what its input and output are held against.
        cache: How its output is kept; None: it is not.
        masked: The keys whose values its definition masks.
        isolation: Whose workers have it.
        metadata: The names whose values its workers are given beside its input.
    """

    ref: str
    kind: str
    name: str
    document: Document
    input: dict[str, Json]
    template: Template | None
    fallback: Mapping[str, Resolve]
    policy: Policy
    next: str = ""
    previous: str = ""
    parent: str = ""
    blocks: Mapping[str, str] = field(default_factory=dict)
    spawned: bool = False
    trusted: bool = True
    body: tuple[str, ...] = ()
    joined_by: tuple[str, ...] = ()
    start_delay: timedelta = timedelta()
    optional: bool = False
    permissive: bool = False
    defined: bool = False
    input_schema: str = ""
    output_schema: str = ""
    cache: Cache | None = None
    masked: frozenset[str] = masking.NOTHING
    isolation: Isolation = SHARED
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many executions of a workflow run side by side.

    Attributes:
        key: With ``${workflow…}``: those for which it comes to the same are counted together.
        rejects: One more is refused; else it waits.
    """

    key: Json
    at_once: int
    rejects: bool

    @classmethod
    def of(cls, document: Document) -> RateLimit | None:
        """The limit of a workflow; None: it has none."""
        config = _object(document, "rateLimitConfig")
        at_once = _whole(config, "concurrentExecLimit", 0)
        if at_once < 1:
            return None
        return cls(config.get("rateLimitKey"), at_once, config.get("policy") == "REJECT")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A definition with its task definitions, as an execution keeps it.

    Attributes:
        snapshot: What it was made of.
        first: The ref of its first step; empty: it has none.
        timeout: Of the whole; None: there is none.
        output: Its ``outputParameters``, constant unless there is an ``output_template``.
        input_schema, output_schema: JSON text of what its input and output are held against.
        masked: The keys whose values are masked, by it or by what it runs.
        environment: What ``${workflow.env}`` is.
    """

    name: str
    version: int
    snapshot: Mapping[str, Json]
    document: Document
    steps: Mapping[str, Step]
    first: str
    timeout: timedelta | None
    restartable: bool
    input_template: Mapping[str, Json]
    variables: Mapping[str, Json]
    output: dict[str, Json]
    output_template: Template | None
    failure_workflow: str
    failure_version: int
    rate_limit: RateLimit | None = None
    input_schema: str = ""
    output_schema: str = ""
    masked: frozenset[str] = masking.NOTHING
    environment: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def of(
        cls, snapshot: Mapping[str, Json], environment: Mapping[str, Json] | None = None
    ) -> Workflow:
        """Reads ``{"workflow": <document>, "tasks": {<name>: <task document>}}``.

        With ``"secrets": false`` it may name none, and has no environment: callers had a say in
        it. What it is held against stands under ``schemas``, what is masked under
        ``maskedFields``.

        Raises:
            ValueError: On what the registry would have refused.
        """
        document = _object(snapshot, "workflow")
        secrets = snapshot.get("secrets") is not False
        known, tasks = _object(snapshot, "schemas"), _object(snapshot, "tasks")
        indexing = _Indexing(tasks, _joins(document), secrets=secrets, schemas=known)
        first = indexing.block(_steps(document.get("tasks")), parent="")
        output = _object(document, "outputParameters")
        schema = partial(_schema_of, document, known, trusted=secrets)
        return cls(
            name=_text(document, "name"),
            version=_whole(document, "version", 1),
            snapshot=snapshot,
            document=document,
            steps=indexing.steps,
            first=first,
            timeout=_timeout(document),
            restartable=document.get("restartable") is not False,
            input_template=_object(document, "inputTemplate"),
            variables=_object(document, "variables"),
            output=output,
            output_template=compiled(output),
            failure_workflow=str(document.get("failureWorkflow") or ""),
            failure_version=_whole(document, "failureWorkflowVersion", 0),
            rate_limit=RateLimit.of(document),
            input_schema=schema(schemas.INPUT),
            output_schema=schema(schemas.OUTPUT),
            masked=masking.named(snapshot),
            environment=environment if environment and secrets else {},
        )


def indexed(
    documents: list[Document],
    tasks: Document,
    joins: Mapping[str, tuple[str, ...]],
    *,
    secrets: bool,
) -> dict[str, Step]:
    """The steps of tasks that follow each other, and of those within them, by ref.

    Args:
        tasks: Task definitions by name.
        joins: By ref, the refs of the steps elsewhere that join it.
        secrets: Whether they may name secrets: never where callers have a say in them.

    Raises:
        ValueError: On what the registry would have refused.
    """
    within = _joins({"tasks": cast("Json", documents)})
    both = {ref: (*within.get(ref, ()), *joins.get(ref, ())) for ref in (*within, *joins)}
    indexing = _Indexing(tasks, both, secrets=secrets)
    indexing.block(documents, parent="")
    return indexing.steps


def _policy(document: Document, definition: Document | None, kind: str) -> Policy:
    # Workers come and go: what they do is tried again, whether it is defined or not.
    return Policy.of(document, {} if definition is None and kind == "SIMPLE" else definition)


def _schema_of(document: Document, known: Document, field: str, *, trusted: bool) -> str:
    return schemas.text(document, field, known, enforced=True, trusted=trusted)


class _Indexing:
    def __init__(
        self,
        tasks: Document,
        joins: Mapping[str, tuple[str, ...]],
        *,
        secrets: bool,
        schemas: Document | None = None,
    ) -> None:
        self._schemas = schemas or {}
        self._secrets = secrets
        self._tasks = tasks
        self._joins = joins
        self.steps: dict[str, Step] = {}

    def block(self, documents: list[Document], parent: str) -> str:
        """Indexes the steps of a block; the ref of the first."""
        refs = ["", *(_text(document, "taskReferenceName") for document in documents), ""]
        for index, document in enumerate(documents):
            self._step(document, refs[index : index + 3], parent)
        return refs[1]

    def _step(self, document: Document, around: list[str], parent: str) -> None:
        previous, ref, following = around
        blocks = {name: self.block(steps, parent=ref) for name, steps in blocks_of(document)}
        if ref in self.steps:
            raise ValueError(f"taskReferenceName {ref!r} stands twice")
        name = _text(document, "name")
        embedded = document.get("taskDefinition")
        found = embedded or self._tasks.get(name)
        definition = found if isinstance(found, dict) else None
        # As in Conductor: a task without a type is a worker's.
        kind = "SIMPLE" if document.get("type") is None else _text(document, "type")
        trusted = self._secrets or not embedded
        fallback = _object(definition or {}, "inputTemplate")
        inputs = filled(fallback, _object(document, "inputParameters"))
        handoff = self._handoff(inputs, fallback)
        self.steps[ref] = Step(
            ref=ref,
            kind=kind,
            name=name,
            document=document,
            input=inputs,
            template=compiled(inputs, handoff),
            fallback={key: resolving(value, handoff) for key, value in fallback.items()},
            policy=_policy(document, definition, kind),
            next=following,
            previous=previous,
            parent=parent,
            blocks=blocks,
            trusted=self._secrets,
            body=_body(document),
            joined_by=self._joins.get(ref, ()),
            start_delay=bounded(_whole(document, "startDelay", 0)),
            optional=document.get("optional") is True,
            permissive=document.get("permissive") is True,
            defined=definition is not None,
            input_schema=self._schema(definition, schemas.INPUT, trusted=trusted),
            output_schema=self._schema(definition, schemas.OUTPUT, trusted=trusted),
            # What comes of input must not leave outputs for others.
            cache=Cache.of(document) if self._secrets and CACHE in document else None,
            masked=masking.named(definition) if definition is not None else masking.NOTHING,
            isolation=isolation_of(definition) if definition is not None else SHARED,
            metadata=metadata_of(definition) if definition is not None and self._secrets else (),
        )

    def _handoff(self, inputs: Json, fallback: Json) -> frozenset[str]:
        # One of both: what stands in the one may come to stand beside what is in the other.
        named = handed_over(inputs) | handed_over(fallback)
        return named if self._secrets else frozenset()

    def _schema(self, definition: Document | None, field: str, *, trusted: bool) -> str:
        # Few have any: this runs for every step of what is read.
        if definition is None or field not in definition:
            return ""
        return schemas.text(definition, field, self._schemas, enforced=False, trusted=trusted)


def filled(template: Document, given: Document) -> dict[str, Json]:
    """``given``, with what ``template`` has for it where it has nothing, or null."""
    own = {key: value for key, value in given.items() if value is not None or key not in template}
    return {**template, **own}


_CHOICE = ("decisionCases", "defaultCase")
# Those of other types are without effect, whatever they hold.
_FIELDS_OF = {
    "SWITCH": _CHOICE,
    "DECISION": _CHOICE,
    "FORK_JOIN": ("forkTasks",),
    "DO_WHILE": ("loopOver",),
}


def blocks_of(document: Document) -> Iterator[tuple[str, list[Document]]]:
    """The blocks of a task's definition, by name."""
    for name in _FIELDS_OF.get(str(document.get("type")), ()):
        value = document.get(name)
        if name == "decisionCases" and isinstance(value, dict):
            yield from ((f"{name}.{case}", _steps(steps)) for case, steps in value.items())
        elif name == "forkTasks" and isinstance(value, list):
            yield from ((f"{name}.{at}", _steps(steps)) for at, steps in enumerate(value))
        elif name in ("defaultCase", "loopOver") and value:
            yield name, _steps(value)


def _joins(document: Document) -> Mapping[str, tuple[str, ...]]:
    """By ref, the refs of the steps that join it."""
    joins: dict[str, tuple[str, ...]] = {}
    pending = [*_steps(document.get("tasks"))]
    while pending:
        step = pending.pop()
        for name in ("joinOn", "defaultExclusiveJoinTask"):
            joined = step.get(name)
            for ref in joined if isinstance(joined, list) else ():
                joins[str(ref)] = (*joins.get(str(ref), ()), _text(step, "taskReferenceName"))
        for _, steps in blocks_of(step):
            pending.extend(steps)
    return joins


def _body(document: Document) -> tuple[str, ...]:
    """The refs of what stands in a loop, however deep, but for what stands in loops within it."""
    refs: list[str] = []
    pending = [step for name, steps in blocks_of(document) if name == "loopOver" for step in steps]
    while pending:
        step = pending.pop(0)
        refs.append(_text(step, "taskReferenceName"))
        for name, steps in blocks_of(step):
            pending.extend(steps if name != "loopOver" else ())
    return tuple(refs)


def _steps(value: Json) -> list[Document]:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(step, dict) for step in value):
        return cast("list[Document]", value)
    raise ValueError("tasks must be a list of objects")


def _object(document: Document, name: str) -> dict[str, Json]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")
    return value


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be text")
    return value


def _whole(document: Document, name: str, default: int) -> int:
    value = document.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number")
    return int(value)


def _timeout(document: Document) -> timedelta | None:
    # ALERT_ONLY, Conductor's default, lets it run on.
    seconds = _whole(document, "timeoutSeconds", 0)
    ends = seconds > 0 and document.get("timeoutPolicy") == "TIME_OUT_WF"
    return bounded(seconds) if ends else None

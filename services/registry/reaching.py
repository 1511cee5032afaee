"""What a definition would start, or hear of, beyond what its writer may.

What is not written down in it may be anything, and so takes access to all of it. No IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.errors import Fault
from services.registry.definitions import Definition, Json
from services.registry.definitions.reading import shortened
from services.registry.hiding import Sight
from services.registry.references import Lookup
from services.workflow_starts import starts_of, webhooks_of

# Of what is used, kinds that act, or tell, as soon as there is such a one.
_ACTING = ("workflow", "webhook")
# Of a workflow and of a task definition: what says which workflows are started.
_SAYING = ("tasks", "failureWorkflow", "inputTemplate")


def must_be_there(sight: Sight) -> tuple[str, ...]:
    """Kinds of what may not be named before it is there, by one who does not see the whole."""
    return () if sight.whole else _ACTING


def faults(
    definition: Definition, before: Mapping[str, Json] | None, seen: Lookup, sight: Sight
) -> Iterator[Fault]:
    """What the writer of ``definition`` may not have done by it.

    Args:
        before: What is stored in its place; for a new version the newest one.
        seen: What the writer may use.
    """
    if sight.whole:
        return
    if definition.kind == "event":
        yield from _heard(definition, before, seen, sight)
    elif definition.kind in ("workflow", "task") and not _is_same(definition.document, before):
        yield from _started(definition, before, seen, sight)
        yield from _waited_for(definition, seen, sight)


def _is_same(document: Mapping[str, Json], before: Mapping[str, Json] | None) -> bool:
    return before is not None and all(document.get(each) == before.get(each) for each in _SAYING)


def _waited_for(definition: Definition, seen: Lookup, sight: Sight) -> Iterator[Fault]:
    waits = webhooks_of(definition.document)
    told = {each.name for each in definition.references if each.kind == "webhook"}
    for name in waits.names:
        if name not in told and seen("webhook", name, None) is None:
            yield Fault("", f"there is no webhook '{shortened(name)}' that you may use")
    if waits.open and not sight.may_name("webhook", "", {}):
        yield Fault(
            "",
            f"'{shortened(waits.open[0])}' may wait for any webhook, as its name is known only "
            "when it runs: that takes an access to all of them (webhook *)",
        )


def _started(
    definition: Definition, before: Mapping[str, Json] | None, seen: Lookup, sight: Sight
) -> Iterator[Fault]:
    starts = starts_of(definition.document)
    told = {each.name for each in definition.references if each.kind == "workflow"}
    known = told.union(starts_of(before).names if before is not None else ())
    for name in starts.names:
        if name not in known and seen("workflow", name, None) is None:
            yield Fault("", f"there is no workflow '{shortened(name)}' that you may use")
    if starts.open and not sight.may_name("workflow", "", {}):
        yield Fault(
            "",
            f"'{shortened(starts.open[0])}' may start any workflow, as its name is known only when "
            "it runs: that takes an access to all of them (workflow *)",
        )


def _heard(
    handler: Definition, before: Mapping[str, Json] | None, seen: Lookup, sight: Sight
) -> Iterator[Fault]:
    event = handler.document.get("event")
    source, _, rest = str(event).partition(":")
    name = rest.partition(":")[0]
    if source != "conductor" or not name or (before is not None and before.get("event") == event):
        return
    # What an execution tells is a part of it.
    workflow = seen("workflow", name, None) or {}
    if not sight.may_read("workflow", name, workflow):
        yield Fault("event", f"there is no workflow '{shortened(name)}' that you may read")

"""What is shown and asked before something is done: what it comes to, and what must be typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

FEW = 10
SHOWN = 5


class Danger(StrEnum):
    """What stands between the key and the deed."""

    NONE = "none"
    """Nothing: it takes nothing away."""
    SEVERAL = "several"
    """Nothing while it is one, since its inverse undoes it or it only goes on. Of several what it
    will come to is shown, and Cancel has the focus; many must be typed."""
    ASKS = "asks"
    """The same of one, too."""
    TYPES = "types"
    """So, and of one its name must be typed: what all others notice, and nothing undoes."""


def asks(danger: Danger, count: int, protected: bool) -> bool:
    """Whether what it will come to is shown before it is done to ``count``."""
    return danger in (Danger.ASKS, Danger.TYPES) or (
        danger is Danger.SEVERAL and (count > 1 or protected)
    )


def types(danger: Danger, count: int, protected: bool) -> bool:
    """Whether something must be typed before it is done to ``count``."""
    if danger is Danger.NONE:
        return False
    if danger is Danger.TYPES:
        return True
    return count > FEW or (protected and danger is Danger.ASKS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dialog shows.

    Attributes:
        title: E.g. ``Terminate 37 executions``.
        verb: What its button says.
        lines: What it will come to.
        items: The first few of what it is done to, and how many more there are.
        typed: What must be typed before it is done; empty: nothing.
        dangerous: Whether it takes something away.
    """

    title: str
    verb: str
    lines: tuple[str, ...]
    items: tuple[str, ...]
    typed: str = ""
    typed_is: str = ""
    dangerous: bool = True


def plan(
    verb: str,
    labels: Sequence[str],
    statuses: Sequence[str] = (),
    effect: str = "",
    *,
    protected: str = "",
    danger: Danger = Danger.ASKS,
    hidden: int = 0,
) -> Plan:
    """The dialog of doing ``verb`` to what has ``labels``, which stands at ``statuses``.

    Args:
        protected: The name of a context in which it is typed instead of the count, and for one.
        hidden: How many of them are marked, and not on the screen.
    """
    count = len(labels)
    title = f"{verb} {count:,}" if count > 1 else f"{verb} {labels[0] if labels else ''}"
    lines = [f"in {protected}, which is protected"] if protected else []
    if hidden:
        lines.append(f"{hidden:,} of them out of sight: marked, and not kept by the filter")
    if count > 1 and statuses:
        each = Counter(statuses).most_common()
        lines.append(" · ".join(f"{number:,} {status}" for status, number in each))
    lines.extend(effect.splitlines())
    items = list(labels[:SHOWN]) if count > 1 else []
    if count > SHOWN:
        items.append(f"and {count - SHOWN:,} more")
    typed, typed_is = "", ""
    if types(danger, count, bool(protected)):
        typed, typed_is = str(count), "how many they are"
        if count == 1:
            typed, typed_is = labels[0], "its name"
        if protected:
            typed, typed_is = protected, "the context's name"
    dangerous = danger in (Danger.ASKS, Danger.TYPES)
    return Plan(title.strip(), verb, tuple(lines), tuple(items), typed, typed_is, dangerous)


def confirmed(typed: str, wanted: str) -> bool:
    """Whether what was typed is what was to be typed; a count may have its commas."""
    said = typed.strip()
    return said == wanted or (wanted.isdecimal() and said.replace(",", "") == wanted)

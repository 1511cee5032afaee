"""What is shown and asked before something is done: what it comes to, and what must be typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FEW = 10
SHOWN = 5


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
    dangerous: bool = True,
) -> Plan:
    """The dialog of doing ``verb`` to what has ``labels``, which stands at ``statuses``.

    Args:
        protected: The name of a context in which whatever takes something away is typed.
    """
    count = len(labels)
    title = f"{verb} {count:,}" if count > 1 else f"{verb} {labels[0] if labels else ''}"
    lines = [f"in {protected}, which is protected"] if protected else []
    if count > 1 and statuses:
        each = Counter(statuses).most_common()
        lines.append(" · ".join(f"{number:,} {status}" for status, number in each))
    lines.extend(effect.splitlines())
    items = list(labels[:SHOWN]) if count > 1 else []
    if count > SHOWN:
        items.append(f"and {count - SHOWN:,} more")
    typed, typed_is = "", ""
    if dangerous and protected:
        typed, typed_is = protected, "the context's name"
    elif dangerous and count > FEW:
        typed, typed_is = str(count), "how many they are"
    return Plan(title.strip(), verb, tuple(lines), tuple(items), typed, typed_is, dangerous)


def confirmed(typed: str, wanted: str) -> bool:
    """Whether what was typed is what was to be typed; a count may have its commas."""
    said = typed.strip()
    return said == wanted or (wanted.isdecimal() and said.replace(",", "") == wanted)

"""What a resource is: a noun of the console with its columns, its source and its actions.

A new noun is one file beside this one and one name in the table.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from services.query import Vocabulary
from tui.live.collection import Collection, Record
from tui.live.results import ItemResult, Outcome
from tui.live.sources import Source
from tui.views.addresses import Address
from tui.views.confirmation import Danger

if TYPE_CHECKING:
    from tui.clients import Clients

R = TypeVar("R", bound=Record)

# So many records are named in a command.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column shows of a record.

    Attributes:
        text: Of one line.
        tone: See :data:`tui.views.statuses.TONES`.
    """

    text: str
    tone: str = "text"


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column of a list.

    Attributes:
        title: Its heading.
        width: In cells; a flexible one has at least that.
        cell: What it shows of a record at a moment (epoch seconds, for ages and durations).
        sort: What it is sorted by; None values come last. Without it: by the text.
        flex: Its share of the cells that are left over; 0: it never grows.
        priority: The lower, the earlier it goes when there is no room; 9 stays.
        right: Whether it is set to the right.
        ticks: Whether it changes with time alone.
        optional: Whether it is left out until a row in sight has something in it.
        tail: Whether its end is what stays where there is no room: ids differ there.
    """

    name: str
    title: str
    width: int
    cell: Callable[[R, float], Cell]
    sort: Callable[[R], Any] | None = None
    flex: int = 0
    priority: int = 5
    right: bool = False
    ticks: bool = False
    optional: bool = False
    tail: bool = False


Perform = Callable[["Clients", Sequence[Any], Mapping[str, str]], AsyncIterator[ItemResult]]


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked before an action, e.g. a reason."""

    name: str
    title: str
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action(Generic[R]):
    """Something that is done to records.

    Attributes:
        id: ``executions.retry``: the binding's id and the name in the palette.
        key: E.g. ``r``.
        title: E.g. ``Retry``.
        help: One sentence.
        perform: Does it: a result for each record, as they come in.
        command: The same as a command line.
        applies: For which records it makes sense.
        effect: What it will come to, in a few lines, shown before a dangerous one.
        many: Whether it can be done to several at once.
        doing: What is shown of a row until the stream tells its new state, e.g. ``terminating``.
        writes: Whether it changes something: absent where the context is read-only.
        by_query: The same as a command line, done to all that match a query; None: there is none.
        outcome: What came of it for a record that was accepted, by where it stands now; None: not
            yet. Without it an answer is all that is known.
        label: What a record is called in its question; None: as its resource has it.
    """

    id: str
    key: str
    title: str
    help: str
    perform: Perform
    command: Callable[[Sequence[R], Mapping[str, str]], str]
    applies: Callable[[R], bool] = lambda _: True
    effect: Callable[[Sequence[R]], str] | None = None
    danger: Danger = Danger.NONE
    questions: tuple[Question, ...] = ()
    many: bool = True
    doing: str = ""
    writes: bool = True
    by_query: Callable[[str, Mapping[str, str]], str] | None = None
    outcome: Callable[[R], Outcome | None] | None = None
    label: Callable[[R], str] | None = None


def command_line(
    action: Action[R], records: Sequence[R], answers: Mapping[str, str], query: str = ""
) -> str:
    """The command that does the same, of bounded length.

    Args:
        query: Finds just ``records``; empty: none is known that does.
    """
    more = len(records) - MOST_NAMED
    if more <= 0:
        return action.command(records, answers)
    if query and action.by_query is not None:
        return action.by_query(query, answers)
    return f"{action.command(records[:MOST_NAMED], answers)} # and {more:,} more"


@dataclass(frozen=True, slots=True)
class Opening:
    """A pane that a key opens: an editor, a form, a test; ``pane`` is a name in screens/panes.py.

    Attributes:
        needs_record: Whether it is about the record under the cursor.
        creates: Whether something new comes of it: forms offer it where a field refers to one.
        tab: Instead of a pane: the tab of the record's detail that it leads to.
        owner: The kind of definition that something new is made in, which is asked for where
            no record says it.
        leads: Instead of a pane: to which place, by the record.
    """

    id: str
    key: str
    title: str
    help: str
    pane: str = ""
    needs_record: bool = True
    writes: bool = False
    creates: bool = False
    tab: str = ""
    owner: str = ""
    leads: Callable[[Any], Address] | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a record's detail; ``pane`` is a name in screens/panes.py."""

    name: str
    title: str
    pane: str


@dataclass(frozen=True, slots=True)
class Alone(Generic[R]):
    """Where a record comes from that the list does not have.

    Attributes:
        source: Follows the one whose id is its query.
        record: Makes it of what has come; None: nothing has.
        above: The id of the record that it is part of, by what has come; empty: of none.
        missing: Why there is none, as a sentence; empty: there is one, or it is not known yet.
    """

    source: Source[Any]
    record: Callable[[Collection[Any]], R | None]
    above: Callable[[Collection[Any]], str] = lambda collection: ""
    missing: Callable[[Collection[Any]], str] = lambda collection: ""


@dataclass(frozen=True, slots=True)
class Resource(Generic[R]):
    """A noun of the console.

    Attributes:
        name: What is typed after ``:``; ``aliases`` do as well.
        title: As it is shown.
        help: A few lines of Markdown.
        source: What fills its list; None: what the console itself knows of it.
        pane: What is shown instead of a list, a name in screens/panes.py: ``Pane(address)``.
        fields: What the filter can ask for, by name; with a ``vocabulary`` as
            :func:`services.query.matcher` wants it, else as any value, which is asked for as text.
        vocabulary: What kinds of values the fields have; None: all are text.
        label: What a record is called in questions and crumbs.
        text: All that a free word of the filter is looked for in.
        state: What of a record must change before an action on it counts as done.
        empty: What its list says where there is nothing, e.g. how to have something.
        opens: What is done by Enter, as a command is typed, or where it leads; None: to its detail.
        sort: The column it is sorted by at first, and whether in reverse.
        standing: How a record stands, in a line above its detail.
        told: What is said below the list of the whole, of the facts of its collection.
        kind: Of the definitions that its records are, or are part of; empty: they are none.
        alone: One by its id, where the list does not have all; None: it has.
    """

    name: str
    aliases: tuple[str, ...]
    title: str
    help: str
    columns: tuple[Column[R], ...] = ()
    source: Source[R] | None = None
    pane: str = ""
    fields: Mapping[str, Callable[[R], Any]] = field(default_factory=dict)
    vocabulary: Vocabulary | None = None
    label: Callable[[R], str] = lambda record: record.id
    text: Callable[[R], str] = lambda record: record.id
    state: Callable[[R], Any] = lambda record: record
    tabs: tuple[Tab, ...] = ()
    actions: tuple[Action[R], ...] = ()
    openings: tuple[Opening, ...] = ()
    empty: str = ""
    opens: Callable[[R], str | Address] | None = None
    sort: str = ""
    reverse: bool = False
    standing: Callable[[R, float], Cell] | None = None
    told: Callable[[Mapping[str, Any]], str] = lambda facts: ""
    kind: str = ""
    alone: Alone[R] | None = None

    @property
    def creating(self) -> Opening | None:
        """What opens to make a new one; None: nothing does."""
        return next((each for each in self.openings if each.creates), None)

    def first(self, records: Iterable[R], most: int) -> list[R]:
        """Of ``records`` the first so many, as the list has them before it is sorted anew."""
        column = self.column(self.sort)
        by = column.sort if column is not None and column.sort is not None else lambda row: row.id
        given = list(records)
        values = [by(record) for record in given]
        told = [at for at, value in enumerate(values) if value is not None]
        found = (nlargest if self.reverse else nsmallest)(most, told, values.__getitem__)
        if len(found) < most:
            # Those without a value come last.
            found += [at for at, value in enumerate(values) if value is None]
        return [given[at] for at in found[:most]]

    def column(self, name: str) -> Column[R] | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


__all__ = [
    "Action",
    "Alone",
    "Cell",
    "Column",
    "Danger",
    "ItemResult",
    "Opening",
    "Perform",
    "Question",
    "Resource",
    "Tab",
]

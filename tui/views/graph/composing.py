"""From the steps of a plan to the pieces of its drawing: what stands in each, and how wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from tui.views.graph.blocks import Block, Box, Mark, branches, frame, series
from tui.views.graph.lines import TIMES, plain
from tui.views.graph.plan import Branch, Plan, Shape, Step, shown

MOST_BRANCHES = 200
# A dynamic fork of more tasks is one box, until it is opened.
MOST_GROWN = 8
LONGEST_NAME = 36
LONGEST_LABEL = 24
# The cells that the name of a box does not have: sides, blanks, the glyph of its status.
GLYPH = 2
SIDES = 4
# Room for how many rounds of a loop have begun, of which thousands are cut to `999k`.
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Composing:
    """How a plan is composed.

    Attributes:
        folded: The keys of the steps that are drawn as one box with all that is in them.
        opened: Of the dynamic forks that would be folded for their many tasks, those that are not.
        grown: The tasks of dynamic forks.
        live: Whether room is left for what an execution tells.
        ascii: Whether nothing else than ASCII is written.
    """

    folded: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()
    grown: Mapping[str, Sequence[Step]] | None = None
    live: bool = False
    ascii: bool = False

    def whole(self, plan: Plan) -> Block:
        """The drawing of ``plan``, with its start and its end."""
        return series([self._mark("start"), *self._blocks(plan.steps), self._mark("end")])

    def _mark(self, text: str, ends: bool = False) -> Mark:
        width = cell_len(text)
        return Mark(text, width, width // 2, ends=ends)

    def _blocks(self, steps: Sequence[Step]) -> list[Block]:
        return [block for step in steps for block in self._blocks_of(step)]

    def _blocks_of(self, step: Step) -> list[Block]:
        tasks = () if self.grown is None else self.grown.get(step.key, ())
        if step.shape is Shape.REST:
            return [self._mark(self._written(step.kind), ends=True)]
        if self.is_folded(step):
            return [self._folded(step, tasks)]
        if step.shape is Shape.LOOP:
            return [self._loop(step)]
        ways = step.branches or tuple(Branch("", (task,)) for task in tasks)
        return [self._box(step), self._branches(step, ways)] if ways else [self._box(step)]

    def is_folded(self, step: Step) -> bool:
        """Whether ``step`` is one box with all that is in it."""
        if step.key in self.folded:
            return True
        tasks = () if self.grown is None else self.grown.get(step.key, ())
        return len(tasks) > MOST_GROWN and step.key not in self.opened

    def _branches(self, step: Step, ways: Sequence[Branch]) -> Block:
        columns: list[tuple[str, Block | None]] = []
        for way in ways[:MOST_BRANCHES]:
            blocks = self._blocks(way.steps)
            columns.append(
                (self._cut(way.label, LONGEST_LABEL), series(blocks) if blocks else None)
            )
        if len(ways) > MOST_BRANCHES:
            text = self._written(f"… {len(ways) - MOST_BRANCHES:,} more")
            columns.append(("", self._mark(text, ends=True)))
        return branches(step, columns, [cell_len(label) for label, _ in columns])

    def _loop(self, step: Step) -> Block:
        title = self._cut(shown(step.ref or step.path), LONGEST_NAME)
        # Room for the number of the iteration, and for its own line to be seen.
        width = GLYPH + cell_len(title) + 2 + len(step.kind) + 2 + (ROUNDS if self.live else 0)
        blocks = self._blocks(step.branches[0].steps) if step.branches else []
        inner = series(blocks) if blocks else self._mark("(nothing)")
        return frame(step, title, step.kind, inner, width)

    def _box(self, step: Step) -> Box:
        kind = f"{step.kind} · optional" if step.optional else step.kind
        lines = [kind, step.detail] if step.detail else [kind]
        return self._sized(step, lines, [self._room(step), 0])

    def _room(self, step: Step) -> int:
        """Cells beside the kind of a task for how often it was tried and polled."""
        if not self.live or step.shape not in (Shape.TASK, Shape.DOOR):
            return 0
        return len(" ↻99  999 polls") if step.kind == "HTTP_POLL" else len("  ↻99")

    def _folded(self, step: Step, tasks: Sequence[Step]) -> Box:
        members = tuple(each.key for each in (tasks or step.within()))
        # A loop has one way and any number of rounds, which are told as they come.
        is_loop = step.shape is Shape.LOOP
        ways = "" if is_loop else f" {TIMES}{len(tasks or step.branches)}"
        lines = [f"{step.kind}{ways} ({_tasks(len(members))})"]
        rooms = [ROUNDS if is_loop and self.live else 0]
        if self.live:
            # What is told of them: a count for each of the commonest statuses.
            lines.append("")
            rooms.append(4 * len(f"✔{len(members)} "))
        return self._sized(step, lines, rooms, members, folded=True)

    def _sized(
        self,
        step: Step,
        lines: Sequence[str],
        rooms: Sequence[int],
        members: tuple[str, ...] = (),
        *,
        folded: bool = False,
    ) -> Box:
        title = self._cut(shown(step.ref or step.path), LONGEST_NAME)
        cut = tuple(self._cut(line, LONGEST_NAME) for line in lines)
        needed = [cell_len(line) + room for line, room in zip(cut, rooms, strict=False)]
        # An odd width has a middle.
        width = (GLYPH + max(cell_len(title), *needed) + SIDES) | 1
        ends = step.shape is Shape.END
        return Box(step, title, cut, width, 3 + len(cut), members, folded, ends)

    def _cut(self, text: str, cells: int) -> str:
        text = self._written(text)
        if cell_len(text) <= cells:
            return text
        return set_cell_size(text, cells - 1).rstrip() + ("~" if self.ascii else "…")

    def _written(self, text: str) -> str:
        """``text`` as it can be written."""
        return plain(text) if self.ascii else text


def _tasks(count: int) -> str:
    return f"{count:,} task" if count == 1 else f"{count:,} tasks"

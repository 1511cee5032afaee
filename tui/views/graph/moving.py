"""Ways through a drawing for who looks at one of its tasks: to the next one, outwards, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tui.views.graph.blocks import Block, Box, Branches, Frame, Mark, Series
from tui.views.graph.drawing import Drawing, Region
from tui.views.graph.overlay import Overlay
from tui.views.graph.plan import Shape

DIRECTIONS = ("left", "right", "up", "down")
# A row is as high as two columns are wide, and to leave one's row is to leave one's way.
_ASIDE = 6


@dataclass
class Moves:
    """What is next to what in a drawing; the flow of tasks is found when it is first needed."""

    drawing: Drawing

    @cached_property
    def _links(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        links = _Links()
        links.through(self.drawing.root, [])
        return links.after, links.before

    def to(self, key: str, direction: str) -> str:
        """The region that is reached from ``key``; ``key`` itself where nothing is there.

        Down and up follow the flow, left and right go to what is beside.

        Args:
            direction: One of :data:`DIRECTIONS`.
        """
        here = self.drawing.regions.get(key)
        if here is None:
            return self.first()
        if direction in ("left", "right"):
            return self._beside(here, direction) or key
        keys = self._links[direction == "up"].get(key, [])
        following = [self.drawing.regions[each] for each in keys]
        return _closest(here, following) or self._beyond(here, direction) or key

    def first(self) -> str:
        """The key of the topmost region; empty: there is none."""
        return next(iter(self.drawing.regions), "")

    def last(self) -> str:
        """The key of the undermost region; empty: there is none."""
        regions = self.drawing.regions.values()
        return max(regions, key=lambda each: (each.bottom, each.x)).key if regions else ""

    def _beside(self, here: Region, direction: str) -> str:
        best, least = "", 0
        for there in self.drawing.regions.values():
            far = there.x - here.right if direction == "right" else here.x - there.right
            if far < 0:
                continue
            # Of a frame, its caption is where one stands.
            away = max(there.y - here.bottom + 1, here.y - there.y - _height(there) + 1, 0)
            cost = far + _ASIDE * away
            if not best or cost < least:
                best, least = there.key, cost
        return best

    def _beyond(self, here: Region, direction: str) -> str:
        """Where no flow leads on, what is nearest in that direction all the same."""
        best, least = "", 0
        for there in self.drawing.regions.values():
            far = there.y - here.bottom if direction == "down" else here.y - there.bottom
            if far < 0:
                continue
            cost = 2 * far + abs(_middle(there) - _middle(here))
            if not best or cost < least:
                best, least = there.key, cost
        return best


@dataclass(slots=True)
class _Links:
    """Which region is followed by which."""

    after: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)

    def through(self, block: Block, coming: list[str]) -> list[str]:
        """Link what comes into ``block`` with its first tasks; its last ones."""
        match block:
            case Mark():
                return [] if block.ends else coming
            case Box():
                self._link(coming, block.step.key)
                return [] if block.ends else [block.step.key]
            case Frame():
                self._link(coming, block.step.key)
                return self.through(block.block, [block.step.key])
            case Series():
                for piece in block.pieces:
                    coming = self.through(piece.block, coming)
                return coming
            case Branches():
                going: dict[str, None] = {}
                for column in block.columns:
                    if column.block is not None:
                        going.update(dict.fromkeys(self.through(column.block, coming)))
                # One who could go by something goes by that, rather than through an empty way.
                return list(going) or ([] if block.ends else coming)

    def _link(self, coming: Iterable[str], key: str) -> None:
        for each in coming:
            self.after.setdefault(each, []).append(key)
            self.before.setdefault(key, []).append(each)


def _middle(region: Region) -> int:
    return region.x + region.width // 2


def _height(region: Region) -> int:
    return 1 if region.is_frame else region.height


def _closest(here: Region, regions: Iterable[Region]) -> str:
    """Of several, the one whose middle is least to the side."""
    found = min(regions, key=lambda each: abs(_middle(each) - _middle(here)), default=None)
    return found.key if found else ""


def at(drawing: Drawing, x: int, y: int) -> str:
    """The key of the innermost region at a place; empty: there is none."""
    found = ""
    for region in drawing.regions.values():
        # What is in a frame comes after it.
        if region.x <= x < region.right and region.y <= y < region.bottom:
            found = region.key
    return found


def near(drawing: Drawing, x: int, y: int) -> str:
    """The key of the region that is nearest to a place; empty: there is none."""
    regions = drawing.regions.values()
    found = min(regions, key=lambda each: abs(each.y - y) + abs(_middle(each) - x), default=None)
    return found.key if found else ""


def home_of(drawing: Drawing, key: str) -> str:
    """``key``, or the step within which it is folded; empty: it is not in the drawing."""
    return next((each for each in _outwards(drawing, key) if each in drawing.regions), "")


def path(drawing: Drawing, key: str) -> list[str]:
    """The keys from the outermost step in which ``key`` stands to ``key``."""
    return list(_outwards(drawing, key))[::-1]


def _outwards(drawing: Drawing, key: str) -> Iterator[str]:
    while (step := drawing.steps.get(key)) is not None:
        yield key
        key = step.parent


def find(drawing: Drawing, text: str) -> list[str]:
    """The keys of the steps with ``text`` in their ref or type, from the top and from the left.

    Those that are folded away are found as well, after the step in which they are.
    """
    wanted = text.casefold()
    found = [
        step.key
        for step in drawing.steps.values()
        if wanted in step.key.casefold() or wanted in step.kind.casefold()
    ]
    return [key for _, _, key in sorted((*_spot(drawing, key), key) for key in found)]


def _spot(drawing: Drawing, key: str) -> tuple[int, int]:
    region = drawing.regions.get(home_of(drawing, key))
    return (region.y, region.x) if region else (-1, -1)


def running(drawing: Drawing, overlay: Overlay) -> str:
    """The region of the task that was begun last of those that run; empty: none does."""
    at = [
        attempt
        for attempt in overlay.attempts.values()
        if attempt.status in ("IN_PROGRESS", "SCHEDULED")
    ]
    at.sort(key=lambda attempt: (attempt.status == "IN_PROGRESS", attempt.sequence))
    homes = [home for attempt in reversed(at) if (home := home_of(drawing, attempt.ref))]
    # Loops run as long as what is in them, joins as long as what they wait for, and say less.
    telling = (home for home in homes if drawing.steps[home].shape not in (Shape.LOOP, Shape.JOIN))
    return next(telling, homes[0] if homes else "")

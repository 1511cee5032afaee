"""The characters of lines and boxes, and the same in ASCII."""

from __future__ import annotations

from dataclasses import dataclass

from tui.views.graph.plan import Shape

ARROW = "▼"
DOWN = "│"
ACROSS = "─"
TIMES = "\N{MULTIPLICATION SIGN}"
_RISING = "\N{BOX DRAWINGS LIGHT DIAGONAL UPPER RIGHT TO LOWER LEFT}"
_FALLING = "╲"
NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
# By the directions in which a line goes on.
JUNCTIONS = {
    NORTH | SOUTH: "│",
    EAST | WEST: "─",
    EAST | SOUTH: "┌",
    SOUTH | WEST: "┐",
    NORTH | EAST: "└",
    NORTH | WEST: "┘",
    EAST | SOUTH | WEST: "┬",
    NORTH | EAST | WEST: "┴",
    NORTH | EAST | SOUTH: "├",
    NORTH | SOUTH | WEST: "┤",
    NORTH | EAST | SOUTH | WEST: "┼",
    SOUTH: "╷",
    NORTH: "╵",
    EAST: "╶",
    WEST: "╴",
}


@dataclass(frozen=True, slots=True)
class Border:
    """The sides of a box; ``leave`` is where a line goes out at its bottom."""

    top_left: str
    top: str
    top_right: str
    side: str
    bottom_left: str
    bottom: str
    bottom_right: str
    leave: str


_BOX = Border(*"┌─┐│└─┘┬")
_BORDERS = {
    Shape.SWITCH: Border(_RISING, "─", _FALLING, "│", _FALLING, "─", _RISING, "┬"),
    Shape.FORK: Border(*"╒═╕│└─┘┬"),
    Shape.DYNAMIC_FORK: Border(*"╒═╕│└─┘┬"),
    Shape.JOIN: Border(*"┌─┐│╘═╛╤"),
    Shape.DOOR: Border(*"╔═╗║╚═╝╤"),
    Shape.END: Border(*"╭─╮│╰─╯┬"),
}
FRAME = Border(*"╭╌╮╎╰╌╯┬")
_ASCII = str.maketrans(
    {ord(ARROW): "v", ord("═"): "=", ord("║"): "|", ord("╎"): ":", ord("╌"): "-"}
    | dict.fromkeys(map(ord, "│╷╵"), "|")
    | dict.fromkeys(map(ord, "─╶╴"), "-")
    | {ord(_RISING): "/", ord(_FALLING): "\\"}
    | dict.fromkeys(map(ord, "┌┐└┘┬┴├┤┼╒╕╘╛╔╗╚╝╤╭╮╰╯"), "+")
)


def border_of(shape: Shape) -> Border:
    """The border of boxes of ``shape``."""
    return _BORDERS.get(shape, _BOX)


def in_ascii(text: str) -> str:
    """Lines as terminals show them that have ASCII only."""
    return text.translate(_ASCII)


def plain(text: str) -> str:
    """Text in ASCII: signs of ours by others that are like them, all else as ``?``."""
    return text.translate(_PLAIN).encode("ascii", "replace").decode()


_PLAIN = str.maketrans({"→": ">", TIMES: "x", "·": "-", "↻": "r", "…": "~"})

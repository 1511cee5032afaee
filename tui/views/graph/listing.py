"""A drawing as data, and in a few words."""

from __future__ import annotations

from tui.views.graph.drawing import Drawing, Region
from tui.views.graph.lines import plain
from tui.views.graph.moving import path
from tui.views.graph.overlay import Overlay, tally
from tui.views.graph.plan import shown
from tui.views.statuses import look_of_task


def as_json(drawing: Drawing, overlay: Overlay | None = None) -> dict[str, object]:
    """Where each task is drawn (in cells), where it stands, and what could not be read."""
    plan = drawing.plan
    document: dict[str, object] = {
        "workflow": plan.name,
        "version": plan.version,
        "width": drawing.width,
        "height": drawing.height,
        "spine": drawing.spine,
        "nodes": [_node(region, overlay) for region in drawing.regions.values()],
        "faults": list(plan.faults),
    }
    if overlay is not None:
        document["status"] = overlay.status
    return document


def _node(region: Region, overlay: Overlay | None) -> dict[str, object]:
    step = region.step
    node: dict[str, object] = {
        "ref": step.ref,
        "type": step.kind,
        "path": step.path,
        "parent": step.parent,
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
    }
    if region.folded:
        node["folded"] = True
    if step.opens:
        node["opens"] = {"name": step.opens[0], "version": step.opens[1]}
    attempt = overlay.attempts.get(step.key) if overlay else None
    if attempt is not None:
        node |= {"status": attempt.status, "retries": attempt.retries}
        node |= {"iteration": attempt.iteration, "polls": attempt.polls}
    return node


def summary(drawing: Drawing, overlay: Overlay | None = None) -> str:
    """How many tasks there are, and how many of them stand where: ``12 tasks · ✔ 9 ● 1``."""
    count = len(drawing.steps)
    parts = [f"{count:,} task{'s' * (count != 1)}"]
    plain = drawing.composing.ascii
    if overlay is not None:
        told = tally(drawing.steps, overlay)
        parts += [
            " ".join(f"{look.plain if plain else look.glyph} {number:,}" for look, number in told)
        ]
    if drawing.plan.faults:
        count = len(drawing.plan.faults)
        parts.append(f"{count} fault{'s' * (count != 1)}")
    return (" - " if plain else " · ").join(part for part in parts if part)


def place(drawing: Drawing, key: str, overlay: Overlay | None = None) -> str:
    """All about one task in a line: where it stands, its type, its status: ``risk > high``."""
    region = drawing.regions.get(key)
    if region is None:
        return ""
    steps = (drawing.steps[each] for each in path(drawing, key))
    names = " > ".join(shown(step.ref or step.path) for step in steps)
    parts = [names, region.step.kind, *_standing(region, overlay)]
    if region.step.detail:
        parts.append(region.step.detail)
    text = "  ".join(parts)
    return plain(text) if drawing.composing.ascii else text


def _standing(region: Region, overlay: Overlay | None) -> list[str]:
    attempt = overlay.attempts.get(region.key) if overlay else None
    if attempt is None:
        return [] if overlay is None else ["not reached"]
    parts = [look_of_task(attempt.status).label]
    if attempt.iteration:
        parts.append(f"iteration {attempt.iteration:,}")
    if attempt.retries:
        parts.append(f"attempt {attempt.retries + 1:,}")
    if attempt.polls:
        parts.append(f"{attempt.polls:,} polls")
    return parts

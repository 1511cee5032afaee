"""A drawing as data, and in a few words."""

from __future__ import annotations

from tui.views.graph.drawing import Drawing, Region
from tui.views.graph.overlay import Overlay, tally


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

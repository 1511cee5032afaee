"""Workflows to draw: one of each operator, and any that hypothesis thinks of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tui.views.graph.overlay import Attempt, Overlay

Document = dict[str, Any]
TOP_KINDS = ("SIMPLE", "HTTP", "HTTP_POLL", "INLINE", "WAIT", "HUMAN", "NO_SUCH_KIND")


def task(ref: str, kind: str = "SIMPLE", **fields: Any) -> Document:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def workflow(*tasks: Any, **fields: Any) -> Document:
    return {"name": "w", "version": 1, "tasks": list(tasks), **fields}


ORDER = workflow(
    task("validate", "HTTP"),
    task(
        "risk",
        "SWITCH",
        evaluatorType="value-param",
        expression="level",
        inputParameters={"level": "${validate.output.level}"},
        decisionCases={
            "low": [task("auto_ok", "INLINE")],
            "high": [task("review", "HUMAN"), task("notify", "HTTP", optional=True)],
            "blocked": [task("reject", "TERMINATE")],
        },
    ),
    task(
        "fork",
        "FORK_JOIN",
        forkTasks=[[task("charge", "HTTP")], [task("stock"), task("label", "INLINE")], []],
    ),
    task("join", "JOIN", joinOn=["charge", "label"]),
    task("loop", "DO_WHILE", loopOver=[task("track", "HTTP_POLL"), task("store")]),
    task("audit", "SUB_WORKFLOW", subWorkflowParam={"name": "audit_log", "version": 2}),
)


def standing(status: str = "RUNNING", **statuses: str) -> Overlay:
    attempts = {
        ref: Attempt(ref, "SIMPLE", word, sequence)
        for sequence, (ref, word) in enumerate(statuses.items())
    }
    return Overlay(attempts, status)


def series(depth: int) -> st.SearchStrategy[list[Document]]:
    plain = st.builds(lambda kind, optional: task("", kind, optional=optional),
                      st.sampled_from((*TOP_KINDS, "TERMINATE", "SUB_WORKFLOW", "JOIN")),
                      st.booleans())  # fmt: skip
    if depth == 0:
        return st.lists(plain, max_size=3)
    inner = series(depth - 1)
    switch = st.builds(
        lambda cases, default: task("", "SWITCH", decisionCases=cases, defaultCase=default,
                                    expression="x"),
        st.dictionaries(st.sampled_from(("a", "low", "a longer case", "高い")), inner, max_size=3),
        inner,
    )  # fmt: skip
    fork = st.builds(
        lambda forks: task("", "FORK_JOIN", forkTasks=forks), st.lists(inner, max_size=4)
    )
    loop = st.builds(lambda body: task("", "DO_WHILE", loopOver=body), inner)
    return st.lists(st.one_of(plain, switch, fork, loop), max_size=4)


def every(tasks: list[Document]) -> Iterator[Document]:
    for each in tasks:
        yield each
        blocks = [*each.get("decisionCases", {}).values(), each.get("defaultCase", [])]
        for block in (*blocks, *each.get("forkTasks", []), each.get("loopOver", [])):
            yield from every(block)


@st.composite
def workflows(draw: st.DrawFn) -> Document:
    """Valid workflows of any nesting, with refs of any width."""
    tasks = draw(series(3))
    for number, each in enumerate(every(tasks)):
        filler = draw(st.sampled_from(("", "_with_a_long_name", "任务", "_é")))
        each["taskReferenceName"] = f"t{number}{filler}"
    return workflow(*tasks)


def refs(document: Document) -> list[str]:
    return [each["taskReferenceName"] for each in every(document["tasks"])]


def overlays(of: list[str]) -> st.SearchStrategy[Overlay]:
    """Executions of a workflow with those refs."""
    words = st.sampled_from(("COMPLETED", "FAILED", "IN_PROGRESS", "SKIPPED", "SCHEDULED"))
    counts = st.integers(0, 5_000_000)
    attempt = st.builds(
        lambda ref, word, retries, polls: Attempt(ref, "HTTP_POLL", word, 1, retries, polls, polls),
        st.sampled_from(of) if of else st.nothing(), words, counts, counts,
    )  # fmt: skip
    return st.builds(
        lambda found: Overlay({each.ref: each for each in found}, "RUNNING"),
        st.lists(attempt, max_size=20) if of else st.just([]),
    )

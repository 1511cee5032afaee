"""The rows of a timeline: what hangs from what, what is folded, what each says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as some

from podium.executor.v1 import executor_pb2 as pb
from tests.tui.screen import assert_snapshot
from tests.tui.timelines import (
    NOW,
    ORDER,
    START,
    document,
    execution,
    numbered,
    order_tasks,
    polled,
    step,
    task,
)
from tui.views.attempts import attempt_of, merged_polls, poll_of, polls_of
from tui.views.nesting import definition_in, nesting_of
from tui.views.timebook import TimeBook
from tui.views.timecolumns import columns_of, timeline_text
from tui.views.timerows import facts_of

MS = int(NOW * 1000)


def book(
    *tasks: pb.TaskState, doc: dict[str, Any] | None = None, ended: int | None = None
) -> TimeBook:
    made = TimeBook()
    made.replace(execution(ended), tasks, doc)
    return made


def labels(made: TimeBook) -> list[str]:
    return [row.guide + row.node.label for row in made.rows]


def test_the_whole_is_a_tree_of_tasks_attempts_polls_and_iterations() -> None:
    assert labels(book(*order_tasks(), doc=ORDER)) == [
        "validate",
        "risk ▸ low",
        "└ auto_ok",
        "fork",
        "├ charge ↻2",
        "│ ├ first",
        "│ ├ ↻1",
        "│ └ ↻2",
        "├┬ reserve",
        "│└ label",
        "└ send_mail",
        "join",
        "track",
        "├ #1",
        "└ #2",
        "  ├ ask",
        "  └ answered ▸ default",
        "    └ poll",
        "      ├ poll 1",
        "      └ poll 2",
    ]


@pytest.mark.parametrize(("width", "ascii"), [(50, True), (80, False), (140, False)])
def test_as_text_it_has_bars_on_one_axis(width: int, ascii: bool) -> None:
    made = book(*order_tasks(), doc=ORDER)
    times = (START, None, MS)
    lines = [
        *timeline_text(
            nesting_of(definition_in(ORDER)), made.attempts, made.polls, times, width, ascii=ascii
        )
    ]

    assert all(len(line) <= width for line in lines)
    assert not ascii or "".join(lines).isascii()
    assert_snapshot("\n".join(lines), f"timeline_text_{width}")


def test_an_iteration_that_ended_well_is_folded_at_first() -> None:
    made = book(*order_tasks(), doc=ORDER)
    first = made.rows[13]

    assert (first.folded, first.hidden) == (True, 1)
    assert made.fold(first.node.key)
    assert labels(made)[13:16] == ["├ #1", "│ └ ask", "└ #2"]


def test_an_iteration_is_as_open_as_what_is_in_it() -> None:
    made = book(*order_tasks(), doc=ORDER)
    facts = facts_of(made.rows[14], made.attempts, made.polls, MS)

    assert facts.look.word == "IN_PROGRESS"
    assert facts.moving
    assert facts.ran == 2200


def test_a_task_counts_all_its_attempts() -> None:
    made = book(*order_tasks(), doc=ORDER)
    facts = facts_of(made.rows[4], made.attempts, made.polls, MS)

    assert (facts.queued, facts.ran) == (40 + 500 + 1000, 500 + 200 + 600)
    assert facts_of(made.rows[5], made.attempts, made.polls, MS).note == "The server answered 502."


def test_a_poll_tells_when_what_and_when_next() -> None:
    made = book(*order_tasks(), doc=ORDER)
    first, last = (facts_of(row, made.attempts, made.polls, MS) for row in made.rows[-2:])

    assert (first.look.word, first.at, first.ran, first.note) == (
        "AGAIN", START + 1801, 40, "progress 40",
    )  # fmt: skip
    assert (last.note, last.moving) == ("next in 1.8s", True)


def test_what_the_workflow_does_not_know_comes_last() -> None:
    made = book(*numbered(task("stray", "done", 0, 0, 1), task("a", "done", 1, 1, 2)),
                doc=document(step("a")))  # fmt: skip

    assert labels(made) == ["a", "stray"]


def test_what_a_dynamic_fork_made_hangs_from_it() -> None:
    doc = document(step("a"), step("spread", "FORK_JOIN_DYNAMIC"), step("gather", "JOIN"))
    made = book(
        *numbered(
            task("a", "done", 0, 0, 1),
            task("spread", "done", 1, 1, 2, kind="FORK_JOIN_DYNAMIC"),
            task("gather", "waits", 2, kind="JOIN"),
            task("one", "done", 2, 2, 3),
            task("two", "runs", 2, 2),
        ),
        doc=doc,
    )

    assert labels(made) == ["a", "spread", "├ one", "└ two", "gather"]


def test_loops_within_loops_have_an_iteration_each() -> None:
    doc = document(step("out", "DO_WHILE", loopOver=[step("in", "DO_WHILE", loopOver=[step("x")])]))
    refs = ["out", "in__1", "x__1__1", "x__1__2", "in__2", "x__2__1"]
    made = book(*numbered(*(task(ref, "runs", 0, 0) for ref in refs)), doc=doc)

    assert labels(made) == [
        "out", "├ #1", "│ └ in", "│   ├ #1", "│   │ └ x", "│   └ #2", "│     └ x",
        "└ #2", "  └ in", "    └ #1", "      └ x",
    ]  # fmt: skip


def test_a_task_whose_name_ends_like_an_iteration_is_itself() -> None:
    made = book(task("a__2", "done", 0, 0, 1, sequence=1), doc=document(step("a__2"), step("a")))

    assert labels(made) == ["a__2"]


def test_an_iteration_is_known_without_a_suffix_too() -> None:
    doc = document(step("loop", "DO_WHILE", loopOver=[step("a")]))
    made = book(
        *numbered(task("loop", "runs", 0, 0), task("a", "runs", 0, 0, iteration=3)), doc=doc
    )

    assert labels(made) == ["loop", "└ #3", "  └ a"]


def test_a_change_of_what_is_there_makes_no_other_rows() -> None:
    made = book(*order_tasks(), doc=ORDER)
    rows = made.rows

    assert not made.apply(None, [task("label", "done", 1400, 2200, 3000, sequence=9)])
    assert made.rows is rows
    assert made.apply(None, [task("audit", "runs", 3100, 3100, sequence=99)])
    assert labels(made)[-1] == "audit"


def test_a_new_poll_is_a_new_row_and_the_same_again_is_none() -> None:
    running = task("p", "runs", 0, 0, kind="HTTP_POLL", sequence=1)
    made = book(polled(running, 1, 10, 5))

    assert not made.apply(None, [polled(running, 1, 10, 5)])
    assert made.apply(None, [polled(running, 2, 20, 5)])
    assert labels(made) == ["p", "├ poll 1", "└ poll 2"]


def test_the_newest_is_the_last_poll_of_the_last_attempt() -> None:
    running = task("p", "runs", 0, 0, kind="HTTP_POLL", sequence=2)
    made = book(task("a", "done", 0, 0, 1, sequence=1), polled(running, 1, 10, 5))

    assert made.newest() == 2
    made.apply(None, [polled(running, 2, 20, 5)])
    assert made.newest() == 3
    made.fold_all()
    assert made.newest() == 1
    assert book().newest() is None


def test_a_retry_keeps_the_row_of_its_task() -> None:
    made = book(task("a", "failed", 0, 0, 1, sequence=1))
    key = made.rows[0].node.key
    made.apply(None, [task("a", "runs", 2, 2, attempt=1, sequence=2)])

    assert made.rows[0].node.key == key
    assert made.rows[0].node.task_id == "a@1"
    assert labels(made) == ["a ↻1", "├ first", "└ ↻1"]


def test_a_restart_begins_with_nothing() -> None:
    made = book(*numbered(task("a", "done", 0, 0, 1), task("b", "failed", 1, 1, 2)))
    again = task("a", "runs", 5, 5, sequence=1)
    again.task_id = "another"
    made.apply(None, [again])

    assert [row.node.task_id for row in made.rows] == ["another"]


def test_everything_folds_and_unfolds() -> None:
    made = book(*order_tasks(), doc=ORDER)
    made.fold_all()
    assert labels(made) == ["validate", "risk ▸ low", "fork", "join", "track"]
    made.open_to("poll__2@0")
    assert labels(made)[-1] == "    └ poll"
    made.fold_all()
    made.fold_all()
    assert len(made.rows) == 21


def test_polls_are_bounded() -> None:
    marks = [poll_of(pb.Poll(number=number)) for number in range(1000)]
    kept = merged_polls(marks[:500], marks[400:])

    assert [poll.number for poll in kept] == list(range(800, 1000))


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"workflowDefinition": 3, "tasks": {"taskId": "x"}},
        {"workflowDefinition": {"tasks": [None, 1, {}, {"taskReferenceName": 7}, {"type": "X"}]}},
        {"workflowDefinition": {"tasks": [step("s", "SWITCH", decisionCases=[1], defaultCase=2)]}},
        {"workflowDefinition": {"tasks": [step("f", "FORK_JOIN", forkTasks={"a": 1})]}},
        {"tasks": [None, {"taskId": 1, "polls": [1]}, {"taskId": "a@0", "polls": [None, {}]}]},
    ],
)
def test_a_malformed_document_hides_no_task(broken: dict[str, Any]) -> None:
    made = book(task("a", "runs", 0, 0, sequence=1), doc=broken)

    assert labels(made) == ["a"]
    assert list(polls_of(broken).values()) in ([], [()])


def test_blocks_may_be_nested_without_end() -> None:
    deep: dict[str, Any] = step("s0", "SWITCH")
    for number in range(1, 400):
        deep = step(f"s{number}", "SWITCH", defaultCase=[deep])
    made = book(*numbered(*(task(f"s{number}", "done", 0, 0, 1) for number in range(400))),
                doc=document(deep))  # fmt: skip

    assert len(made.rows) == 400


REFS = some.sampled_from(["a", "b", "f", "l", "a__1", "b__2", "x", "x__1__2", "b__2__1", "__9"])
NESTED = document(
    step("f", "FORK_JOIN", forkTasks=[[step("a")], [step("l", "DO_WHILE", loopOver=[step("b")])]])
)


@given(some.lists(some.tuples(REFS, some.integers(0, 3), some.integers(0, 3))))
def test_every_attempt_has_a_row_and_every_key_is_one(found: list[tuple[str, int, int]]) -> None:
    unique = {(ref, number): iteration for ref, number, iteration in found}
    tasks = numbered(*(task(ref, "runs", 0, 0, attempt=number, iteration=iteration)
                       for (ref, number), iteration in unique.items()))  # fmt: skip
    made = book(*tasks, doc=NESTED)
    if made.rows:
        made.fold_all()
        made.fold_all()

    keys = [row.node.key for row in made.rows]
    assert len(keys) == len(set(keys))
    shown = {each for row in made.rows for each in row.node.attempts}
    assert shown == {attempt_of(each).id for each in tasks}


@given(some.integers(-5, 400))
def test_the_columns_fill_the_width(width: int) -> None:
    columns = columns_of(width)
    total = sum(column.cells for column in columns) + len(columns) - 1

    assert total == width or width < 16
    assert {"glyph", "task", "ran", "bar"} <= {column.name for column in columns}


def test_eighty_cells_have_the_status_as_a_word_and_the_type() -> None:
    assert [column.name for column in columns_of(76)] == [
        "glyph", "task", "type", "status", "ran", "bar",
    ]  # fmt: skip

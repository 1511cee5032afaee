"""Turns: nothing is lost, each group keeps its order, and none has more time than another."""

from __future__ import annotations

from hypothesis import given, strategies as st

from services.javascript.turns import Turns

SECONDS = {"quick": 0.01, "slow": 0.5, "endless": 1.0}
groups = st.sampled_from(sorted(SECONDS))


@given(st.lists(st.one_of(groups, st.none()), max_size=60), st.integers(1, 3))
def test_each_item_has_its_turn_once_and_after_those_of_its_group(
    script: list[str | None], places: int
) -> None:
    turns: Turns[tuple[str, int]] = Turns(1.0)
    put = dict.fromkeys(SECONDS, 0)
    taken: dict[str, list[int]] = {group: [] for group in SECONDS}
    under_way: list[str] = []

    def step() -> None:
        if len(under_way) == places or not len(turns):
            group = under_way.pop(0)
            turns.end(group, SECONDS[group])
        elif (item := turns.take()) is not None:
            taken[item[0]].append(item[1])
            under_way.append(item[0])

    for group in script:
        if group is not None:
            turns.put(group, (group, put[group]))
            put[group] += 1
        elif under_way or len(turns):
            step()
    while under_way or len(turns):
        step()

    assert taken == {group: list(range(put[group])) for group in SECONDS}
    assert turns.take() is None


@given(st.integers(1, 3), st.sets(groups, min_size=2), st.integers(1, 200))
def test_groups_that_wait_side_by_side_have_had_the_same_time(
    places: int, waiting: set[str], rounds: int
) -> None:
    turns: Turns[str] = Turns(1.0)
    had = dict.fromkeys(waiting, 0.0)
    for group in sorted(waiting):
        for _ in range(1000):
            turns.put(group, group)
    under_way: list[tuple[float, str]] = []
    now = 0.0
    for _ in range(rounds):
        while len(under_way) < places and (item := turns.take()):
            under_way.append((now + SECONDS[item], item))
        under_way.sort()
        now, group = under_way.pop(0)
        turns.end(group, SECONDS[group])
        had[group] += SECONDS[group]

    assert max(had.values()) - min(had.values()) <= 1.0 + places


def test_a_group_saves_no_time_up() -> None:
    turns: Turns[str] = Turns(1.0)
    for _ in range(10):
        turns.put("busy", "busy")
        turns.put("busy", "busy")
        assert turns.take() == "busy"
        turns.end("busy", 1.0)
    turns.put("late", "late")
    turns.put("late", "late")
    order = []
    for _ in range(4):
        item = turns.take()
        assert item is not None
        order.append(item)
        turns.end(item, 1.0)

    assert order == ["late", "busy", "late", "busy"]


def test_who_is_put_back_is_first_again() -> None:
    turns: Turns[int] = Turns(1.0)
    for number in range(3):
        turns.put("a", number)
    assert turns.take() == 0
    turns.end("a", 0.1)
    turns.put("a", 0, first=True)

    assert turns.oldest("a") == 0
    assert turns.oldest("b") is None


def test_only_the_first_of_a_line_are_shed() -> None:
    turns: Turns[int] = Turns(1.0)
    for number in (1, 2, 9, 3):
        turns.put("a", number)
    turns.put("b", 1)

    assert list(turns.shed(lambda number: number < 5)) == [1, 2, 1]
    assert len(turns) == 2

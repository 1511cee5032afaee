"""A view is what a filter keeps of a collection, sorted, whatever happened in between."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, strategies as st

from tui.live.collection import Collection
from tui.live.view import View


@dataclass(frozen=True)
class Row:
    id: str
    weight: int | None
    kept: bool = True


ids = st.sampled_from([f"id-{number}" for number in range(12)])
rows = st.builds(Row, ids, st.none() | st.integers(0, 5), st.booleans())
steps = st.lists(
    st.tuples(st.just("put"), st.lists(rows, max_size=5))
    | st.tuples(st.just("drop"), st.lists(ids, max_size=3))
    | st.tuples(st.just("refresh"), st.none()),
    max_size=30,
)


def expected(collection: Collection[Row], reverse: bool) -> list[str]:
    kept = [row for row in collection.records.values() if row.kept]
    known = sorted((row for row in kept if row.weight is not None), key=lambda row: row.id)
    known.sort(key=lambda row: row.weight or 0, reverse=reverse)
    return [row.id for row in known] + sorted(row.id for row in kept if row.weight is None)


@given(steps, st.booleans())
def test_it_is_in_order_after_any_changes(steps: list[tuple[str, object]], reverse: bool) -> None:
    collection: Collection[Row] = Collection()
    view = View(collection)
    view.choose(lambda row: row.kept)
    view.sort(lambda row: row.weight, reverse)

    for what, argument in steps:
        match what, argument:
            case "put", list(changed):
                collection.put(changed)
            case "drop", list(gone):
                collection.drop(gone)
            case _:
                view.refresh()
    view.refresh()

    assert view.ids() == expected(collection, reverse)
    assert [view.index(id_) for id_ in view.ids()] == list(range(len(view)))


def test_a_held_view_stays_as_it_is_and_counts_what_changed() -> None:
    collection: Collection[Row] = Collection()
    view = View(collection)
    collection.put([Row("a", 1), Row("b", 2)])
    view.pause()

    collection.put([Row("a", 3), Row("c", 1)])
    collection.drop(["b"])
    view.refresh()

    assert view.ids() == ["a", "b"]
    assert view.record("a") == Row("a", 1)
    assert view.record("b") == Row("b", 2)
    assert view.pending == 3

    view.resume()

    assert view.ids() == ["a", "c"]


def test_what_is_in_no_row_is_counted_held_or_not() -> None:
    collection: Collection[Row] = Collection()
    view = View(collection)
    collection.put([Row("a", 1), Row("b", 2)])
    view.choose(lambda row: row.id == "a")
    view.refresh()

    assert view.hidden(["a", "b", "c"]) == 2
    view.pause()
    assert view.hidden({"a"}) == 0
    assert view.hidden({"b"}) == 1


def test_a_closed_view_hears_of_nothing() -> None:
    collection: Collection[Row] = Collection()
    view = View(collection)
    view.refresh()
    view.close()

    collection.put([Row("a", 1)])

    assert not view.changed


def test_what_a_snapshot_does_not_tell_of_is_gone_after_it_and_not_before() -> None:
    collection: Collection[Row] = Collection()
    collection.put([Row("stays", 1), Row("goes", 1)])

    collection.begin_snapshot()
    collection.put([Row("stays", 2)])
    assert set(collection.records) == {"stays", "goes"}
    collection.end_snapshot()

    assert set(collection.records) == {"stays"}


def test_a_snapshot_that_broke_off_takes_nothing_away() -> None:
    collection: Collection[Row] = Collection()
    collection.put([Row("a", 1), Row("b", 1)])

    collection.begin_snapshot()
    collection.put([Row("a", 2)])
    assert set(collection.records) == {"a", "b"}
    collection.begin_snapshot()
    collection.put([Row("b", 2)])
    collection.end_snapshot()

    assert set(collection.records) == {"b"}


def test_the_first_go_when_there_are_too_many() -> None:
    collection: Collection[Row] = Collection(most=2)
    view = View(collection)

    collection.put([Row(f"{number}", number) for number in range(5)])
    view.refresh()

    assert view.ids() == ["3", "4"]
    assert collection.dropped == 3


def test_replacing_changes_only_what_differs() -> None:
    collection: Collection[Row] = Collection()
    same = Row("same", 1)
    collection.put([same, Row("other", 1), Row("gone", 1)])
    told: list[str] = []
    collection.listen(told.extend)

    collection.replace({"same": replace(same), "other": Row("other", 2)})

    assert sorted(told) == ["gone", "other"]
    assert collection.records["same"] is same

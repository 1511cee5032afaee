"""Lines of definitions as they change, and what is news after a break."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from podium.registry.v1 import registry_pb2 as pb
from services.registry import definitions
from tui.views.catalog import News, change_data, change_line, list_line
from tui.views.kinds import ALIASES, KINDS, kind_of

Response = pb.WatchCatalogResponse
STARTED = Response(snapshot_started=pb.SnapshotStarted())
CAUGHT_UP = Response(caught_up=pb.CaughtUp())


def state(name: str, revision: int = 1, *, deleted: bool = False) -> pb.DefinitionState:
    definition = pb.Definition(kind="workflow", name=name, version=1, revision=revision)
    if not deleted:
        definition.document = json.dumps({"name": name})
    return pb.DefinitionState(definition=definition, deleted=deleted)


def changes(*states: pb.DefinitionState) -> Response:
    return Response(changes=pb.CatalogChanges(states=states))


def told(news: News, *messages: Response) -> list[tuple[str, int]]:
    """Names and revisions; of what is gone revision 0."""
    found = [each for message in messages for each in news.of(message)]
    return [(s.definition.name, 0 if s.deleted else s.definition.revision) for s in found]


def test_a_snapshot_that_comes_again_tells_only_what_is_other() -> None:
    news = News()
    first = told(news, STARTED, changes(state("a"), state("b"), state("c")), CAUGHT_UP)

    again = told(news, STARTED, changes(state("a"), state("b", 5), state("d", 6)), CAUGHT_UP)

    assert first == [("a", 1), ("b", 1), ("c", 1)]
    assert again == [("b", 5), ("d", 6), ("c", 0)]


def test_a_snapshot_that_is_broken_off_tells_nothing_twice() -> None:
    news = News()
    begun = told(news, STARTED, changes(state("a")))

    assert begun == [("a", 1)]
    assert told(news, STARTED, changes(state("a"), state("b")), CAUGHT_UP) == [("b", 1)]


def test_what_changes_while_a_snapshot_is_read_is_told_once() -> None:
    news = News()
    told(news, STARTED, changes(state("a", 7)), CAUGHT_UP)

    assert told(news, changes(state("a", 7)), CAUGHT_UP) == []
    assert told(news, changes(state("a", deleted=True)), CAUGHT_UP) == [("a", 0)]
    assert told(news, changes(state("a", deleted=True)), CAUGHT_UP) == []


@given(
    st.lists(st.tuples(st.booleans(), st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9))))
)
def test_who_reads_the_news_holds_what_is_there(steps: list[tuple[bool, dict[str, int]]]) -> None:
    news, there, held = News(), dict[str, int](), dict[str, int]()
    revision = 0
    for snapshot, names in steps:
        before, there = there, {}
        for name in names:
            revision += 1
            # Some stay as they were.
            there[name] = before[name] if name in before and names[name] < 5 else revision
        gone = [state(name, deleted=True) for name in before if name not in there]
        news_of = (
            (STARTED, changes(*(state(n, r) for n, r in there.items())), CAUGHT_UP)
            if snapshot
            else (changes(*(state(n, r) for n, r in there.items()), *gone), CAUGHT_UP)
        )
        for name, at in told(news, *news_of):
            held.pop(name, None)
            if at:
                held[name] = at

        assert held == there


def test_a_line_shows_no_control_characters() -> None:
    definition = pb.Definition(kind="secret", name="a", updated_by="application:\x1b[31m")

    assert list_line(definition) == "secret a  1970-01-01 00:00:00Z  application:\\x1b[31m"


def test_a_removal_is_told_with_who_did_it() -> None:
    gone = state("a", deleted=True)
    gone.definition.updated_by = "application:admin"

    assert change_line(gone) == "workflow a v1  deleted  application:admin"
    # Of what a snapshot lacks, nobody knows which.
    gone_somehow = change_line(state("a", deleted=True))
    assert gone_somehow == "workflow a v1  deleted, or may not be seen any more"
    hidden = state("a", deleted=True)
    hidden.out_of_sight = True
    assert change_line(hidden) == "workflow a v1  may not be seen any more"
    assert change_data(hidden)["outOfSight"]
    assert change_data(gone)["deleted"]
    assert "document" not in change_data(gone)
    assert change_data(state("b"))["document"] == {"name": "b"}


@pytest.mark.parametrize(
    ("word", "kind"),
    [("wf", "workflow"), ("Workflows", "workflow"), ("svc", "service"), ("auths", "auth"),
     ("apps", "application"), ("schemas", "schema"), ("secret", "secret"), ("flow", "flow")],
)  # fmt: skip
def test_a_kind_has_short_words(word: str, kind: str) -> None:
    assert kind_of(word) == kind


def test_every_kind_of_the_registry_has_its_own_words() -> None:
    assert tuple(definitions.KINDS) == KINDS
    assert set(ALIASES.values()) == set(KINDS)

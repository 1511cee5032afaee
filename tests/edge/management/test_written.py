from __future__ import annotations

from services.edge.management.written import Written
from services.replica import Replica
from services.replica.copy import Place, Trust


def test_starts_have_what_was_put_here_and_what_came_from_elsewhere() -> None:
    replica = Replica((), Place("a", 5), Trust({}, frozenset()))
    written = Written(replica)
    assert written.revision == 5
    written.note(7)
    written.note(6)
    assert written.revision == 7
    replica.apply((), Place("a", 9))
    assert written.revision == 9


def test_a_restored_registry_is_not_waited_for_where_it_no_longer_is() -> None:
    replica = Replica((), Place("a", 50), Trust({}, frozenset()))
    written = Written(replica)
    written.note(60)
    replica.replace((), Place("b", 2))
    assert written.revision == 2
    written.note(3)
    assert written.revision == 3

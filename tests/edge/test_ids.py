"""Random ids."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from services.edge.ids import RandomIds


def test_each_is_a_random_uuid_of_its_own() -> None:
    new_id = RandomIds()

    made = [new_id() for _ in range(1000)]

    assert len(set(made)) == 1000
    assert all(str(UUID(each)) == each for each in made)
    assert {(UUID(each).version, UUID(each).variant) for each in made} == {(4, RFC_4122)}

from __future__ import annotations

from services.supervisor import restart_delay


def test_a_child_that_lived_is_started_again_at_once() -> None:
    assert restart_delay(5.0, previous=3.2) == 0.0


def test_one_that_dies_at_once_waits_longer_each_time_up_to_5_s() -> None:
    delays = [0.0]
    for _ in range(7):
        delays.append(restart_delay(0.1, delays[-1]))

    assert delays[1:] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]

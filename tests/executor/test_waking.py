"""Who is read from the disk for a letter: few at once, and nobody waits for them for long."""

from __future__ import annotations

import pytest

from services.executor.actors import Letter
from services.executor.core.events import Started
from services.executor.waking import Waking


class Mail:
    """What was delivered, and who is in memory."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.delivered: list[str] = []

    def deliver(self, execution_id: str, letter: Letter) -> None:
        assert letter.event is not None
        self.known.add(execution_id)
        self.delivered.append(execution_id)


@pytest.fixture
def mail() -> Mail:
    return Mail()


@pytest.fixture
def waking(mail: Mail) -> Waking:
    return Waking(mail.known.__contains__, mail.deliver, most=2)


def send(waking: Waking, *names: str) -> None:
    for name in names:
        waking.send(name, Letter(Started()))


def test_so_many_are_woken_and_the_others_wait_their_turn(mail: Mail, waking: Waking) -> None:
    send(waking, "a", "b", "c", "d")
    assert mail.delivered == ["a", "b"]

    waking.make_way("b")
    assert mail.delivered == ["a", "b", "c"]
    waking.make_way("b")
    assert mail.delivered == ["a", "b", "c"]
    waking.make_way("a")
    assert mail.delivered == ["a", "b", "c", "d"]


def test_who_is_in_memory_waits_for_nobody(mail: Mail, waking: Waking) -> None:
    send(waking, "a", "b")
    mail.known.add("z")

    send(waking, "z", "a", "c")

    assert mail.delivered == ["a", "b", "z", "a"]


def test_who_came_to_memory_meanwhile_takes_no_place(mail: Mail, waking: Waking) -> None:
    send(waking, "a", "b", "c", "d", "e")
    mail.known |= {"c", "d"}

    waking.make_way("a")

    assert mail.delivered == ["a", "b", "c", "d", "e"]

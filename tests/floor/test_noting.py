"""What the audit log keeps in memory of calls, however much they say."""

from __future__ import annotations

import tracemalloc

from services.auditing import FAILED, Entry
from services.auditing.calling import printed
from services.auditing.noting import Noting

MEGABYTE = 1 << 20


class _Nobody:
    def application(self, application_id: str, /) -> None:
        return None


async def test_of_what_failed_no_more_is_remembered_than_is_written() -> None:
    written: list[str] = []

    async def write(entry: Entry) -> None:
        written.append(entry.text("kind"))

    noting = Noting(write, _Nobody(), leaves=False)
    tracemalloc.start()
    try:
        for letter in "abcdefgh":
            await noting.refused(Entry("", "delete", letter * MEGABYTE, outcome=FAILED), "ada")
            await noting.refused(Entry("", "delete", letter * MEGABYTE, outcome=FAILED), "ada")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert written == [letter * 50 for letter in "abcdefgh"]
    assert kept < MEGABYTE


def test_what_is_too_long_to_be_printed_is_not_read_to_its_end() -> None:
    said = "\x1b" * 8 * MEGABYTE
    tracemalloc.start()
    try:
        assert printed(said) == "?" * 120
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < MEGABYTE

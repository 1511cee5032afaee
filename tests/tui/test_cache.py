from __future__ import annotations

import pytest

from tui.views.cache import size, summary, table


def row(**fields: object) -> dict[str, object]:
    counts = {"entries": 2, "bytes": 2500, "hits": 10, "misses": 2, "collapsed": 1, "bypassed": 0}
    return {"service": "shop", "method": "GET", "path": "/shop/{id}", **counts, **fields}


def test_a_table_has_a_line_a_route_below_its_titles() -> None:
    assert table([row(), row(service="b", method="POST", path="/b", hits=12345)]) == [
        "service  route           entries    bytes   hits  misses  collapsed  bypassed",
        "shop     GET /shop/{id}        2  2.4 KiB     10       2          1         0",
        "b        POST /b               2  2.4 KiB  12345       2          1         0",
    ]
    assert table([]) == []


def test_the_whole_is_one_line() -> None:
    status = {"entries": 2, "bytes": 2500, "limitBytes": 1 << 26, "letOff": 0, "underWay": 1}

    assert summary(status) == (
        "2 answers kept, 2.4 KiB of 64.0 MiB; 0 let off to make room, 1 being made"
    )
    assert "PODIUM_CACHE_BYTES" in summary({**status, "limitBytes": 0})


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (3 << 30, "3.0 GiB"),
        (1 << 40, "1024.0 GiB"),
    ],
)
def test_bytes_are_told_in_their_unit(count: int, told: str) -> None:
    assert size(count) == told

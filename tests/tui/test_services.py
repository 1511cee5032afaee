from __future__ import annotations

from tui.views.services import service_line


def test_a_service_is_one_line_with_its_facts_in_words() -> None:
    row = {
        "service": "edge",
        "address": "127.0.0.1:7403",
        "status": "SERVING",
        "revision": 0,
        "definitionsStale": False,
        "executorConnected": True,
    }

    assert service_line(row) == (
        "edge        127.0.0.1:7403         SERVING  "
        "revision 0  definitionsStale no  executorConnected yes"
    )


def test_one_that_is_away_has_no_facts() -> None:
    row = {"service": "registry", "address": "[::1]:7401", "status": "AWAY"}

    assert service_line(row) == "registry    [::1]:7401             AWAY"

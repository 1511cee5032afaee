"""What becomes of a service's error at the edge."""

from __future__ import annotations

import pytest

from services.edge.endpoint import problem_of
from services.errors import KINDS, ServiceError


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_answered_with_the_status_of_the_table(kind: type[ServiceError]) -> None:
    problem = problem_of(kind("Inner."))

    assert problem.status == kind.status
    assert problem.detail == ""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.status == 503])
def test_what_may_be_asked_again_says_when(kind: type[ServiceError]) -> None:
    assert (b"retry-after", b"1") in problem_of(kind("Inner.")).headers

"""Ids of executions where there is little room."""

from __future__ import annotations

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.query import parse
from services.query.executions import EXECUTIONS
from tui.views.ids import brief_id, is_id, way_to, with_brief_ids
from tui.views.operations import result_line

ID = "01a21ec6-915a-7c3e-8f00-423bf868c0d3"


def test_of_an_id_the_end_is_shown() -> None:
    assert brief_id(ID) == "f868c0d3"


@pytest.mark.parametrize("text", ["", "order", ID[:-1], f"{ID}0", f"{ID} ", f"x{ID}", ID.upper()])
def test_what_is_no_id_is_taken_for_none(text: str) -> None:
    assert is_id(ID)
    assert not is_id(text)


def test_ids_within_a_text_are_shortened_and_nothing_else_of_it() -> None:
    text = f"podium terminate {ID} {ID} --reason '{ID}'"

    assert with_brief_ids(text) == "podium terminate …f868c0d3 …f868c0d3 --reason '…f868c0d3'"
    assert with_brief_ids("podium terminate 9f2c") == "podium terminate 9f2c"
    assert with_brief_ids(f"x{ID}") == f"x{ID}"


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("01a21ec6-915a", "01a21ec6-915a"),
        ("…423bf868c0d3", "423bf868c0d3"),
        ("01a21ec6…", "01a21ec6"),
        ("-8f00-423bf868c0d3", "8f00-423bf868c0d3"),
        (f"{ID}0", f"{ID}0"),
        ("order_17", "order_17"),
    ],
)
def test_a_part_of_an_id_says_what_finds_it(part: str, word: str) -> None:
    assert f"podium executions {word} finds" in way_to(part)
    assert parse(word, EXECUTIONS)


def test_what_is_no_word_of_a_query_says_how_ids_are_found() -> None:
    for part in ("a b", "wf:order", "…", "é", "$(a)"):
        assert way_to(part) == "Ids are written whole; podium executions lists them."


def test_a_whole_id_needs_no_way_out() -> None:
    assert way_to(ID) == way_to(ID.upper()) == way_to("") == ""


def test_what_was_refused_for_a_part_of_an_id_says_what_finds_it() -> None:
    def told(id_: str, reason: str) -> str:
        return result_line(
            pb.OperationResult(
                execution_id=id_, outcome=pb.OPERATION_OUTCOME_REFUSED, reason=reason, detail="No."
            )
        )

    assert told("01a2", "NOT_FOUND").startswith("01a2: No. Ids are written whole;")
    assert told("01a2", "CONFLICT") == "01a2: No."
    assert told(ID, "NOT_FOUND") == f"{ID}: No."

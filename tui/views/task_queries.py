"""Queries of tasks that other lists lead to."""

from __future__ import annotations

from services.query import Pattern, Term, conjoined, disjoined, format_query


def of_queue(type_: str) -> str:
    """Tasks of a queue that wait or are at work; of all domains, which a search does not know.

    Those of a queue of a name space, ``NAME@SPACE`` or ``NAME@SPACE-GROUP``, have the name NAME.
    """
    names = dict.fromkeys((type_, type_.partition("@")[0] or type_))
    named = [Term(field, "=", (Pattern((name,)),)) for name in names for field in ("name", "kind")]
    open_ = Term("status", "=", ("SCHEDULED", "IN_PROGRESS"))
    return format_query(conjoined((open_, disjoined(named))))


def of_worker(worker: str) -> str:
    """Tasks that a worker has, or had last."""
    return format_query(Term("worker", "=", (Pattern((worker,)),)))

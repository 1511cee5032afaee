"""One query grammar for lists, filters and searches: text into a tree, and what a tree is for."""

from services.query.completion import Completion, complete
from services.query.durations import micros
from services.query.formatting import format_query
from services.query.matching import matcher, moves
from services.query.parsing import parse
from services.query.splitting import Parts, local_part
from services.query.tree import (
    EVERYTHING,
    NOTHING,
    And,
    Not,
    Or,
    Pattern,
    Query,
    QueryFault,
    Term,
    Words,
    conjoined,
    disjoined,
    leaves,
    negated,
    says_nothing,
)
from services.query.vocabulary import Field, Kind, Vocabulary

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "And",
    "Completion",
    "Field",
    "Kind",
    "Not",
    "Or",
    "Parts",
    "Pattern",
    "Query",
    "QueryFault",
    "Term",
    "Vocabulary",
    "Words",
    "complete",
    "conjoined",
    "disjoined",
    "format_query",
    "leaves",
    "local_part",
    "matcher",
    "micros",
    "moves",
    "negated",
    "parse",
    "says_nothing",
]

"""The task kinds: one file each, and one name in this table."""

from __future__ import annotations

from collections.abc import Mapping

from services.executor.core.kind import Kind
from services.executor.kinds.do_while import DoWhile
from services.executor.kinds.dynamic import Dynamic
from services.executor.kinds.event import Event
from services.executor.kinds.exclusive_join import ExclusiveJoin
from services.executor.kinds.fork_join import ForkJoin
from services.executor.kinds.fork_join_dynamic import ForkJoinDynamic
from services.executor.kinds.http import Http
from services.executor.kinds.http_poll import HttpPoll
from services.executor.kinds.human import Human
from services.executor.kinds.inline import Inline
from services.executor.kinds.join import Join
from services.executor.kinds.json_jq_transform import JsonJqTransform
from services.executor.kinds.lambda_ import Lambda
from services.executor.kinds.noop import Noop
from services.executor.kinds.set_variable import SetVariable
from services.executor.kinds.simple import Simple
from services.executor.kinds.start_workflow import StartWorkflow
from services.executor.kinds.sub_workflow import SubWorkflow
from services.executor.kinds.switch import Decision, Switch
from services.executor.kinds.table import Table
from services.executor.kinds.terminate import Terminate
from services.executor.kinds.wait import Wait
from services.executor.kinds.wait_for_webhook import WaitForWebhook

_BUILT_IN: Mapping[str, Kind] = {
    "DECISION": Decision(),
    "DO_WHILE": DoWhile(),
    "EVENT": Event(),
    "EXCLUSIVE_JOIN": ExclusiveJoin(),
    "FORK_JOIN": ForkJoin(),
    "FORK_JOIN_DYNAMIC": ForkJoinDynamic(),
    "HTTP": Http(),
    "HTTP_POLL": HttpPoll(),
    "HUMAN": Human(),
    "INLINE": Inline(),
    "JOIN": Join(),
    "JSON_JQ_TRANSFORM": JsonJqTransform(),
    "LAMBDA": Lambda(),
    "NOOP": Noop(),
    "SET_VARIABLE": SetVariable(),
    "SIMPLE": Simple(),
    "START_WORKFLOW": StartWorkflow(),
    "SUB_WORKFLOW": SubWorkflow(),
    "SWITCH": Switch(),
    "TERMINATE": Terminate(),
    "WAIT": Wait(),
    "WAIT_FOR_WEBHOOK": WaitForWebhook(),
}

# Whatever type is not built in is done by workers.
KINDS: Mapping[str, Kind] = Table(
    {**_BUILT_IN, "DYNAMIC": Dynamic(frozenset(_BUILT_IN))}, others=_BUILT_IN["SIMPLE"]
)


def with_branches(most: int) -> Mapping[str, Kind]:
    """:data:`KINDS`, where a fork has at most so many branches."""
    forks = {"FORK_JOIN": ForkJoin(most), "FORK_JOIN_DYNAMIC": ForkJoinDynamic(most)}
    return Table({**KINDS, **forks}, others=_BUILT_IN["SIMPLE"])

"""How many may be at work, whose workers have a task, and how large what is kept may be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from services.executor.core.commands import Count, Recall
from services.executor.core.events import CallbacksReset, Started, TaskUpdated, TimerFired, TimerKey
from services.executor.core.model import Json, TaskStatus
from services.executor.core.policy import Limits
from services.executor.core.sizes import MAX_DOCUMENT_BYTES
from services.executor.core.turns import MOST_LOG_LINES, candidates, domains_of
from services.executor.core.workflow import RateLimit
from services.executor.hands import ACTIVE_SECONDS, Hands, Taker
from services.executor.kinds.workflow_keys import STRATEGIES, Key
from services.executor.rooms import Rooms
from tests.executor.conductor.rows import (
    CROWDS,
    KEYS,
    RECORDS,
    SCHEMAS,
    SMALLER,
    WORKERS,
    Act,
    Part,
    Row,
    answered,
    check,
    happens,
    ids,
    taken,
    worker_says,
)
from tests.executor.core.simulator import EPOCH, Simulator, answer, http, task, workflow

Shows = Mapping[str, Json | Part]
GIVEN_UP = "FAILED_WITH_TERMINAL_ERROR"


@pytest.mark.parametrize("record", [CROWDS, KEYS, SCHEMAS, SMALLER, WORKERS])
def test_a_difference_has_its_record(record: str) -> None:
    assert (RECORDS / record).read_text().startswith(f"# {record[:4]}: ")


# How many at a time, and in a time; both hold for built-in types, too (SMALLER, WORKERS).


def limited(rule: str, shows: Shows, *after: Act, kind: str = "HTTP", record: str = "",
            **definition: Json) -> Row:  # fmt: skip
    flow = workflow(task("a", kind, {"uri": "http://x", "method": "GET"}),
                    definitions={"a": definition})  # fmt: skip
    return Row(rule, flow, shows, after, record)


LIMITED = (
    limited("a call waits for room where its definition has a limit", {"a": "SCHEDULED",
            "a.queue": "=a"}, concurrentExecLimit=2),
    limited("and begins with its turn", {"a": "IN_PROGRESS", "a.request.uri": "http://x"},
            taken("a"), concurrentExecLimit=2),
    limited("0 is no limit", {"a": "IN_PROGRESS", "a.queue": ""}, concurrentExecLimit=0),
    limited("nor is a rate of 0", {"a": "IN_PROGRESS"}, rateLimitPerFrequency=0),
    limited("nor a rate in no time", {"a": "IN_PROGRESS"}, rateLimitPerFrequency=5,
            rateLimitFrequencyInSeconds=0),
    limited("a rate alone is in a second", {"a.memory.limits": [0, 5, 1.0]},
            rateLimitPerFrequency=5),
    limited("what workers do has the same", {"a.queue": ":a", "a.memory.limits": [2, 5, 10.0]},
            kind="SIMPLE", concurrentExecLimit=2, rateLimitPerFrequency=5,
            rateLimitFrequencyInSeconds=10),
    # There what is over a limit is looked at again a minute later.
    limited("what waits has no timer of its own", {"a": "SCHEDULED", "a.waits": []},
            concurrentExecLimit=2, record=WORKERS),
)  # fmt: skip


@pytest.mark.parametrize("row", LIMITED, ids=ids)
def test_limits_of_a_definition(row: Row) -> None:
    check(row)


async def test_no_more_are_at_work_than_the_limit_and_the_next_at_once() -> None:
    told: list[list[str]] = []
    rooms = Rooms(asyncio.get_running_loop(), lambda queues: told.append([*queues]))
    rooms.limited("a", Limits(1, 0, timedelta(seconds=1)), {})
    rooms.begin("a", "first")
    rooms.waits("a", ":a")
    assert not rooms.has("a")
    rooms.leave("a", "first")
    assert (rooms.has("a"), told) == (True, [[":a"]])
    rooms.close()


async def test_no_more_begin_in_a_window_than_the_rate_and_it_slides() -> None:
    now = 1_000.0
    rooms = Rooms(asyncio.get_running_loop(), lambda queues: None, lambda: now)
    rooms.limited("a", Limits(0, 2, timedelta(seconds=10)), {})
    rooms.begin("a", "first")
    now += 6
    rooms.begin("a", "second")
    rooms.leave("a", "first")
    assert not rooms.has("a")
    now += 5
    assert rooms.has("a")
    rooms.close()


@pytest.mark.parametrize(
    "limits", [Limits(0, 5, timedelta(hours=1)), Limits(0, 1, timedelta(milliseconds=1)), None]
)
async def test_who_waits_by_a_rate_is_looked_at_when_that_is_another(limits: Limits | None) -> None:
    now = 1_000.0
    told: list[list[str]] = []
    loop = asyncio.get_running_loop()
    rooms = Rooms(loop, lambda queues: told.append([*queues]), lambda: now)
    rooms.limited("a", Limits(0, 1, timedelta(hours=1)), {})
    rooms.begin("a", "first")
    rooms.waits("a", ":a")
    assert not rooms.has("a")
    rooms.limited("a", Limits(0, 1, timedelta(hours=1)), {})
    assert told == []

    now += 1
    rooms.limited("a", limits, {})

    assert (told, rooms.has("a")) == ([[":a"]], True)
    rooms.close()


async def test_the_moment_that_a_rate_waits_for_is_that_of_the_newest() -> None:
    told = asyncio.Event()
    rooms = Rooms(asyncio.get_running_loop(), lambda queues: told.set())
    rooms.limited("a", Limits(0, 1, timedelta(hours=1)), {})
    rooms.begin("a", "first")
    rooms.waits("a", ":a")
    assert not rooms.has("a")
    rooms.limited("a", Limits(0, 1, timedelta(milliseconds=50)), {})
    told.clear()

    # As who is told looks: it is still full, for a moment.
    while not rooms.has("a"):
        await told.wait()
        told.clear()
    rooms.close()


def test_what_counts_for_a_rate_is_written_down() -> None:
    row = limited("rate", {}, rateLimitPerFrequency=5)
    run = Simulator(row.flow).begin()
    taken("a")(run)
    assert [type(each) for each in run.counted] == [Count]


# In which domain the workers are.


@pytest.mark.parametrize(
    ("domains", "queues"),
    [
        ({}, [":charge"]),
        ({"charge": "eu"}, ["eu:charge"]),
        ({"*": "eu"}, ["eu:charge"]),
        ({"*": "eu", "charge": "us"}, ["us:charge"]),
        ({"other": "eu"}, [":charge"]),
        ({"charge": "eu,us,NO_DOMAIN"}, ["eu:charge", "us:charge", ":charge"]),
        ({"charge": " eu , us "}, ["eu:charge", "us:charge"]),
        ({"charge": "NO_DOMAIN"}, [":charge"]),
    ],
)
def test_a_type_is_looked_up_before_the_star(domains: dict[str, str], queues: list[str]) -> None:
    assert [*candidates(domains, "charge")] == queues


def test_a_domain_counts_while_a_worker_is_there_or_was_within_ten_seconds() -> None:
    now = 0.0
    hands, taker = Hands(lambda: now), Taker()
    taker.worker_id = "w1"
    assert not hands.active(ACTIVE_SECONDS)
    hands.join(taker, 0)
    now = 60.0
    assert hands.active(ACTIVE_SECONDS)
    hands.leave(taker)
    now = 69.0
    assert hands.active(ACTIVE_SECONDS)
    now = 71.0
    assert not hands.active(ACTIVE_SECONDS)


def test_of_several_domains_it_is_asked_which_has_workers() -> None:
    flow = workflow(task("a", "SIMPLE"))
    check(Row("several", flow, {"a.queue": ":a"}, domains={"a": "eu,NO_DOMAIN"}))


def test_built_in_types_have_no_domain() -> None:
    check(Row("none", workflow(http("a")), {"a.queue": ""}, domains={"*": "eu"}))


def test_a_domain_that_cannot_be_is_none() -> None:
    assert domains_of({"a": "eu:x", "b": 7, "c": "eu"}) == {"c": "eu"}


# Keys of workflows: in Conductor's model, and never looked at there.


@pytest.mark.parametrize(
    ("strategy", "attaches", "anew"),
    [(None, False, False), ("FAIL", False, False), ("RETURN_EXISTING", True, False),
     ("FAIL_ON_RUNNING", False, True)],
)  # fmt: skip
def test_a_key_has_one_of_three_strategies(
    strategy: str | None, attaches: bool, anew: bool
) -> None:
    key = Key.of({"idempotencyKey": "k", "idempotencyStrategy": strategy})
    assert (key.attaches, key.anew) == (attaches, anew)
    assert strategy is None or strategy in STRATEGIES


def test_a_strategy_without_a_key_says_nothing() -> None:
    # Clients send FAIL without one.
    assert Key.of({"idempotencyStrategy": "FAIL"}).text == ""


# What Conductor has in its model only.


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({"rateLimitKey": "k", "concurrentExecLimit": 2}, RateLimit("k", 2, rejects=False)),
        ({"concurrentExecLimit": 2, "policy": "REJECT"}, RateLimit(None, 2, rejects=True)),
        ({"concurrentExecLimit": 2, "policy": "QUEUE"}, RateLimit(None, 2, rejects=False)),
        ({"rateLimitKey": "k", "concurrentExecLimit": 0}, None),
    ],
)
def test_executions_of_a_workflow_are_limited(config: Json, limit: RateLimit | None) -> None:
    assert workflow(task("n", "NOOP"), rateLimitConfig=config).rate_limit == limit


def test_an_output_is_looked_for_under_its_key() -> None:
    call = http("a", cacheConfig={"key": "${http_request.uri}", "ttlInSecond": 60})
    other = http("a", {"uri": "http://elsewhere"}, cacheConfig=call["cacheConfig"])
    keys = []
    for each in (call, call, other):
        commands = Simulator(workflow(each)).happens(Started()).commands
        (recall,) = [command for command in commands if isinstance(command, Recall)]
        keys.append(recall.key)
    assert keys[0] == keys[1] != keys[2]


def test_an_input_that_breaks_its_schema_fails_the_task_for_good() -> None:
    schema: Json = {"data": {"type": "object", "required": ["amount"]}}
    enforced: Json = {"enforceSchema": True, "inputSchema": schema}
    flow = workflow(task("a", "SIMPLE"), definitions={"a": enforced})
    check(Row("enforced", flow, {"a": GIVEN_UP, "a.reason": Part("amount")}, record=SCHEMAS))
    lax: Json = {"inputSchema": schema}
    flow = workflow(task("a", "SIMPLE"), definitions={"a": lax})
    check(Row("not enforced", flow, {"a": "SCHEDULED"}))


# How large.


def test_an_answer_beyond_the_limit_of_a_document_fails_the_task_for_good() -> None:
    # The limit is another one (10 MB there); what comes of it is the same.
    huge = answer(["x" * (MAX_DOCUMENT_BYTES // 2)])
    flow = workflow(http("a", None, retryCount=2))
    row = Row("huge", flow, {"a": GIVEN_UP, "a.attempts": 1, "workflow": "FAILED",
              "a.reason": Part("are allowed")}, (answered("a", huge),), record=SMALLER)  # fmt: skip
    object.__setattr__(huge, "size", 2 << 20)
    check(row)


@pytest.mark.parametrize("lines", [[10], [MOST_LOG_LINES], [600, 600]])
def test_a_log_has_a_thousand_lines(lines: Sequence[int]) -> None:
    # Conductor takes ten at a time and has no other bound.
    run = Simulator(workflow(task("a", "SIMPLE"))).begin()
    taken("a")(run)
    for count in lines:
        said = tuple((EPOCH, "line") for _ in range(count))
        run.happens(TaskUpdated(TaskStatus.IN_PROGRESS, task_id=run.task("a").id, logs=said,
                                worker_id="w1", by_worker=True))  # fmt: skip
    assert sum(len(log.lines) for log in run.logs) == min(sum(lines), MOST_LOG_LINES)


# Callbacks.


def test_callbacks_that_are_reset_are_had_at_once() -> None:
    flow = workflow(task("a", "SIMPLE"))
    row = Row("reset", flow, {"a": "SCHEDULED", "a.waits": [], "a.queue": ":a"},
              (taken("a"), worker_says("a", "IN_PROGRESS", back=600),
               happens(CallbacksReset())))  # fmt: skip
    check(row)


def test_a_timer_of_the_past_means_nothing() -> None:
    run = Simulator(workflow(task("a", "SIMPLE"))).begin()
    before = run.execution
    run.happens(TimerFired(TimerKey(run.task("a").id, "timeout")))
    assert run.execution == before

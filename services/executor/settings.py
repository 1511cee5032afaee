"""What the executor is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services.egress.configured import EgressSettings
from services.executor.capacity import MOST_OPEN, MOST_WAITING_TASKS
from services.executor.core import environment
from services.executor.core.webhooks import DELAYS
from services.settings import Observed, address, number, path, seconds, setting, url, words

# Beyond some thousand years there is no date for the next attempt.
_LONGEST_DELAY = timedelta(days=30)


def _environment(text: str) -> tuple[str, ...]:
    return environment.checked(words(text))


def _delays(text: str) -> tuple[timedelta, ...]:
    delays = tuple(map(seconds(), words(text)))
    if any(each > _LONGEST_DELAY for each in delays):
        raise ValueError(f"must be at most {_LONGEST_DELAY.total_seconds():.0f} seconds each")
    return delays


@dataclass(frozen=True, kw_only=True)
class ExecutorSettings(EgressSettings, Observed):
    """The executor's settings."""

    listen: str = setting(
        "PODIUM_EXECUTOR_LISTEN",
        "127.0.0.1:7402",
        "Where the executor serves gRPC, HOST:PORT.",
        parse=address,
    )
    database: Path | None = setting(
        "PODIUM_EXECUTOR_DATABASE",
        None,
        "The executor's database; without it, `executor.db` in the home. Its copy of the "
        "definitions lies beside it.",
        parse=path,
    )
    registry: str = setting(
        "PODIUM_REGISTRY",
        "127.0.0.1:7401",
        "Where the registry is reached, HOST:PORT.",
        parse=address,
    )
    secret_key_file: Path | None = setting(
        "PODIUM_SECRET_KEY_FILE",
        None,
        "The file of the key that secrets are sealed with, the same for registry and executor; "
        "without it, `secret.key` in the home.",
        parse=path,
    )
    public_url: str = setting(
        "PODIUM_PUBLIC_URL",
        "http://127.0.0.1:8080",
        "Where the gateway is reached from outside: callback URLs begin with it, and the "
        "management API shows it before the paths of services.",
        parse=url,
    )
    workflow_environment: tuple[str, ...] = setting(
        "PODIUM_WORKFLOW_ENVIRONMENT",
        (),
        "Which environment variables of the executor workflows read as `${workflow.env.NAME}`: "
        "names, or beginnings of names with a `*` (STAGE,APP_*), between commas. None that begins "
        "with PODIUM_.",
        parse=_environment,
    )
    script_workers: int = setting(
        "PODIUM_SCRIPT_WORKERS",
        2,
        "How many scripts of workflows run side by side, each in a process of its own.",
        parse=number(1, 64),
    )
    calls_per_host: int = setting(
        "PODIUM_EXECUTOR_CALLS_PER_HOST",
        256,
        "How many calls of tasks are under way at once to one host; the others wait in order.",
        parse=number(1),
    )
    branches: int = setting(
        "PODIUM_EXECUTOR_BRANCHES",
        100_000,
        "How many branches a fork may have; one with more fails.",
        parse=number(1, 1_000_000),
    )
    open_executions: int = setting(
        "PODIUM_EXECUTOR_OPEN_EXECUTIONS",
        MOST_OPEN,
        "How many executions may not have ended; beyond, none begins but for children of those "
        "that run.",
        parse=number(1),
    )
    open_of_workflow: int = setting(
        "PODIUM_EXECUTOR_OPEN_EXECUTIONS_OF_WORKFLOW",
        0,
        "How many of them may be of one workflow; 0: as many as in all.",
        parse=number(0),
    )
    waiting_tasks: int = setting(
        "PODIUM_EXECUTOR_WAITING_TASKS",
        MOST_WAITING_TASKS,
        "How many tasks may wait for workers; beyond, no execution begins but for children of "
        "those that run.",
        parse=number(1),
    )
    calls: int = setting(
        "PODIUM_EXECUTOR_CALLS",
        2048,
        "How many calls of tasks are under way at once in all.",
        parse=number(1),
    )
    breaker_percent: int = setting(
        "PODIUM_EXECUTOR_BREAKER_PERCENT",
        50,
        "The circuit breaker of a host opens when so many of a hundred calls of tasks to it have "
        "failed (5xx, unreachable, no whole answer); 0: none ever opens by itself.",
        parse=number(0, 100),
    )
    breaker_calls: int = setting(
        "PODIUM_EXECUTOR_BREAKER_CALLS",
        20,
        "Of fewer calls within the window no circuit breaker concludes anything.",
        parse=number(1),
    )
    breaker_window: timedelta = setting(
        "PODIUM_EXECUTOR_BREAKER_WINDOW_SECONDS",
        timedelta(seconds=10),
        "For how long the outcome of a call counts for the circuit breaker of its host.",
        parse=seconds(1),
    )
    breaker_open: timedelta = setting(
        "PODIUM_EXECUTOR_BREAKER_OPEN_SECONDS",
        timedelta(seconds=5),
        "After how long three calls go out on trial to a host whose circuit breaker has opened; "
        "twice as long after each trial that fails, at most a minute.",
        parse=seconds(0.1),
    )
    webhook_delays: tuple[timedelta, ...] = setting(
        "PODIUM_WEBHOOK_DELAYS_SECONDS",
        DELAYS,
        "How long after each attempt to tell a completion webhook the next one follows, give or "
        "take a tenth, at most 30 days each; after the last it is given up.",
        parse=_delays,
    )
    retention: timedelta = setting(
        "PODIUM_EXECUTOR_RETENTION_SECONDS",
        timedelta(days=7),
        "How long an execution is kept after its end; at least a day, 86400.",
        parse=seconds(86_400),
    )
    export: Path | None = setting(
        "PODIUM_EXECUTOR_EXPORT_FOLDER",
        None,
        "The folder to which executions are written before they are kept no more: gzipped files of "
        "Conductor's JSON, an execution a line. Without it they go.",
        parse=path,
    )
    drain: timedelta = setting(
        "PODIUM_EXECUTOR_DRAIN_SECONDS",
        timedelta(seconds=3),
        "How long calls of tasks under way are given when the executor stops; what has not ended "
        "then is made again by the next start.",
        parse=seconds(),
    )

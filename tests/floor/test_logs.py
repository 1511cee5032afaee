"""Logs: one JSON object a line, with the ids of what is being worked on."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Generator
from datetime import datetime
from typing import Any

import pytest

from services import logs

logger = logging.getLogger("services.test")


@pytest.fixture
def written() -> Generator[io.StringIO]:
    """What is logged as the service "edge" from INFO on; the set-up of before comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    flags = logging.logThreads, logging.logProcesses, logging.logMultiprocessing
    logs.configure("info", "edge")
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_and_what(written: io.StringIO) -> None:
    logger.info("Started %d.", 3, extra={"port": 7401})
    logger.debug("Not told.")
    (line,) = lines(written)
    at = datetime.fromisoformat(line.pop("time"))
    assert at.utcoffset() is not None
    assert line == {
        "level": "info",
        "service": "edge",
        "logger": "services.test",
        "message": "Started 3.",
        "port": 7401,
    }


def test_bound_ids_are_on_every_line_within(written: io.StringIO) -> None:
    with logs.bound(request_id="r1", execution_id=""):
        logger.info("one")
        with logs.bound(execution_id="e1"):
            logger.info("two")
        logger.info("three")
    logger.info("four")
    ids = [(each.get("request_id"), each.get("execution_id")) for each in lines(written)]
    assert ids == [("r1", None), ("r1", "e1"), ("r1", None), (None, None)]


async def test_tasks_side_by_side_keep_their_own_ids(written: io.StringIO) -> None:
    async def work(name: str) -> None:
        with logs.bound(request_id=name):
            await asyncio.sleep(0)
            logger.info(name)

    await asyncio.gather(*(work(f"r{number}") for number in range(5)))
    assert all(each["request_id"] == each["message"] for each in lines(written))


def test_an_exception_stays_on_its_line(written: io.StringIO) -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        logger.exception("It failed.")
    (line,) = lines(written)
    assert "ValueError: a\nb" in line["exception"]


def test_hostile_text_stays_on_its_line() -> None:
    # Not by a logger: what a test logs is told to the other process of a parallel run, and a lone
    # surrogate ends that process.
    text = "a\r\n{}\x00\ud800\u2028"
    record = logging.LogRecord("services.test", logging.INFO, __file__, 1, "%s", (text,), None)
    line = logs.JsonLines("edge").format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == text


def test_an_extra_does_not_pass_for_what_is_ours(written: io.StringIO) -> None:
    with logs.bound(request_id="r1"):
        logger.info("x", extra={"service": "other", "request_id": "r2", "odd": object})
    (line,) = lines(written)
    assert (line["service"], line["request_id"]) == ("edge", "r1")
    assert "object" in line["odd"]


def test_warnings_are_lines_too(written: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", stacklevel=1)
    assert lines(written)[0]["level"] == "warning"

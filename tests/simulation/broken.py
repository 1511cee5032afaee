"""What the services only log, since whoever waits for one must not end with another."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.first: logging.LogRecord | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record


@contextmanager
def nothing_broken() -> Iterator[None]:
    """Within, an error that is logged is one of who looks: raises AssertionError at the end."""
    logger, errors = logging.getLogger("services"), _Errors()
    logger.addHandler(errors)
    try:
        yield
    finally:
        logger.removeHandler(errors)
    if (record := errors.first) is not None:
        fault = record.exc_info[1] if record.exc_info else None
        raise AssertionError(f"{record.getMessage()} {fault!r}") from fault

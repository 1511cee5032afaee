"""``Cache-Control`` (RFC 9111), as calls say it and as answers do: what may be kept. No IO."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.edge.call import JSON, Answer

_DIRECTIVE = re.compile(
    rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*)))?"
)
_SECONDS = re.compile(rb"[0-9]{1,10}\Z")
# No caller has so much to say; of an answer all is read.
_LONGEST = 1024
_NOT_KEPT = ("no-cache", "no-store", "private")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a call wants of a cache (RFC 9111 §5.2.1).

    Attributes:
        no_cache: An answer that was made for this call.
        no_store: That, and nothing of it kept.
        only_if_cached: A kept answer, or none.
        max_age: The most seconds since a kept answer was made; None: any.
        min_fresh: The fewest seconds for which it must still hold.
    """

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age: int | None = None
    min_fresh: int = 0

    def takes(self, age: float, left: float) -> bool:
        """Whether an answer will do that was made ``age`` seconds ago, and holds for ``left``."""
        if self.no_cache or self.no_store or left < self.min_fresh:
            return False
        return self.max_age is None or age <= self.max_age


NO_WISH = Wish()


def wish_of(headers: Iterable[tuple[bytes, bytes]], *, costs_nothing: bool) -> Wish:
    """What the ``Cache-Control`` headers of a call say, as far as it is understood.

    Args:
        headers: Of the call.
        costs_nothing: Heed only what never has an execution started: callers whom nobody knows
            must not decide that.
    """
    said = _directives(headers, _LONGEST)
    only_if_cached = "only-if-cached" in said
    if costs_nothing:
        return Wish(only_if_cached=only_if_cached)
    return Wish(
        no_cache="no-cache" in said,
        no_store="no-store" in said,
        only_if_cached=only_if_cached,
        max_age=_seconds(said.get("max-age", b"")),
        min_fresh=_seconds(said.get("min-fresh", b"")) or 0,
    )


def seconds_to_keep(answer: Answer, most: float, told_apart: Collection[str]) -> float:
    """For how long ``answer`` may be kept, ``most`` at most; 0.0: it may not.

    A script may say less by ``Cache-Control``. What is for one caller, or depends on more of the
    request than the key does, is not kept (RFC 9111 §3, §4.1).

    Args:
        told_apart: Names of the request headers that the key has, in lower case.
    """
    if answer.status != 200:
        return 0.0
    return most if answer.headers == (JSON,) else _by_headers(answer, most, told_apart)


def may_be_shared(answer: Answer, told_apart: Collection[str]) -> bool:
    """Whether others who wait for the same may have it, though it may be of any status."""
    return answer.headers == (JSON,) or _by_headers(answer, 1.0, told_apart) > 0


def _by_headers(answer: Answer, most: float, told_apart: Collection[str]) -> float:
    names = {name for name, _ in answer.headers}
    if b"set-cookie" in names or not _listed(answer, b"vary") <= set(told_apart):
        return 0.0
    said = _directives(answer.headers)
    if any(directive in said for directive in _NOT_KEPT):
        return 0.0
    for directive in ("s-maxage", "max-age"):
        if directive in said:
            # RFC 9111 §4.2.1: what cannot be read is stale.
            return min(most, float(_seconds(said[directive]) or 0))
    # The older way to say that it is not to be kept.
    return 0.0 if names & {b"expires", b"pragma"} else most


def _listed(answer: Answer, name: bytes) -> set[str]:
    values = b",".join(value for each, value in answer.headers if each == name)
    return {each.strip().lower() for each in values.decode("latin-1").split(",") if each.strip()}


def _directives(
    headers: Iterable[tuple[bytes, bytes]], longest: int | None = None
) -> Mapping[str, bytes]:
    """The directives by name, in lower case, each with its argument; the first of each counts."""
    values = b",".join(value for name, value in headers if name == b"cache-control")
    said: dict[str, bytes] = {}
    for name, quoted, plain in _DIRECTIVE.findall(values[:longest]):
        said.setdefault(name.decode("ascii").lower(), quoted or plain)
    return said


def _seconds(argument: bytes) -> int | None:
    return int(argument) if _SECONDS.match(argument) else None

"""How the line to a service stands: decided from what came and when, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

# A watch tells something every 5 s at the latest.
STALE_AFTER_SECONDS = 8.0


class LinkState(StrEnum):
    """From worst to best is not this order: see :func:`worst`."""

    CONNECTING = "CONNECTING"
    SYNCING = "SYNCING"
    LIVE = "LIVE"
    STALE = "STALE"
    RECONNECTING = "RECONNECTING"
    AUTH = "AUTH"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Link:
    """The line to one service.

    Attributes:
        service: Its name.
        heard_at: When something last came, on the monotonic clock; None: never.
        told: How many records of a snapshot have come.
        lag_seconds: How old the newest change was when it came.
        attempt: How often it was tried in vain, in a row.
        next_at: When it is tried next, on the monotonic clock.
        reason: Why it is not LIVE.
        quiet: Nothing may come for long, so that silence tells nothing.
    """

    service: str
    state: LinkState = LinkState.CONNECTING
    heard_at: float | None = None
    told: int = 0
    lag_seconds: float | None = None
    attempt: int = 0
    next_at: float | None = None
    reason: str = ""
    quiet: bool = False

    def at(self, now: float) -> Link:
        """As it stands at ``now``: nobody who is LIVE and silent for long is LIVE."""
        silent = self.heard_at is not None and now - self.heard_at > STALE_AFTER_SECONDS
        if silent and not self.quiet and self.state in (LinkState.LIVE, LinkState.SYNCING):
            return replace(self, state=LinkState.STALE, reason="nothing has come of late")
        return self

    def age(self, now: float) -> float | None:
        """Seconds since something came; None: nothing ever did."""
        return None if self.heard_at is None else max(0.0, now - self.heard_at)


def syncing(link: Link, now: float, told: int) -> Link:
    """Part of a snapshot came."""
    return Link(link.service, LinkState.SYNCING, now, told)


def live(link: Link, now: float, lag_seconds: float | None = None, quiet: bool = False) -> Link:
    """All that there was has come, and now a change or a sign of life."""
    lag = link.lag_seconds if lag_seconds is None else max(0.0, lag_seconds)
    return Link(link.service, LinkState.LIVE, now, lag_seconds=lag, quiet=quiet)


def broken(link: Link, reason: str, next_at: float) -> Link:
    """The line broke, or could not be had."""
    never = link.heard_at is None
    return replace(
        link,
        state=LinkState.CONNECTING if never else LinkState.RECONNECTING,
        attempt=link.attempt + 1,
        next_at=next_at,
        reason=reason,
    )


def refused(link: Link, reason: str, next_at: float) -> Link:
    """The key is not accepted."""
    return replace(
        link, state=LinkState.AUTH, attempt=link.attempt + 1, next_at=next_at, reason=reason
    )


def denied(link: Link, reason: str, next_at: float) -> Link:
    """The key may not see this."""
    return replace(
        link, state=LinkState.DENIED, attempt=link.attempt + 1, next_at=next_at, reason=reason
    )


_BADNESS = (
    # That list says so itself: whoever may see others has nothing to mend.
    LinkState.DENIED,
    LinkState.LIVE,
    LinkState.SYNCING,
    LinkState.CONNECTING,
    LinkState.STALE,
    LinkState.RECONNECTING,
    LinkState.AUTH,
)


def worst(links: list[Link]) -> Link:
    """The one that an operator must know of first. Raises ValueError for none."""
    return max(links, key=lambda link: _BADNESS.index(link.state))

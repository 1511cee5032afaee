"""What a caller prefers of a long call (RFC 7240): an answer at once, or after so many seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.edge.call import Call

_SECONDS = re.compile(rb"[0-9]{1,9}\Z")
# Nobody has so much to prefer.
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Preference:
    """What is preferred, as far as it is understood.

    Attributes:
        respond_async: 202 rather than a long wait.
        wait_seconds: How long to wait at most; None: nothing was said.
    """

    respond_async: bool = False
    wait_seconds: int | None = None

    def applied(self, most: float) -> bytes:
        """``Preference-Applied`` (RFC 7240 §3), where a route waits for ``most`` seconds itself.

        Empty: there was nothing to apply.
        """
        told = [b"respond-async"] if self.respond_async else []
        if self.wait_seconds is not None:
            told.append(b"wait=%d" % min(self.wait_seconds, int(most)))
        return b", ".join(told)

    def seconds(self, most: float) -> float:
        """How long to wait: as long as the route does, or less; 0: not at all."""
        if self.wait_seconds is not None:
            return min(most, float(self.wait_seconds))
        return 0.0 if self.respond_async else most


def read_preference(headers: Iterable[tuple[bytes, bytes]]) -> Preference:
    """What the ``Prefer`` headers say; the first of each counts, what is not known does not."""
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        if name == b"prefer" and len(value) <= _LONGEST:
            for each in value.split(b","):
                # RFC 7240 §2: a name, perhaps a value, perhaps parameters, which ours have not.
                preferred, _, word = each.partition(b";")[0].partition(b"=")
                said.setdefault(preferred.strip().lower(), word.strip().strip(b'"'))
    wait = said.get(b"wait", b"")
    return Preference(b"respond-async" in said, int(wait) if _SECONDS.match(wait) else None)


def preferred_seconds(call: Call, most: float) -> float:
    """How long the caller is to wait for the result, ``most`` at most; 0: it is not to wait.

    What was applied is told in the answer's headers.
    """
    if b"prefer" not in call.header:
        return most
    preference = read_preference(call.headers)
    if applied := preference.applied(most):
        call.shared_headers = (*call.shared_headers, (b"preference-applied", applied))
    return preference.seconds(most)

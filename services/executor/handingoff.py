"""What goes with an effect at the last moment: secrets, and the attempt's callback URL."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from services.executor.effects import HandOff
from services.executor.effects.callbacks import CallbackTokens
from services.executor.timers import now
from services.replica import Replica
from services.sealing import Sealer, Unsealable
from services.secret_documents import FORMER, former

logger = logging.getLogger(__name__)

# Whether its attempt still waits is looked up when a token is used; it need only outlive the
# longest wait.
_LIFETIME = timedelta(days=366)
_CALLBACKS = "/-/callbacks/"


class HandingOff:
    """Makes the :class:`HandOff` of an attempt.

    Args:
        public_url: Where the gateway is reached from outside, without a slash at its end.
    """

    def __init__(
        self, replica: Replica, sealer: Sealer, tokens: CallbackTokens, public_url: str
    ) -> None:
        self._replica = replica
        self._sealer = sealer
        self._tokens = tokens
        self._public_url = public_url.rstrip("/")
        self._callbacks = self._public_url + _CALLBACKS

    def __call__(self, execution_id: str, task_id: str, scheduled_at: datetime) -> HandOff:
        url = partial(self._callback_url, execution_id, task_id, scheduled_at)
        return HandOff(execution_id, task_id, self.secret, url, former=self.former)

    def absolute(self, path: str) -> str:
        """The URL of ``path``, which begins with a slash, at the gateway."""
        return self._public_url + path

    def secret(self, name: str) -> str | None:
        """The value of a secret; None: there is none, or it cannot be opened."""
        stored = self._replica.get("secret", name)
        sealed = stored.document.get("value") if stored else None
        return None if sealed is None else self._opened(name, sealed)

    def former(self, name: str) -> Iterator[str]:
        """What the secret was before: who was given that may still tell it."""
        stored = self._replica.get("secret", name)
        if stored is not None and FORMER in stored.document:
            for each in former(stored.document, now()):
                if (value := self._opened(name, each["value"])) is not None:
                    yield value

    def has_secrets(self) -> bool:
        """Whether there is any."""
        return self._replica.has("secret")

    def _opened(self, name: str, sealed: str) -> str | None:
        try:
            return self._sealer.open(sealed)
        except Unsealable:
            logger.error("The secret %r cannot be opened with this executor's key.", name)
            return None

    def _callback_url(self, execution_id: str, task_id: str, scheduled_at: datetime) -> str:
        token = self._tokens.mint(execution_id, task_id, scheduled_at + _LIFETIME)
        return self._callbacks + token

"""Where tokens are shown to what verifies them, with a clock that a test sets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.edge.auth.model import AuthConfig, Caller, read_config
from services.edge.tokens.model import TokenRefused
from services.edge.tokens.verifier import Tokens
from tests.edge.tokens.issuer import AUDIENCE, Issuer


@dataclass
class Desk:
    """Where tokens are shown; ``now`` is a clock that a test sets."""

    issuer: Issuer
    tokens: Tokens = field(init=False)
    now: float = 0.0

    def config(self, **more: Any) -> AuthConfig:
        rules = {"issuer": self.issuer.url, "audience": AUDIENCE, "jwksUri": self.issuer.jwks_uri}
        kept = {name: value for name, value in (rules | more).items() if value is not None}
        return read_config(
            {"id": "a", "authenticationType": "JWT", "applicationId": "app", "jwt": kept}
        )

    async def show(self, token: str, config: AuthConfig | None = None) -> Caller:
        headers = {b"authorization": f"Bearer {token}".encode()}
        caller = await self.tokens.caller(config or self._own, headers, time.time())
        assert caller is not None
        return caller

    async def refused(self, token: str, config: AuthConfig | None = None) -> TokenRefused:
        with pytest.raises(TokenRefused) as caught:
            await self.show(token, config)
        return caught.value

    def __post_init__(self) -> None:
        self._own = self.config()

"""What a caller of the gateway knows that a document cannot say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Another call, another key: the same key with another payload is refused, as it should be."""
    sound = case.meta is None or case.meta.generation.mode.is_positive
    if sound and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f'"{uuid4()}"'

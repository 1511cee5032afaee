"""Variables that workflows may read, as the executor tells of them."""

from __future__ import annotations

from typing import Any, cast

from podium.common.v1 import sealing_pb2 as pb
from services.secrets_service import SecretsService


async def test_values_are_told_where_they_are_asked_for() -> None:
    unused = cast("Any", None)
    service = SecretsService(unused, {"REGION": "eu", "APP_ONE": '{"a": 1}'}, ("REGION", "APP_*"))

    names = await service.ListVariables(pb.ListVariablesRequest(), unused)
    values = await service.ListVariables(pb.ListVariablesRequest(with_values=True), unused)

    assert (list(names.names), list(names.variables)) == (["APP_ONE", "REGION"], [])
    assert [(each.name, each.value) for each in values.variables] == [
        ("APP_ONE", '{"a": 1}'), ("REGION", "eu")
    ]  # fmt: skip
    assert list(values.allowed) == ["REGION", "APP_*"]

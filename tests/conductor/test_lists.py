"""Lists of all there is, and what else is told in few words: what they hold is tested elsewhere."""

from __future__ import annotations

import httpx
import pytest

from tests.conductor.rows import Row, exchanged

NONE = "00000000-0000-4000-8000-000000000000"
TAGS = [{"key": "team", "type": "METADATA", "value": "shop"}]
UPDATE = "POST /api/tasks/{workflowId}/{taskRefName}/{status}"


def listed(endpoint: str, shape: type = list) -> Row:
    return Row(endpoint, "tells of all", endpoint.partition(" ")[2], 200, answer=shape)


def tagged(kind: str, path: str) -> Row:
    return Row(
        f"POST {path}/{{name}}/tags", f"knows no such {kind}", f"{path}/none/tags", 404, TAGS
    )


ROWS = (
    listed("GET /api/applications"),
    listed("GET /api/metadata/taskdefs"),
    listed("GET /api/metadata/workflow"),
    listed("GET /api/metadata/workflow/latest-versions"),
    listed("GET /api/metadata/workflow/names"),
    listed("GET /api/metadata/workflow/names-and-versions", dict),
    listed("GET /api/schema"),
    listed("GET /api/secrets"),
    listed("POST /api/secrets"),
    listed("GET /api/secrets/v2"),
    listed("GET /api/secrets-v2"),
    Row("DELETE /api/applications/{id}", "knows none of that name", "/api/applications/none", 404),
    tagged("handler", "/api/event"),
    tagged("schedule", "/api/scheduler/schedules"),
    Row(UPDATE, "knows no such execution", f"/api/tasks/{NONE}/held/COMPLETED", 404, {},
        {"status": 404, "message": str, "retryable": False}),
    Row(UPDATE, "wants a status that there is", f"/api/tasks/{NONE}/held/DONE", 400, {}),
    Row(UPDATE, "wants an object", f"/api/tasks/{NONE}/held/COMPLETED", 400, [1]),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(api: httpx.AsyncClient, row: Row) -> None:
    await exchanged(api, row, {})

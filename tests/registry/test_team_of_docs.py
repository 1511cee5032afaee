"""The team that docs/security.md has for an example is put as it stands, and may what is said."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from tests.registry.registries import Running, put
from tests.registry.test_lending import workflow

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


async def test_the_team_of_the_page_is_put_and_its_editor_makes_the_keys(registry: Running) -> None:
    _, _, rest = PAGE.read_text().partition("```yaml\n# team.yaml\n")
    team = {each["id"]: each for each in YAML(typ="safe").load_all(rest.partition("```")[0])}
    await put(registry.admin, *team.values(), workflow("ship", "orders"))
    auth = {"kind": "auth", "id": "shop", "authenticationType": "API_KEY",
            "applicationId": "orders"}  # fmt: skip
    await put(registry.admin, auth)
    ada = {name: team["ada"][name] for name in ("roles", "permissions")}
    # The same by another id, with a key.
    editor = await registry.application("as-ada", **ada)

    assert [each.get("roles") for each in team.values()] == [
        ["EDITOR"], ["OPERATOR"], ["VIEWER"], None,
    ]  # fmt: skip
    with rpc.raising_ours():
        assert (await editor.CreateApiKey(pb.CreateApiKeyRequest(auth_id="shop"))).key

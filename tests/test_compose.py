"""No docker here: the files are read, and the commands that they run are run elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
ENCRYPTED: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.tls.yml").read_text())
MANUAL = (ROOT / "docs/settings.md").read_text()
SERVICES = ("registry", "executor", "edge")


def test_the_three_services_run_as_podium_serve() -> None:
    for name in SERVICES:
        assert COMPOSE["services"][name]["command"] == ["serve", name]
        assert f"{name}:/data" in COMPOSE["services"][name]["volumes"]
        assert COMPOSE["services"][name]["healthcheck"]["test"][1:4] == [
            "python",
            "-m",
            "services.health",
        ]


def test_keys_are_secrets_as_files_and_never_in_the_environment() -> None:
    for service in COMPOSE["services"].values():
        for secret in service.get("secrets", []):
            assert COMPOSE["secrets"][secret]["file"].startswith("./secrets/")
        for variable, value in service["environment"].items():
            if "SECRET" in variable or variable.endswith("KEY_FILE"):
                assert value.startswith("/run/secrets/")


def test_every_setting_that_it_names_is_one_of_that_service() -> None:
    rows = re.findall(r"^\| `(PODIUM_\w+)` \| ([\w, ]+) \|", MANUAL, re.MULTILINE)
    for name in SERVICES:
        known = {variable for variable, services in rows if name in services.split(", ")}
        assert set(COMPOSE["services"][name]["environment"]) <= known, name


def test_the_management_api_is_not_on_the_public_side() -> None:
    ports = COMPOSE["services"]["edge"]["ports"]

    assert [port for port in ports if port.endswith(":8081")] == ["127.0.0.1:8081:8081"]


def test_the_console_is_a_profile_that_waits_for_healthy_services() -> None:
    console = COMPOSE["services"]["console"]

    assert console["profiles"] == ["console"]
    assert set(console["depends_on"]) == set(SERVICES)


def test_the_image_holds_what_the_wheel_needs() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}

    for name in names:
        assert (ROOT / name).exists(), name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {"pyproject.toml", "locks", "examples", *(p.split("/")[0] for p in packages)} <= names


def test_the_image_runs_as_a_user_without_rights() -> None:
    users = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert users == ["10001"]
    for service in COMPOSE["services"].values():
        assert "user" not in service
        assert "privileged" not in service
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_with_certificates_no_listener_speaks_plain_text() -> None:
    rows = re.findall(r"^\| `(PODIUM_\w+)` \| ([\w, ]+) \|", MANUAL, re.MULTILINE)
    for name in SERVICES:
        own = ENCRYPTED["services"][name]["environment"]
        known = {variable for variable, services in rows if name in services.split(", ")}
        assert set(own) <= known, name
        told = {**COMPOSE["services"][name]["environment"], **own}
        assert told["PODIUM_ALLOW_PLAINTEXT"] == "0"
        assert {"PODIUM_TLS_CERT_FILE", "PODIUM_TLS_CLIENT_CA_FILE", "PODIUM_TLS_CA_FILE"} <= set(
            told
        )
        for listener in ("GATEWAY", "MANAGEMENT"):
            listens = f"PODIUM_{listener}_LISTEN" in told
            assert (f"PODIUM_{listener}_TLS_CERT_FILE" in told) is listens
        assert ENCRYPTED["services"][name]["volumes"] == ["./tls:/tls:ro"]
        assert all(text.startswith("/tls/") for each, text in own.items() if each.endswith("FILE"))

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.home import DEFAULT_ADDRESSES, Home, HomeUnusable, split_address
from services.locks import Locked, held, is_held

ZERO = dict.fromkeys(DEFAULT_ADDRESSES, "127.0.0.1:0")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_has_keys_that_only_its_owner_reads(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")

    home.make()
    home.make_keys()

    assert mode(home.path) == 0o700
    for name in ("cluster.key", "secret.key", "admin.secret", "credentials.json"):
        assert mode(home.path / name) == 0o600
    assert home.credentials().key_secret == (home.path / "admin.secret").read_text().strip()


def test_a_lost_registry_is_told_where_others_have_kept_something(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.loss() == ""

    (tmp_path / "executor.db").touch()
    (tmp_path / "edge.db").touch()
    assert f"no {tmp_path}/registry.db, though there is executor.db and edge.db" in home.loss()

    (tmp_path / "registry.db").touch()
    assert home.loss() == ""


def test_making_it_again_keeps_what_is_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make_keys()
    before = {path.name: path.read_bytes() for path in home.path.iterdir()}

    home.make_keys()

    assert {path.name: path.read_bytes() for path in home.path.iterdir()} == before


def test_no_new_key_is_made_for_secrets_that_are_sealed_with_another(tmp_path: Path) -> None:
    Home(tmp_path).make_keys()
    (tmp_path / "registry.db").touch()
    (tmp_path / "secret.key").unlink()

    with pytest.raises(HomeUnusable, match=r"no .*/secret\.key, .* restore it"):
        Home(tmp_path).make_keys()

    assert not (tmp_path / "secret.key").exists()


def test_a_folder_that_was_open_to_all_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    Home(tmp_path).make()

    assert mode(tmp_path) == 0o700


def test_a_home_below_a_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HomeUnusable, match=r"cannot be used: .*/file is no folder"):
        Home(tmp_path / "file" / "home").make()


def test_a_home_keeps_its_ports(tmp_path: Path) -> None:
    first = Home(tmp_path).addresses(ZERO)

    assert len(set(first.values())) == 5
    Home(tmp_path).keep_addresses(first)
    assert Home(tmp_path).addresses(ZERO) == first


def test_no_port_is_chosen_that_an_outgoing_connection_could_have(tmp_path: Path) -> None:
    chosen = Home(tmp_path).addresses(ZERO)

    ports = {split_address(address)[1] for address in chosen.values()}
    assert len(ports) == len(DEFAULT_ADDRESSES)
    assert all(20_000 <= port < 32_768 for port in ports)


def test_a_port_that_was_taken_meanwhile_is_chosen_anew(tmp_path: Path) -> None:
    first = Home(tmp_path).addresses(ZERO)
    Home(tmp_path).keep_addresses(first)
    with socket.create_server(split_address(first["gateway"])):
        second = Home(tmp_path).addresses(ZERO)

    assert second["gateway"] != first["gateway"]
    assert second["registry"] == first["registry"]


def test_a_port_that_another_suite_has_just_chosen_is_left_to_it(tmp_path: Path) -> None:
    first = Home(tmp_path / "first")
    first.make()
    chosen = first.addresses(ZERO)["gateway"]
    program = (
        "import sys; from services import ports; "
        f"print(ports.claim({split_address(chosen)[1]}), flush=True)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout == "False\n"


def test_a_port_that_was_asked_for_is_taken_as_it_is(tmp_path: Path) -> None:
    assert Home(tmp_path).addresses({**ZERO, "edge": "127.0.0.1:7"})["edge"] == "127.0.0.1:7"


@pytest.mark.parametrize("address", ["", "8080", "host:", ":1", "host:port", "host:99999"])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(HomeUnusable, match="is no address"):
        split_address(address)


@pytest.mark.parametrize("wanted", ["203.0.113.9:0", "no.such.host.invalid:0"])
def test_an_address_that_is_not_this_machines_is_named(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(HomeUnusable, match="The gateway cannot listen on"):
        Home(tmp_path).addresses({**ZERO, "gateway": wanted})


@pytest.mark.parametrize("kept", ["[]", "{", '{"gateway": 7}', '{"gateway": "127.0.0.1:99999"}'])
def test_remembered_ports_that_make_no_sense_harm_nobody(tmp_path: Path, kept: str) -> None:
    (tmp_path / "ports.json").write_text(kept)
    home = Home(tmp_path)
    if kept.startswith('{"'):
        assert split_address(home.addresses(ZERO)["gateway"])[1] > 0
    else:
        with pytest.raises(HomeUnusable, match=r"ports\.json"):
            home.addresses(ZERO)


def test_endpoints_that_are_not_whole_are_named(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text("{}")

    with pytest.raises(HomeUnusable, match="has no 'gateway'"):
        Home(tmp_path).endpoints()


def test_no_suite_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(HomeUnusable, match="podium up"):
        Home(tmp_path).endpoints()


def test_endpoints_name_everything(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.write_endpoints(DEFAULT_ADDRESSES, {"supervisor": 1})

    assert json.loads(home.endpoints_path.read_text()) == {
        "gateway": "http://127.0.0.1:8080",
        "management": "http://127.0.0.1:8081",
        "registry": "127.0.0.1:7401",
        "executor": "127.0.0.1:7402",
        "edge": "127.0.0.1:7403",
        "pids": {"supervisor": 1},
    }


def test_a_lock_says_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "suite.lock"
    with (
        held(path),
        pytest.raises(Locked, match=r"in use by process \d+"),
        held(path, patience_seconds=0),
    ):
        pass
    with held(path, patience_seconds=0):
        assert path.read_text().strip().isdecimal()


def test_whether_a_lock_is_held_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "suite.lock"
    assert not is_held(path)

    with held(path):
        assert is_held(path)

    assert not is_held(path)

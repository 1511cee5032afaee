"""`podium up` and its home: start, stop, crashes, and starts that cannot be."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import expose, http, parsed, poll
from tests.system.running import NAMES, Suite, podium, processes_of, suite_in, until


def up(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to end by itself."""
    wanted = [f"--{name}=127.0.0.1:0" for name in NAMES]
    return podium("up", "--home", str(home), *wanted, *arguments)


def test_it_serves_and_ends_with_0_leaving_no_process(tmp_path: Path) -> None:
    with suite_in(tmp_path) as suite:
        endpoints = suite.endpoints
        assert httpx.get(f"{endpoints['gateway']}/-/health").status_code == 200
        assert httpx.get(f"{endpoints['management']}/health").status_code == 200
        status = suite.podium("status", "--output", "json")
        assert status.returncode == 0, status.stderr
        assert [row["status"] for row in parsed(status.stdout)["services"]] == ["SERVING"] * 3
        assert set(endpoints["pids"]) == {"supervisor", "registry", "executor", "edge"}

        assert suite.stop() == 0

        told = "podium up: draining edge, executor, registry, in turn; each up to 12 s.\n"
        assert suite.log.read_text().count(told) == 1
        assert not (suite.home / "endpoints.json").exists()
        assert processes_of(suite.home) == set()
        assert suite.podium("status").returncode == 1


def test_a_home_in_use_says_which_process_has_it(suite: Suite) -> None:
    done = up(suite.home)

    assert done.returncode == 1
    assert str(suite.endpoints["pids"]["supervisor"]) in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        for done in (up(home), podium("status", "--home", str(home))):
            assert done.returncode == 1
            assert f"The home {home} cannot be used: {tmp_path}/file is no folder." in done.stderr
            assert done.stderr.count("\n") == 1


def test_a_port_in_use_says_which(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for name in ("gateway", "registry"):
            done = up(tmp_path / name, f"--{name}=127.0.0.1:{port}")

            assert done.returncode == 1
            assert str(port) in done.stderr
            assert done.stderr.count("\n") == 1, done.stderr


def test_an_address_that_no_option_gives_is_that_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for name in NAMES:
            monkeypatch.setenv(f"PODIUM_{name.upper()}_LISTEN", f"127.0.0.1:{port}")

        unsaid = podium("up", "--home", str(tmp_path / "unsaid"))
        said = podium("up", "--home", str(tmp_path / "said"), "--gateway=127.0.0.1:0")

    assert unsaid.returncode == said.returncode == 1
    assert f"The gateway cannot listen on 127.0.0.1:{port}" in unsaid.stderr
    assert f"The management cannot listen on 127.0.0.1:{port}" in said.stderr


@pytest.mark.parametrize("name", ["executor.db", "registry.db"])
def test_a_corrupt_database_says_which(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "registry.db").touch()
    (home / name).write_bytes(b"this is no database" * 1000)
    (home / "secret.key").write_text("s" * 43)

    done = up(home)

    assert done.returncode == 1
    assert name in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("name", ["cluster.key", "secret.key"])
def test_a_key_that_is_too_short_is_one_line(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / name).write_text("abc")

    done = up(home)

    assert done.returncode == 1
    assert f"{name} has 3 bytes" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_setting_that_all_services_refuse_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_LOG_LEVEL", "loud")

    done = up(tmp_path / "home")

    assert done.returncode == 1
    assert "PODIUM_LOG_LEVEL must be one of" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_addresses_that_all_may_read_along_are_one_line(tmp_path: Path) -> None:
    done = up(tmp_path / "home", "--registry=0.0.0.0:0", "--edge=0.0.0.0:0")

    assert done.returncode == 1
    assert "PODIUM_ALLOW_PLAINTEXT" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_the_copies_of_the_definitions_are_made_anew_when_they_are_corrupt(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("edge.db", "executor-definitions.db"):
        (home / name).write_bytes(b"this is no database" * 1000)

    with suite_in(tmp_path) as suite:
        assert suite.podium("status").returncode == 0
        warned = f"podium up: warning: There is no {home}/registry.db"
        assert suite.log.read_text().count(warned) == 1


def test_what_cannot_be_used_in_a_home_is_one_line(tmp_path: Path) -> None:
    for name in ("suite.lock", "endpoints.json", "ports.json"):
        home = tmp_path / name
        (home / name).mkdir(parents=True)

        done = up(home)

        assert done.returncode == 1
        assert done.stderr.count("\n") == 1, done.stderr


def test_a_service_that_dies_twice_is_served_again_each_time(sturdy_suite: Suite) -> None:
    for _ in range(2):
        pid = sturdy_suite.kill("executor")
        until(lambda pid=pid: sturdy_suite.pids.get("executor") not in (None, pid), 20, "a new pid")
        assert sturdy_suite.podium("status").returncode == 0
    descriptors = Path(f"/proc/{sturdy_suite.pids['supervisor']}/fd")
    assert len(list(descriptors.iterdir())) < 25


def test_a_service_that_no_process_can_be_had_for_is_served_once_there_is_one(
    own_suite: Suite,
) -> None:
    supervisor = own_suite.pids["supervisor"]
    limit = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (3, limit[1]))
    pid = own_suite.kill("registry")
    said = "the registry cannot be started (Too many open files); it is tried again in 0.4 s."
    until(lambda: said in own_suite.log.read_text(), 20, said)

    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, limit)

    until(lambda: own_suite.pids.get("registry") not in (None, pid), 20, "a new pid")
    assert own_suite.podium("status").returncode == 0


def test_when_the_supervisor_is_killed_its_children_die_with_it(own_suite: Suite) -> None:
    own_suite.kill("supervisor")

    # A process that stands by may just begin, and first has to have its interpreter.
    until(lambda: processes_of(own_suite.home) == set(), 20, "every process is gone")
    away = own_suite.podium("status")
    assert away.returncode == 1
    assert away.stdout.count("AWAY") == 3
    assert "pid" not in away.stdout


def test_a_home_keeps_its_addresses_and_what_it_stored_and_a_lost_key_is_not_made_anew(
    tmp_path: Path,
) -> None:
    with suite_in(tmp_path) as suite:
        before = suite.endpoints
        suite.apply(*expose("kept", http("x", "http://127.0.0.1/")))
        assert suite.stop() == 0
        key = (suite.home / "secret.key").read_text()
        (suite.home / "secret.key").unlink()

        done = up(suite.home)
        (suite.home / "secret.key").write_text(key)

        assert done.returncode == 1
        assert "secret.key" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert suite.start().startswith("ready")
        assert suite.endpoints["gateway"] == before["gateway"]
        assert suite.podium("get", "workflow", "kept").returncode == 0


def test_what_get_prints_is_what_apply_takes(suite: Suite, tmp_path: Path) -> None:
    suite.apply(*expose("again", http("x", "http://127.0.0.1/")))
    for output in ("json", "yaml"):
        for kind in ("workflow", "application", "auth", "service"):
            got = suite.podium("get", kind, "again", "--output", output)
            file = tmp_path / f"{kind}.{output}"
            file.write_text(got.stdout)
            applied = suite.podium("apply", str(file))

            assert applied.returncode == 0, applied.stderr
            assert "unchanged" in applied.stdout


def test_with_the_registry_gone_the_others_go_on_over_their_restart_too(
    sturdy_suite: Suite, upstream: str
) -> None:
    sturdy_suite.apply(*expose("steady", http("x", f"{upstream}/items/7")))
    headers = sturdy_suite.caller("steady")

    def answers() -> bool:
        try:
            answer = httpx.post(f"{sturdy_suite.gateway}/steady", json={}, headers=headers)
        except (httpx.HTTPError, FileNotFoundError):
            return False
        return answer.status_code == 200

    until(answers, 10, "the route answers")
    pids = sturdy_suite.endpoints["pids"]
    gateway = sturdy_suite.gateway
    # Stopped, not killed: the supervisor would start it again.
    os.kill(pids["registry"], signal.SIGSTOP)
    try:
        until(answers, 10, "the route answers without the registry")
        for name in ("executor", "edge"):
            sturdy_suite.kill(name)

        def again() -> bool:
            try:
                answer = httpx.post(f"{gateway}/steady", json={}, headers=headers, timeout=10)
            except httpx.HTTPError:
                return False
            return answer.status_code == 200

        until(again, 15, "edge and executor serve without the registry")
    finally:
        os.kill(pids["registry"], signal.SIGCONT)


def test_status_names_who_is_away_when_the_registry_is(sturdy_suite: Suite) -> None:
    """Each that hangs is given its time to answer."""
    pids = sturdy_suite.endpoints["pids"]
    (sturdy_suite.home / "token.json").unlink(missing_ok=True)
    os.kill(pids["registry"], signal.SIGSTOP)
    try:
        found = sturdy_suite.podium("status", "--output", "json")
        os.kill(pids["executor"], signal.SIGSTOP)
        worse = sturdy_suite.podium("status")
    finally:
        os.kill(pids["registry"], signal.SIGCONT)
        os.kill(pids["executor"], signal.SIGCONT)

    assert found.returncode == 1
    rows = {row["service"]: row for row in parsed(found.stdout)["services"]}
    assert {name: row["status"] for name, row in rows.items()} == {
        "registry": "AWAY",
        "executor": "SERVING",
        "edge": "SERVING",
    }
    assert rows["edge"]["executorConnected"] is True
    assert {name: row["pid"] for name, row in rows.items()} == {name: pids[name] for name in rows}
    assert worse.returncode == 1
    assert "True" not in worse.stdout
    told = {line.split()[0]: line.split()[2] for line in worse.stdout.splitlines()[3:]}
    assert told == {"registry": "AWAY", "executor": "AWAY", "edge": "SERVING"}


def test_one_service_can_be_run_alone(tmp_path: Path) -> None:
    for name, text in (("cluster.key", "c" * 43), ("secret.key", "s" * 43), ("admin", "a" * 43)):
        (tmp_path / name).write_text(text)
    environment = {
        **os.environ,
        "PODIUM_CLUSTER_KEY_FILE": str(tmp_path / "cluster.key"),
        "PODIUM_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        "PODIUM_REGISTRY_DATABASE": str(tmp_path / "registry.db"),
        "PODIUM_REGISTRY_LISTEN": "127.0.0.1:0",
    }
    command = [sys.executable, "-m", "tui", "serve", "registry"]

    refused = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    assert refused.returncode == 1
    assert "PODIUM_ADMIN_KEY_ID" in refused.stderr

    reading, writing = os.pipe()
    environment |= {
        "PODIUM_ADMIN_KEY_ID": "admin",
        "PODIUM_ADMIN_KEY_SECRET_FILE": str(tmp_path / "admin"),
        "PODIUM_READY_FD": str(writing),
    }
    with subprocess.Popen(command, env=environment, pass_fds=(writing,)) as process:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            address = json.loads(pipe.readline())["registry"]
        health = [sys.executable, "-m", "services.health", address]
        assert subprocess.run(health, check=False).returncode == 0
        process.terminate()
        assert process.wait(10) == 0
        assert subprocess.run(health, check=False).returncode == 1


def test_a_run_that_waits_goes_on_over_a_crash_of_the_executor(
    sturdy_suite: Suite, upstream: str
) -> None:
    start = http("start", f"{upstream}/jobs", "POST", body={"seconds": 2, "owner": "waits"})
    status = f"{upstream}/jobs/${{start.output.body.jobId}}"
    done = "$.output.body.status === 'COMPLETED'"
    sturdy_suite.apply(
        {"name": "waits", "version": 1, "tasks": [start, poll("poll", status, done)]}
    )
    command = [sys.executable, "-m", "tui", "run", "waits", "--wait", "30"]
    before = len(sturdy_suite.log.read_text())

    with subprocess.Popen(
        [*command, "--home", str(sturdy_suite.home)], stdout=subprocess.PIPE, text=True
    ) as running:
        until(lambda: httpx.get(f"{upstream}/owners").json().get("waits"), 10, "the job begins")
        sturdy_suite.kill("executor")
        assert running.stdout is not None
        output = running.stdout.read()

    assert running.returncode == 0, output
    assert "COMPLETED" in output
    assert (
        "the executor ended (SIGKILL); it is started again" in sturdy_suite.log.read_text()[before:]
    )


def test_a_run_that_follows_keeps_to_its_wait(suite: Suite) -> None:
    forever = {"name": "w", "taskReferenceName": "w", "type": "WAIT"}
    suite.apply({"name": "forever", "version": 1, "tasks": [forever]})

    done = suite.podium("run", "forever", "--follow", "--wait", "0.5")

    assert done.returncode == 1
    assert "RUNNING" in done.stdout


def test_wrong_usage_ends_with_2(suite: Suite) -> None:
    for command in (
        ("run", "x", "--input", "[1]"),
        ("run", "x", "--input", "{"),
        ("complete-task", "x", "y", "--result", "[1]"),
        ("executions", "colour:red"),
        ("nonsense",),
        ("up", "--gateway", "nonsense"),
        ("up", "--edge", "127.0.0.1:65536"),
    ):
        assert suite.podium(*command).returncode == 2, command

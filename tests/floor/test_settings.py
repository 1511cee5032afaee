"""Settings: what a variable may say, and every fault named at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from services import settings_manual
from services.edge import settings as edge
from services.executor.settings import ExecutorSettings
from services.registry.settings import RegistrySettings
from services.settings import (
    REQUIRED,
    Common,
    SettingsError,
    address,
    is_loopback,
    number,
    one_of,
    plaintext,
    read,
    seconds,
    setting,
    words,
)


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    listen: str = setting("PODIUM_T_LISTEN", "127.0.0.1:7401", "Where.", parse=address)
    name: str = setting("PODIUM_T_NAME", REQUIRED, "Who.")
    limit: int = setting("PODIUM_T_LIMIT", 5, "How many.", parse=number(1, 10))
    wait: timedelta = setting("PODIUM_T_WAIT", timedelta(seconds=2), "How long.")
    share: float = setting("PODIUM_T_SHARE", 0.5, "How much.")
    hosts: tuple[str, ...] = setting("PODIUM_T_HOSTS", (), "Which.", parse=words)
    strict: bool = setting("PODIUM_T_STRICT", True, "Whether.")


def test_what_is_not_set_or_empty_has_its_default() -> None:
    found = read(Settings, {"PODIUM_T_NAME": "x", "PODIUM_T_LIMIT": ""})
    assert found == Settings(name="x")
    assert (found.limit, found.wait, found.strict) == (5, timedelta(seconds=2), True)
    assert found.home is None


def test_what_is_set_is_read() -> None:
    found = read(
        Settings,
        {
            "PODIUM_T_NAME": "x",
            "PODIUM_T_LISTEN": "[::1]:0",
            "PODIUM_T_LIMIT": "10",
            "PODIUM_T_WAIT": "0.25",
            "PODIUM_T_SHARE": "1",
            "PODIUM_T_HOSTS": "a, b,,",
            "PODIUM_T_STRICT": "no",
            "PODIUM_HOME": "/srv/podium",
            "PODIUM_LOG_LEVEL": "DEBUG",
            "SOMETHING_ELSE": "y",
        },
    )
    assert found.listen == "[::1]:0"
    assert (found.limit, found.share) == (10, 1.0)
    assert found.wait == timedelta(milliseconds=250)
    assert found.hosts == ("a", "b")
    assert not found.strict
    assert found.home == Path("/srv/podium")
    assert found.log_level == "debug"


def test_every_fault_is_told_with_its_variable() -> None:
    wrong = {
        "PODIUM_T_LISTEN": "7401",
        "PODIUM_T_LIMIT": "11",
        "PODIUM_T_WAIT": "-1",
        "PODIUM_T_SHARE": "nan",
        "PODIUM_T_STRICT": "perhaps",
        "PODIUM_LOG_LEVEL": "loud",
    }
    with pytest.raises(SettingsError) as caught:
        read(Settings, wrong)
    message = str(caught.value)
    assert "\n" not in message
    assert all(variable in message for variable in wrong)
    assert "PODIUM_T_NAME is not set" in message
    assert "PODIUM_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'" in message


@pytest.mark.parametrize("text", ["", "x", ":1", "h:", "h:-1", "h:65536", "h:x", "h:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        address(text)


@pytest.mark.parametrize("text", ["", "0", "11", "1.5", "x", "9" * 5000])
def test_what_is_no_such_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number of at least 1 and at most 10"):
        number(1, 10)(text)


@pytest.mark.parametrize("text", ["0", "0.4", "-1", "nan", "inf", "soon"])
def test_a_duration_below_its_lowest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be (at least 0\.5|a number of) seconds, not"):
        seconds(0.5)(text)


@pytest.mark.parametrize(
    "variable",
    [
        "PODIUM_HEADER_TIMEOUT_SECONDS",
        "PODIUM_BODY_TIMEOUT_SECONDS",
        "PODIUM_REGISTRY_HEARTBEAT_SECONDS",
        "PODIUM_EXECUTOR_RETENTION_SECONDS",
    ],
)
def test_no_service_starts_with_a_duration_that_breaks_it(variable: str) -> None:
    refusals = []
    for cls in (RegistrySettings, ExecutorSettings, edge.Settings):
        try:
            read(cls, {variable: "0"})
        except SettingsError as error:
            refusals.append(str(error))

    assert len(refusals) == 1
    assert refusals[0].startswith(f"{variable} must be at least ")


@pytest.mark.parametrize("text", ["5,2592001", "1e12"])
def test_a_webhook_is_not_put_off_until_there_is_no_date(text: str) -> None:
    with pytest.raises(SettingsError, match="must be at most 2592000 seconds each"):
        read(ExecutorSettings, {"PODIUM_WEBHOOK_DELAYS_SECONDS": text})


def test_a_home_that_nobody_has_is_refused_by_its_setting() -> None:
    with pytest.raises(SettingsError, match="PODIUM_TLS_CERT_FILE names the home of a user"):
        read(ExecutorSettings, {"PODIUM_TLS_CERT_FILE": "~nobody-of-that-name/x"})


def test_a_choice_is_read_in_any_case() -> None:
    assert one_of("a", "b")(" B ") == "b"


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        ("example.com:1", False),
    ],
)
def test_only_loopback_is_served_in_plain_text_unless_allowed(listen: str, loopback: bool) -> None:
    assert is_loopback(listen) is loopback
    if loopback:
        Common().check_grpc(listen)
    else:
        with pytest.raises(SettingsError, match=r"PODIUM_TLS_CERT_FILE .*PODIUM_ALLOW_PLAINTEXT"):
            Common().check_grpc(listen)
        with pytest.raises(SettingsError):
            Common(allow_plaintext=("gateway",)).check_grpc(listen)
        Common(allow_plaintext=("grpc",)).check_grpc(listen)
        encrypted = Common(tls_cert_file=Path("a"), tls_key_file=Path("b"))
        encrypted.check_grpc(listen)


def test_that_plain_text_is_allowed_is_said_at_each_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Common(allow_plaintext=("grpc",)).check_grpc("0.0.0.0:1")
    Common(allow_plaintext=("grpc",)).check_grpc("127.0.0.1:1")

    (record,) = caplog.records
    assert "0.0.0.0:1 is not encrypted" in record.getMessage()


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("1", ("grpc", "gateway", "management")),
        ("yes", ("grpc", "gateway", "management")),
        ("0", ()),
        ("gateway", ("gateway",)),
        ("Gateway, grpc", ("gateway", "grpc")),
    ],
)
def test_plain_text_is_allowed_to_all_or_by_name(text: str, allowed: tuple[str, ...]) -> None:
    assert plaintext(text) == allowed


@pytest.mark.parametrize("text", ["gatway", "gateway,all", "2", ","])
def test_another_word_allows_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="must be 1, 0, or some of grpc, gateway, management"):
        plaintext(text)


def test_a_file_is_where_it_was_placed_else_in_the_home() -> None:
    home = Path("/srv/podium")
    assert Common(home=home).file(None, "a.db", "PODIUM_A") == home / "a.db"
    assert Common(home=home).file(Path("/b.db"), "a.db", "PODIUM_A") == Path("/b.db")
    with pytest.raises(SettingsError, match="Neither PODIUM_A nor PODIUM_HOME"):
        Common().file(None, "a.db", "PODIUM_A")


def test_the_manual_is_as_the_code_is() -> None:
    written = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert written == settings_manual.manual(), "run: python -m services.settings"

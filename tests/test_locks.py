"""What the image and the demo install is pinned, and is what the project says it needs."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEEDED = {
    "run": PROJECT["project"]["dependencies"],
    "build": PROJECT["build-system"]["requires"],
}
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))? \\$")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(name: str) -> dict[str, Version]:
    """What ``locks/NAME.txt`` pins; each with a hash at least, and nothing else in it."""
    found: dict[str, Version] = {}
    hashed = True
    for line in (ROOT / "locks" / f"{name}.txt").read_text().splitlines():
        if pin := PIN.match(line):
            assert hashed, line
            found[canonicalize_name(pin["name"])] = Version(pin["version"])
            hashed = False
        elif HASH.match(line):
            hashed = True
        else:
            assert line.lstrip().startswith("#"), line
    assert hashed
    return found


@pytest.mark.parametrize("name", NEEDED)
def test_every_version_is_one_that_the_project_takes(name: str) -> None:
    pinned = pins(name)

    for requirement in map(Requirement, NEEDED[name]):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: make lock"


@pytest.mark.parametrize("name", NEEDED)
def test_what_they_need_in_turn_is_pinned_too(name: str) -> None:
    pinned = pins(name)

    for each, version in pinned.items():
        try:
            installed = distribution(each)
        except PackageNotFoundError:
            continue  # of another platform
        if Version(installed.version) < version:
            continue  # held back by what only tests need: it says nothing of the pinned one
        for requirement in map(Requirement, installed.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in pinned, f"{each}: {requirement}"


def test_both_locks_pin_the_same_versions() -> None:
    run, build = pins("run"), pins("build")

    assert {name: build[name] for name in run.keys() & build.keys()} == {
        name: run[name] for name in run.keys() & build.keys()
    }


@pytest.mark.parametrize("file", ["Dockerfile", "Makefile"])
def test_nothing_is_installed_there_without_a_hash(file: str) -> None:
    text = (ROOT / file).read_text().replace("\\\n", " ")
    commands = re.findall(r"pip (?:install|wheel)\b[^&\n]*", text)

    assert sum("--require-hashes" in command for command in commands) >= 2
    for command in commands:
        # What stands without is built here, of this checkout, or is the developer's environment.
        named = ("--require-hashes", "--no-deps", ".[dev]", "'uv>=")
        assert any(each in command for each in named), command

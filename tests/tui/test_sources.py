"""Documents from files and folders: which count, in which order, and what cannot be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tui.cli import sources
from tui.cli.sources import read


def write(folder: Path, **files: Any) -> None:
    """Files by their paths, ``__`` standing for ``/``, each with a document of that name."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yaml").write_text(content or f"name: {name}\n")


def names(path: Path) -> list[Any]:
    found = read([path])
    assert not found.faults
    return [document["name"] for document in found.documents]  # type: ignore[index, call-overload]


def test_all_below_a_folder_counts_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path, b="", a__z="", a__b__c="", c="name: 1\n---\nname: 2\n")
    (tmp_path / "d.JSON").write_text('{"name": "json"}')
    (tmp_path / "e.yml").write_text("name: yml")
    (tmp_path / "README.md").write_text("no definition")

    assert names(tmp_path) == ["a__b__c", "a__z", "b", 1, 2, "json", "yml"]


def test_what_is_hidden_or_empty_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, a="", b="# nothing yet\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("name: git")
    (tmp_path / ".hidden.yaml").write_text("name: hidden")

    assert names(tmp_path) == ["a"]


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, a__b="")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "again.yaml").symlink_to(tmp_path / "a" / "b.yaml")

    assert names(tmp_path) == ["a__b"]


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, a="")
    os.mkfifo(tmp_path / "pipe.yaml")

    assert names(tmp_path) == ["a"]


def test_every_file_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, good="", bad="a: 1\na: 2\n")
    (tmp_path / "broken.yaml").symlink_to("nowhere")
    (tmp_path / "raw.yaml").write_bytes(b"name: x\n\nversion: \xff\n")

    faults = [str(fault).removeprefix(f"{tmp_path}/") for fault in read([tmp_path]).faults]

    assert faults == [
        "bad.yaml:2: the key 'a' is given twice",
        "broken.yaml: cannot be read: No such file or directory",
        "raw.yaml:3: is no UTF-8 text",
    ]


def test_documents_that_begin_on_one_line_are_not_taken_for_each_other(tmp_path: Path) -> None:
    write(tmp_path, several="[{name: a}, {name: b,\n version: 1},\n {name: c}]\n")

    found = read([tmp_path])

    assert [origin.rpartition(":")[2] for origin in found.origins] == ["1", "1", "3"]
    assert [document for document, _ in found.parts().values()] == [{"name": "c"}]


def test_a_name_that_is_no_text_is_shown_by_its_bytes(tmp_path: Path) -> None:
    named = os.fsencode(tmp_path) + b"/\xff.yaml"
    with Path(os.fsdecode(named)).open("w") as file:
        file.write("name: odd\n")

    found = read([tmp_path])

    assert found.puts[0].origin == f"{tmp_path}/\\xff.yaml:1"
    with Path(os.fsdecode(named)).open("w") as file:
        file.write("- ]")
    (fault,) = read([tmp_path]).faults
    assert str(fault).startswith(f"{tmp_path}/\\xff.yaml:1: ")


def test_a_path_that_is_too_long_to_be_looked_at_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, a="")
    inner = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=inner)
        outer, inner = inner, os.open("d" * 250, os.O_DIRECTORY, dir_fd=inner)
        os.close(outer)
    os.close(inner)

    (fault,) = read([tmp_path]).faults

    assert fault.detail == "cannot be read: File name too long"


def test_a_folder_without_documents_says_so(tmp_path: Path) -> None:
    (fault,) = read([tmp_path]).faults

    assert "holds no document" in str(fault)


def test_too_much_is_told_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_BYTES", 1 << 20)
    monkeypatch.setattr(sources, "MOST_DOCUMENTS", 3)
    (tmp_path / "huge.yaml").write_text("a: " + "x" * (1 << 20))
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "many.json").write_text("[1, 2, 3, 4]")
    (tmp_path / "both").mkdir()
    for name in "ab":
        text = json.dumps({"name": "x" * 600_000})
        (tmp_path / "both" / f"{name}.json").write_text(text)

    assert [str(f) for f in read([tmp_path / "huge.yaml"]).faults] == [
        f"{tmp_path}/huge.yaml: is larger than 1 MiB"
    ]
    assert "more than 3 documents" in str(read([tmp_path / "many"]).faults[0])
    assert "together are larger" in str(read([tmp_path / "both"]).faults[0])


def test_a_secret_without_a_value_gives_way_to_one_with_it(tmp_path: Path) -> None:
    write(tmp_path, a="kind: secret\nname: A\n", b="kind: secret\nname: B\n")
    value = tmp_path / "value.json"
    value.write_text('{"kind": "secret", "name": "A", "value": "v"}')

    found = read([tmp_path]).documents

    assert found == [
        {"kind": "secret", "name": "B"},
        {"kind": "secret", "name": "A", "value": "v"},
    ]


def test_a_folder_may_say_which_kinds_it_manages(tmp_path: Path) -> None:
    write(tmp_path, a="")
    assert read([tmp_path]).kinds == set()
    (tmp_path / ".podium.json").write_text('{"manages": ["service", "workflow"]}')
    assert read([tmp_path]).kinds == {"service", "workflow"}
    for wrong in ("[]", "{}", '{"manages": "all"}', "no JSON"):
        (tmp_path / ".podium.json").write_text(wrong)
        (fault,) = read([tmp_path]).faults
        assert ".podium.json" in str(fault)


def test_what_a_folder_manages_is_not_read_from_a_pipe(tmp_path: Path) -> None:
    write(tmp_path, a="")
    os.mkfifo(tmp_path / ".podium.json")

    (fault,) = read([tmp_path]).faults

    assert fault.detail == "cannot be read: is no regular file"

"""Signed links."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from services.edge.links import Links

ID = "7a4e4c1c-3f5e-4f8e-9d55-1c0e7f6a2b10"


def token(links: Links, execution_id: str = ID, auth_id: str = "partners") -> str:
    return parse_qs(urlsplit(links.location(execution_id, auth_id)).query)["t"][0]


def test_a_link_names_the_execution_and_leads_back_to_its_auth_configuration() -> None:
    links = Links.of(b"cluster key")

    assert urlsplit(links.location(ID, "partners")).path == f"/-/executions/{ID}"
    assert links.auth_id(ID, token(links, auth_id="Partner.1_x-y")) == "Partner.1_x-y"


def test_another_edge_of_the_cluster_reads_it() -> None:
    assert Links.of(b"cluster key").auth_id(ID, token(Links.of(b"cluster key"))) == "partners"


@pytest.mark.parametrize("forged", ["", ".", "x", "cGFydG5lcnM.AAAA", "ü.ü", "%", "a.b.c", "=.="])
def test_a_forged_link_is_none(forged: str) -> None:
    assert Links.of(b"cluster key").auth_id(ID, forged) == ""


def test_a_link_is_for_one_execution_and_one_cluster() -> None:
    links = Links.of(b"cluster key")

    assert links.auth_id(ID.replace("7", "8"), token(links)) == ""
    assert Links.of(b"another key").auth_id(ID, token(links)) == ""


def test_a_link_cannot_be_turned_to_another_configuration() -> None:
    links = Links.of(b"cluster key")
    _, _, signature = token(links).partition(".")
    encoded, _, _ = token(links, auth_id="others").partition(".")

    assert links.auth_id(ID, f"{encoded}.{signature}") == ""

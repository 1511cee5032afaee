"""Guesses of access keys: slowed by key and by source, without keeping owners out."""

from __future__ import annotations

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import origins, rpc
from services.access import ServiceIdentity
from services.errors import PermissionDenied, RateLimited, Unauthenticated
from services.origins import Origin
from services.registry.attempts import OF_KEY, OF_PAIR, OF_SOURCE, Attempts
from tests.registry.registries import ADMIN_SECRET, CLUSTER_KEY, Running, put


def failing(attempts: Attempts, times: int, key: str = "k", source: str = "s") -> None:
    for _ in range(times):
        attempts.failed(key, source, 0.0)


def test_a_guesser_of_one_key_keeps_its_owner_elsewhere_and_other_keys_in() -> None:
    attempts = Attempts()
    failing(attempts, OF_PAIR)

    assert attempts.wait("k", "s", 0.0) == 1.0
    assert attempts.wait("k", "s", 1.0) == 0.0
    assert attempts.wait("k", "another", 0.0) == 0.0
    assert attempts.wait("another", "s", 0.0) == 0.0


def test_a_guesser_of_many_keys_is_slowed_but_not_the_keys_that_were_proven_there() -> None:
    attempts = Attempts()
    attempts.proved("known", "s")
    for number in range(OF_SOURCE):
        attempts.failed(f"k{number}", "s", 0.0)

    assert attempts.wait("new", "s", 0.0) == 1.0
    assert attempts.wait("known", "s", 0.0) == 0.0
    assert attempts.wait("new", "another", 0.0) == 0.0
    failing(attempts, OF_PAIR, "known")
    assert attempts.wait("known", "s", 0.0) == 1.0


def test_many_who_guess_together_have_one_guess_each_and_the_owner_is_let_in() -> None:
    attempts = Attempts()
    for number in range(OF_KEY):
        attempts.failed("k", f"s{number}", 0.0)

    assert attempts.wait("k", "s0", 0.0) > 0.0
    assert attempts.wait("k", "the owner's", 0.0) == 0.0


def test_what_is_remembered_is_bounded_by_no_length_of_an_id() -> None:
    attempts = Attempts()
    attempts.failed("\ud800" * 10_000, "s", 0.0)

    assert attempts.wait("\ud800" * 10_000, "s", 0.0) == 0.0


# A registry's


async def guess(registry: Running, key_id: str, secret: str, **options: object) -> str:
    with rpc.raising_ours():
        answer = await registry.anybody.IssueToken(
            pb.IssueTokenRequest(key_id=key_id, key_secret=secret),
            **options,  # type: ignore[arg-type]
        )
    return answer.token


@pytest.mark.parametrize("key_id", ["admin-key", "nobody"])
async def test_beyond_some_guesses_a_secret_is_not_even_looked_at(
    registry: Running, key_id: str
) -> None:
    with pytest.raises(RateLimited) as caught:
        for _ in range(OF_PAIR * 10):
            with pytest.raises(Unauthenticated):
                await guess(registry, key_id, "guess")

    assert 1 <= int(caught.value.metadata["retry_after_seconds"]) <= 2
    # The right one neither, from there: else a guesser would know.
    with pytest.raises(RateLimited):
        for _ in range(OF_PAIR * 10):
            await guess(registry, key_id, ADMIN_SECRET if key_id == "admin-key" else "x")
            with pytest.raises(Unauthenticated):
                await guess(registry, key_id, "guess")


async def test_the_edge_says_whom_it_asks_for_and_nobody_else_does(registry: Running) -> None:
    edge = registry.service("edge")
    executor = registry.service("executor")
    wrong = pb.IssueTokenRequest(key_id="admin-key", key_secret="guess")

    def at(address: str) -> tuple[tuple[str, str], ...]:
        return origins.metadata(Origin(address))

    with pytest.raises(RateLimited):
        for _ in range(OF_PAIR * 10):
            with pytest.raises(Unauthenticated), rpc.raising_ours():
                await edge.IssueToken(wrong, metadata=at("2001:db8::1"))
    # The same /64; while others are let try.
    with pytest.raises(RateLimited), rpc.raising_ours():
        for _ in range(2):
            await edge.IssueToken(wrong, metadata=at("2001:db8::ffff"))
    right = pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
    assert (await edge.IssueToken(right, metadata=at("192.0.2.1"))).token
    # Their own word about where they are counts for nothing.
    with pytest.raises(RateLimited):
        for number in range(OF_PAIR * 10):
            with pytest.raises(Unauthenticated), rpc.raising_ours():
                await executor.IssueToken(wrong, metadata=at(f"192.0.2.{number}"))


async def test_who_is_refused_for_a_pause_is_told_with_where_they_are(registry: Running) -> None:
    document = {"kind": "application", "id": "shop"}
    await put(registry.admin, document)
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="shop"))
    await put(registry.admin, {**document, "enabled": False})
    request = pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)

    with pytest.raises(PermissionDenied, match="paused"), rpc.raising_ours():
        told = origins.metadata(Origin("192.0.2.1"))
        await registry.service("edge").IssueToken(request, metadata=told)

    denied = pb.ListAuditEntriesRequest(filter=pb.AuditFilter(query="outcome:denied"))
    (entry,) = (await registry.admin.ListAuditEntries(denied)).entries
    assert (entry.principal, entry.source) == ("application:shop", "192.0.2.1")
    assert (entry.key_id, entry.name) == (made.access_key.key_id, "shop")


async def test_a_forged_word_of_the_edge_counts_for_nothing(registry: Running) -> None:
    forged = ServiceIdentity(CLUSTER_KEY[::-1], "edge").token("registry")
    metadata = (("authorization", f"Bearer {forged}"), *origins.metadata(Origin("192.0.2.9")))

    with pytest.raises(RateLimited):
        for number in range(OF_PAIR * 10):
            with pytest.raises(Unauthenticated):
                word = origins.metadata(Origin(f"192.0.2.{number}"))
                await guess(registry, "admin-key", "guess", metadata=(metadata[0], *word))


async def test_of_whom_the_edge_asks_for_the_log_has_what_it_says(registry: Running) -> None:
    wrong = pb.IssueTokenRequest(key_id="admin-key", key_secret="guess")
    told = origins.metadata(Origin("192.0.2.1", "curl/8", trace="req-1"))
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await registry.service("edge").IssueToken(wrong, metadata=told)
    (entry,) = (await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())).entries[:1]

    assert (entry.source, entry.agent, entry.via, entry.trace) == (
        "192.0.2.1", "curl/8", "service:edge", "req-1",
    )  # fmt: skip

"""Answers with numbers that no honest server gives: nothing that waits is ended by them, and no cursor is spoilt."""

from __future__ import annotations

import pytest

from sync.client.cycle import exchange
from sync.client.errors import ServerRefused, Unreachable
from sync.protocol import messages
from sync.protocol.errors import Problem
from tests.client.memory import MemoryBook, MemoryReplica, MemoryServer, line_to, refusal

EXCHANGE = messages.EXCHANGE_PATH


@pytest.mark.parametrize(("expected", "restarted"), [(2**62, 1), (-1, 0), (2**64 - 1, 1), (0, 0)])
def test_a_wild_number_of_another_history_leads_nowhere(expected: int, restarted: int) -> None:
    server, replica, book = MemoryServer(), MemoryReplica(), MemoryBook()
    replica.save("a")
    exchange(replica, book, line_to(server))
    assert replica.position().cursor.seq == 1
    server.refusals = {EXCHANGE: [refusal(Problem.EPOCH, expected=expected)]}
    with pytest.raises(ServerRefused):
        exchange(replica, book, line_to(server))
    assert replica.restarts == [restarted]


@pytest.mark.parametrize("ops_max", [0, -1])
def test_a_session_that_takes_no_ops_ends_none(ops_max: int) -> None:
    server, replica, book = MemoryServer(), MemoryReplica(), MemoryBook()
    replica.save("a")
    replica.save("b")
    server.ops_max = ops_max
    server.acked = {replica.position().incarnation: 2}
    with pytest.raises(Unreachable):
        exchange(replica, book, line_to(server))
    assert (replica.unsent(), replica.applied) == (2, [])


@pytest.mark.parametrize("cursor", [{"care": 99}, {"care": -1}, {"scopes": 2**60}, {"scopes": -(2**60)}])
def test_a_cursor_that_no_server_would_take_again_is_not_kept(cursor: dict[str, int]) -> None:
    server, replica, book = MemoryServer(), MemoryReplica(), MemoryBook()
    replica.save("a")
    server.cursor = cursor
    with pytest.raises(Unreachable):
        exchange(replica, book, line_to(server))
    assert (replica.unsent(), replica.applied) == (1, [])


def test_more_cannot_be_safe_than_there_is() -> None:
    server, replica, book = MemoryServer(), MemoryReplica(), MemoryBook()
    replica.save("a")
    server.durable_seq, server.head = 2**52, 7
    exchange(replica, book, line_to(server))
    assert replica.applied[0].durable_seq == 7

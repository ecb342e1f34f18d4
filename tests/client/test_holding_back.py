"""A page that would take very much away without a reason is held back; what waits goes up all the same."""

from __future__ import annotations

import pytest

from sync.client.cycle import Page, exchange
from sync.client.holding_back import HoldingBack
from sync.protocol import messages
from sync.protocol.messages import Cursor
from tests.client.memory import EPOCH, MemoryBook, MemoryReplica, MemoryServer, change, leaving, line_to

ROWS = 60  # that go with each page of a chain


def _exchange(server: MemoryServer, replica: MemoryReplica, back: HoldingBack) -> Page:
    return exchange(replica, MemoryBook(), line_to(server), back=back)


@pytest.mark.parametrize(
    ("kept", "gone", "accounted", "held"),
    [
        (300, 200, 0, 200), (300, 200, 99, 200), (300, 200, 100, 0), (300, 200, 200, 0), (300, 100, 0, 0),
        (1_000, 200, 0, 0), (1_000, 201, 0, 201), (150, 140, 0, 140), (90, 90, 0, 0), (300, 200, -1, 200),
    ],
)  # fmt: skip
def test_much_without_a_reason_is_held_back(kept: int, gone: int, accounted: int, held: int) -> None:
    server, replica, back = MemoryServer(accounted=accounted), MemoryReplica(kept=kept), HoldingBack()
    replica.cursor = Cursor(epoch=EPOCH, seq=0)
    replica.save("a")
    server.extra = [change(500, name="new"), *leaving(gone)]
    page = _exchange(server, replica, back)
    assert (page.held_back, page.more, page.sent) == (held, False, 1)
    (answer,) = replica.applied
    assert (answer.acked_n, len(answer.results), replica.unsent()) == (1, 1, 0)
    if held:
        assert (answer.changes, answer.cursor) == ([], Cursor(epoch=EPOCH, seq=0))
        assert f"{held} of {kept}" in back.refusal().title
    else:
        assert (len(answer.changes), answer.cursor.seq) == (gone + 1, 1)


def test_a_chain_of_pages_is_counted_together() -> None:
    server, replica, back = MemoryServer(accounted=0, more=True), MemoryReplica(kept=300), HoldingBack()
    held = []
    for at in range(3):
        server.extra = leaving(ROWS, 1 + at * ROWS)
        held.append(_exchange(server, replica, back).held_back)
    assert held == [0, 60, 60]
    server.more, server.extra = False, []
    assert _exchange(server, replica, back).held_back == 0  # the chain has come to its end
    server.extra = leaving(ROWS)
    assert _exchange(server, replica, back).held_back == 0


def test_a_change_of_rights_goes_through_with_a_server_that_gives_no_account() -> None:
    server, replica, back = MemoryServer(), MemoryReplica(kept=300), HoldingBack()
    replica.cursor = Cursor(epoch=EPOCH, seq=0, scopes=7)
    server.extra = leaving(300)
    assert _exchange(server, replica, back).held_back == 0


def test_it_is_told_until_the_server_knows_why() -> None:
    server, replica, back = MemoryServer(accounted=0), MemoryReplica(kept=300), HoldingBack()
    for accounted, told in ((0, None), (0, 300), (300, 300), (0, None)):
        server.accounted, server.extra = accounted, leaving(300) if told or not server.heads else []
        _exchange(server, replica, back)
        assert server.heads[-1].posture.get(messages.HELD_BACK) == told
    assert len(replica.applied[2].changes) == 300


def test_what_was_asked_about_goes() -> None:
    server, replica, back = MemoryServer(accounted=0), MemoryReplica(kept=300), HoldingBack()
    server.extra = leaving(300)
    assert _exchange(server, replica, back).held_back == 300
    back.confirm(frozenset(each.id for each in back.changes[:250]))
    server.extra = leaving(300)
    assert _exchange(server, replica, back).held_back == 0

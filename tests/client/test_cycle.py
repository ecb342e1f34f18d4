"""One exchange: every branch, and a crash after every numbered step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sync.client.cycle import Page, exchange
from sync.client.errors import ExchangeError, ServerRefused, Unreachable
from sync.protocol import codec, messages
from sync.protocol.errors import Outcome, Problem, Refused, UpgradeNeeded
from sync.protocol.merge import Conflict
from sync.protocol.messages import Cursor, Paper
from tests.client.memory import (
    ANN,
    EPOCH,
    NOW,
    Crash,
    MemoryBook,
    MemoryReplica,
    MemoryServer,
    change,
    line_to,
    refusal,
)

SESSION, EXCHANGE = messages.SESSION_PATH, messages.EXCHANGE_PATH
ORDER = Paper(kind="order", data=b"{}", id=b"o" * 16)
CONFLICT = Conflict(id=b"c" * 16, kind="customer", record=b"r" * 16, cell="stage")


def _world(*names: str) -> tuple[MemoryServer, MemoryReplica, MemoryBook]:
    replica = MemoryReplica()
    for name in names:
        replica.save(name)
    return MemoryServer(), replica, MemoryBook()


def _names(server: MemoryServer) -> list[str]:
    return [op.set["name"] for _incarnation, op in server.taken]


# --- what goes up and down --------------------------------------------------------------------


def test_ops_go_up_and_results_changes_conflicts_and_papers_come_down() -> None:
    server, replica, book = _world("a", "b")
    server.extra = [change(9, name="c"), (messages.CONFLICT, CONFLICT), (messages.PAPER, ORDER)]
    page = exchange(replica, book, line_to(server))
    assert _names(server) == ["a", "b"]
    [answer] = replica.applied
    assert [result.n for result in answer.results] == [1, 2]
    assert (answer.acked_n, answer.durable_seq, answer.cursor) == (2, 2, Cursor(epoch=EPOCH, seq=2))
    assert [codec.unpack(bytes(each.cells["name"])) for each in answer.changes] == ["c"]
    assert answer.conflicts == [CONFLICT]
    assert book.papers == [ORDER]
    assert book.contacts == [(NOW, {}, ANN)]
    assert page == Page(more=False, sent=2, applied=page.applied, papers=1, at=2)
    assert (page.applied.records, page.applied.conflicts) == ([("customer", (9).to_bytes(16, "big"))], 1)
    assert replica.unsent() == 0


def test_a_disk_put_back_gets_its_answers_piece_by_piece() -> None:
    server, replica, book = _world("a", "b", "c", "d")
    server.acked = {
        replica.incarnation: 4
    }  # all of it went up before; this copy of the disk knows nothing of that
    server.ops_max = 3
    line = line_to(server)
    assert exchange(replica, book, line).sent == 3
    assert [answer.acked_n for answer in replica.applied] == [3]
    assert replica.unsent() == 1  # not answered for yet
    assert exchange(replica, book, line).sent == 1
    assert replica.unsent() == 0
    assert server.taken == []  # nothing twice


def test_the_head_says_how_the_device_stands() -> None:
    server, replica, book = _world("a")
    book.obeyed, book.ask_share = {"o1": "done"}, True
    replica.packets = [b"p1"]
    exchange(replica, book, line_to(server))
    [head] = server.heads
    assert (head.state, head.lease_left_ms, head.policy_version, head.root_version, head.order_head) == (
        "active", 5, 2, 3, 4,
    )  # fmt: skip
    assert (head.obeyed, head.ask_share, head.recovered, head.unsent) == ({"o1": "done"}, True, [b"p1"], 1)
    assert (head.incarnation, head.cursor) == (b"incarn.1", Cursor())
    assert head.app_version
    assert book.nonces == [head.nonce]
    assert len(bytes.fromhex(head.nonce)) == 16


def test_reports_are_made_until_they_have_arrived_and_not_again() -> None:
    server, replica, book = _world()
    book.obeyed, replica.packets = {"o1": "done"}, [b"p1"]
    line = line_to(server)
    server.refusals = {EXCHANGE: [refusal(Problem.BUSY)]}
    with pytest.raises(ServerRefused):
        exchange(replica, book, line)
    assert (book.obeyed, replica.packets) == ({"o1": "done"}, [b"p1"])
    for _ in range(2):
        exchange(replica, book, line)
    assert [head.obeyed for head in server.heads] == [{"o1": "done"}, {}]
    assert [head.recovered for head in server.heads] == [[b"p1"], []]
    assert replica.told == [b"p1"]


def test_no_more_ops_are_taken_than_the_session_allows() -> None:
    server, replica, book = _world("a", "b", "c")
    server.ops_max = 2
    line = line_to(server)
    assert exchange(replica, book, line).sent == 2
    assert replica.asked_for == (2, messages.OPS_BYTES_MAX)
    assert exchange(replica, book, line).sent == 1
    assert _names(server) == ["a", "b", "c"]
    assert len(server.opened) == 1


def test_more_is_passed_on() -> None:
    server, replica, book = _world()
    server.more = True
    assert exchange(replica, book, line_to(server)).more


def test_every_exchange_asks_for_its_own_lease() -> None:
    server, replica, book = _world()
    line = line_to(server)
    for _ in range(3):
        exchange(replica, book, line)
    assert len(set(book.nonces)) == 3


# --- a device that may not have records -------------------------------------------------------


@pytest.mark.parametrize("state", ["locked", "wiped"])
@pytest.mark.parametrize("has_replica", [True, False])
def test_a_locked_device_carries_papers_and_nothing_else(state: str, has_replica: bool) -> None:
    server, replica, book = _world("a")
    replica.packets = [b"p1"]
    book.state, book.obeyed = state, {"o1": "done"}
    server.extra = [(messages.PAPER, ORDER), change(9, name="must not be kept")]
    page = exchange(replica if has_replica else None, book, line_to(server))
    assert (server.taken, replica.applied, replica.packets) == ([], [], [b"p1"])
    assert book.papers == [ORDER]
    assert book.contacts == [(NOW, {"o1": "done"}, ANN)]
    assert (page.sent, page.papers, page.applied.records) == (0, 1, [])
    [head] = server.heads
    assert (head.state, head.cursor, head.unsent, head.recovered) == (state, Cursor(), 0, [])
    assert replica.asked_for == (0, 0)


def test_an_open_device_without_a_replica_carries_papers_alone() -> None:
    server, _replica, book = _world()
    server.extra = [(messages.PAPER, ORDER)]
    assert exchange(None, book, line_to(server)).papers == 1


# --- sessions and histories -------------------------------------------------------------------


def test_a_session_that_the_server_forgot_is_opened_anew_within_the_same_exchange() -> None:
    server, replica, book = _world("a")
    line = line_to(server)
    exchange(replica, book, line)
    server.forget()
    replica.save("b")
    assert exchange(replica, book, line).sent == 1
    assert (_names(server), len(server.opened)) == (["a", "b"], 2)


def test_one_who_is_unsigned_again_gives_up_for_this_time() -> None:
    server, replica, book = _world("a")
    server.refusals = {EXCHANGE: [refusal(Problem.UNSIGNED) for _ in range(5)]}
    with pytest.raises(ServerRefused) as caught:
        exchange(replica, book, line_to(server))
    assert caught.value.problem is Problem.UNSIGNED
    assert len(server.refusals[EXCHANGE]) == 3
    assert (replica.unsent(), replica.applied, book.contacts) == (1, [], [])


def test_a_restored_copy_takes_a_new_incarnation_before_it_sends() -> None:
    server, replica, book = _world("a", "b")
    server.rollback = True
    exchange(replica, book, line_to(server))
    assert replica.incarnation != b"incarn.1"
    assert [incarnation for incarnation, _op in server.taken] == [replica.incarnation] * 2
    assert [op.n for _incarnation, op in server.taken] == [1, 2]
    assert [asked.incarnation for asked in server.opened] == [b"incarn.1".hex(), replica.incarnation.hex()]
    assert server.heads[0].incarnation == replica.incarnation


def test_a_copy_that_is_found_out_after_the_server_forgot_the_session_sends_nothing_under_its_numbers() -> (
    None
):
    server, replica, book = _world()
    line = line_to(server)
    exchange(replica, book, line)
    server.forget()
    server.rollback = True
    replica.save("a")
    with pytest.raises(ServerRefused):
        exchange(replica, book, line)
    assert not server.taken
    server.rollback = True  # it is a copy still
    line.forget()
    exchange(replica, book, line)
    assert [incarnation != b"incarn.1" for incarnation, _op in server.taken] == [True]


def test_a_locked_copy_is_not_numbered_anew() -> None:
    server, replica, book = _world("a")
    server.rollback, book.state = True, "locked"
    exchange(replica, book, line_to(server))
    assert replica.incarnation == b"incarn.1"


def test_a_new_history_of_the_server_is_read_from_its_start_and_nothing_is_lost() -> None:
    server, replica, book = _world("a")
    server.refusals = {EXCHANGE: [refusal(Problem.EPOCH)]}
    line = line_to(server)
    with pytest.raises(ServerRefused):
        exchange(replica, book, line)
    assert (replica.restarts, replica.unsent()) == ([0], 1)
    exchange(replica, book, line)
    assert (_names(server), len(server.opened)) == (["a"], 2)


def test_a_new_history_does_not_matter_to_a_locked_device() -> None:
    server, replica, book = _world()
    book.state = "locked"
    server.refusals = {EXCHANGE: [refusal(Problem.EPOCH)]}
    with pytest.raises(ServerRefused):
        exchange(replica, book, line_to(server))
    assert not replica.restarts


@pytest.mark.parametrize(
    "problem", [each for each in Problem if each not in (Problem.UNSIGNED, Problem.EPOCH)]
)
def test_a_refusal_changes_nothing(problem: Problem) -> None:
    server, replica, book = _world("a")
    server.refusals = {EXCHANGE: [refusal(problem)]}
    with pytest.raises(ServerRefused) as caught:
        exchange(replica, book, line_to(server))
    assert caught.value.problem is problem
    assert (replica.unsent(), replica.applied, replica.restarts, book.papers, book.contacts) == (
        1,
        [],
        [],
        [],
        [],
    )


# --- answers that do not hold -----------------------------------------------------------------


def _reply(frames: list[tuple[str, Any]]) -> Callable[[str, bytes], bytes]:
    return lambda path, body: codec.encode(frames) if path == EXCHANGE else body


BROKEN: dict[str, Callable[[str, bytes], bytes]] = {
    "cut": lambda path, body: body[:-1] if path == EXCHANGE else body,
    "a page": lambda path, body: b"<html></html>" if path == EXCHANGE else body,
    "nothing": lambda path, body: b"" if path == EXCHANGE else body,
    "no head": _reply([(messages.PAPER, ORDER)]),
    "another head": _reply([(messages.HEAD, {"cursor": 5})]),
    "no frame": _reply([]),
}
GOOD_HEAD = messages.ReplyHead(
    cursor=Cursor(epoch=EPOCH, seq=9),
    more=False,
    acked_n=9,
    durable_seq=9,
    server_time=NOW,
    order_head=0,
    person=ANN,
)
for _tag in (messages.RESULT, messages.CHANGE, messages.CONFLICT, messages.PAPER):
    for _value in (None, 5, {}, {"n": "x"}, {"id": 5}):
        BROKEN[f"{_tag} {_value}"] = _reply([(messages.HEAD, GOOD_HEAD), (_tag, _value)])


def _with(**bent: object) -> Callable[[str, bytes], bytes]:
    return _reply([(messages.HEAD, msgspec.structs.replace(GOOD_HEAD, **{"acked_n": 1, **bent}))])


# A server that takes more than it was given, or counts as none does, must not empty an outbox.
BROKEN["more acknowledged than sent"] = _with(acked_n=2)
BROKEN["a number beyond all counting"] = _with(durable_seq=2**63)
BROKEN["a time beyond all calendars"] = _with(server_time=10**18)
BROKEN["a result for nothing sent"] = _reply(
    [
        (messages.HEAD, msgspec.structs.replace(GOOD_HEAD, acked_n=1)),
        (messages.RESULT, messages.OpResult(n=7, outcome=Outcome.OK)),
    ]
)


@pytest.mark.parametrize("bend", BROKEN.values(), ids=list(BROKEN))
def test_an_answer_that_is_not_whole_and_right_changes_nothing(bend: Callable[[str, bytes], bytes]) -> None:
    server, replica, book = _world("a")
    server.bend = bend
    line = line_to(server)
    with pytest.raises(Unreachable):
        exchange(replica, book, line)
    assert (replica.unsent(), replica.applied, book.papers, book.contacts) == (1, [], [], [])
    server.bend = lambda path, body: body
    exchange(replica, book, line)
    assert (_names(server), replica.unsent()) == (["a"], 0)


@pytest.mark.parametrize("tag", ["from tomorrow", "", "op", "head", "part", "trouble"])
def test_an_entry_that_is_not_known_refuses_the_page_and_asks_for_an_update(tag: str) -> None:
    """Passing over it would move the cursor past something that is never sent again."""
    server, replica, book = _world("a")
    server.extra = [(messages.PAPER, ORDER), change(9, name="c"), (tag, {})]
    with pytest.raises(UpgradeNeeded) as caught:
        exchange(replica, book, line_to(server))
    assert caught.value.hint
    assert (replica.unsent(), replica.applied, replica.cursor) == (1, [], Cursor())
    assert (book.papers, book.contacts) == ([], [])


def test_a_field_from_tomorrow_in_a_known_entry_is_passed_over_and_a_cell_is_carried() -> None:
    server, replica, book = _world()
    server.extra = [
        (messages.CHANGE, {"kind": "customer", "id": b"r" * 16, "ver": 5, "cells": {"new": [1]}, "later": 1})
    ]
    exchange(replica, book, line_to(server))
    [answer] = replica.applied
    assert codec.unpack(bytes(answer.changes[0].cells["new"])) == [1]


def test_a_book_that_cannot_keep_papers_stops_the_page() -> None:
    """An order must not be passed over because the disk was full: page and cursor wait for it."""
    server, replica, book = _world("a")
    server.extra = [(messages.PAPER, ORDER)]
    book.refuse = Refused("disk", "The disk is full.")
    with pytest.raises(Refused):
        exchange(replica, book, line_to(server))
    assert (replica.applied, book.contacts) == ([], [])


# --- a crash after every step -----------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_a_crash_after_any_step_loses_nothing_and_doubles_nothing(step: int) -> None:
    server, replica, book = _world("a", "b")
    book.obeyed, replica.packets = {"o1": "done"}, [b"p1"]
    server.extra = [(messages.PAPER, ORDER)]

    def crash(reached: int) -> None:
        if reached == step:
            raise Crash

    with pytest.raises(Crash):
        exchange(replica, book, line_to(server), crash)
    assert bool(server.taken) is (step >= 3)
    assert bool(book.papers) is (step >= 4)
    assert bool(replica.applied) is (step >= 5)
    assert bool(book.contacts) is (step >= 6)
    # The program starts again, and types on.
    replica.save("c")
    server.extra = [] if book.papers else [(messages.PAPER, ORDER)]  # an order comes until it is reported
    exchange(replica, book, line_to(server))
    assert _names(server) == ["a", "b", "c"]
    assert (replica.unsent(), replica.told[-1:], replica.packets) == (0, [b"p1"], [])
    assert book.papers == [ORDER]
    assert book.obeyed == {}
    assert [op.n for _incarnation, op in server.taken] == [1, 2, 3]


def test_a_lost_answer_costs_a_repeat_and_nothing_else() -> None:
    server, replica, book = _world("a")
    lost = iter([True, False, False])

    def lose(path: str, body: bytes) -> bytes:
        if path == EXCHANGE and next(lost):
            raise Unreachable("gone")
        return body

    server.bend = lose
    line = line_to(server)
    with pytest.raises(ExchangeError):
        exchange(replica, book, line)
    exchange(replica, book, line)
    assert (_names(server), len(server.heads), server.counters) == (["a"], 2, [1, 2])
    assert [result.n for result in replica.applied[0].results] == [1]

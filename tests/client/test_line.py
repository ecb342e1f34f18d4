"""A line signs in with the device key, and macs and counts every request after that."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from sync.client.cycle import NOTHING_HELD
from sync.client.errors import ServerRefused, Unreachable
from sync.client.line import Line, head, whole
from sync.protocol import codec, messages
from sync.protocol.errors import Problem
from sync.protocol.messages import SessionReply, Trouble
from tests.client.memory import DEVICE, ENROLMENT, NOW, ORG, MemoryReplica, MemoryServer, line_to, refusal

SESSION, EXCHANGE = messages.SESSION_PATH, messages.EXCHANGE_PATH


def _body(server: MemoryServer) -> bytes:
    """A request that the server takes: only its head, each time another."""
    nonce = f"{len(server.heads):032x}"
    first = messages.ExchangeHead(
        incarnation=b"incarn.1", cursor=messages.Cursor(), state="active", nonce=nonce, lease_left_ms=0,
        policy_version=0, root_version=0, order_head=0,
    )  # fmt: skip
    return codec.encode([(messages.HEAD, first)])


def test_signing_in_says_who_and_where_one_stands() -> None:
    server, replica = MemoryServer(), MemoryReplica(last_n=7)
    session = line_to(server).open(replica.position(), "active")
    assert session == server.session
    [asked] = server.opened
    assert (asked.org, asked.enrolment, asked.device) == (ORG, ENROLMENT, DEVICE)
    assert (asked.incarnation, asked.last_n, asked.state, asked.at) == (b"incarn.1".hex(), 7, "active", NOW)
    assert 1 in asked.protocols


def test_a_session_is_kept() -> None:
    server = MemoryServer()
    line = line_to(server)
    assert line.open(NOTHING_HELD, "locked") is line.open(NOTHING_HELD, "locked")
    assert len(server.opened) == 1


@pytest.mark.parametrize("off", [-10 * 365 * 86_400_000, -600_000, 600_000, 10 * 365 * 86_400_000])
def test_a_device_with_a_wrong_clock_signs_in_by_the_servers_time(off: int) -> None:
    server = MemoryServer()
    line_to(server, lambda: NOW + off).open(NOTHING_HELD, "active")
    assert [asked.at for asked in server.opened] == [NOW]


def test_one_who_is_told_the_time_and_still_refused_gives_up() -> None:
    server = MemoryServer(refusals={SESSION: [refusal(Problem.UNSIGNED, server_time=NOW) for _ in range(5)]})
    with pytest.raises(ServerRefused):
        line_to(server).open(NOTHING_HELD, "active")
    assert len(server.refusals[SESSION]) == 3


@pytest.mark.parametrize("problem", [each for each in Problem if each is not Problem.UNSIGNED])
def test_any_other_refusal_is_not_tried_again(problem: Problem) -> None:
    server = MemoryServer(refusals={SESSION: [refusal(problem, server_time=NOW)]})
    line = line_to(server)
    with pytest.raises(ServerRefused) as caught:
        line.open(NOTHING_HELD, "active")
    assert caught.value.problem is problem
    assert not server.opened


def test_unsigned_without_the_time_is_not_tried_again() -> None:
    server = MemoryServer(refusals={SESSION: [refusal(Problem.UNSIGNED)]})
    with pytest.raises(ServerRefused):
        line_to(server).open(NOTHING_HELD, "active")
    assert not server.opened


def test_every_request_has_its_mac_and_a_counter_that_rises() -> None:
    server = MemoryServer()
    line = line_to(server)
    line.open(NOTHING_HELD, "active")
    for _ in range(3):
        line.post(EXCHANGE, _body(server))
    assert server.counters == [1, 2, 3]


def test_counting_begins_anew_with_a_session() -> None:
    server = MemoryServer()
    line = line_to(server)
    for _ in range(2):
        line.open(NOTHING_HELD, "active")
        line.post(EXCHANGE, _body(server))
        assert server.counters == [1]
        line.forget()
    assert len(server.opened) == 2


@pytest.mark.parametrize(
    "problem", [Problem.UNSIGNED, Problem.EPOCH, Problem.ROLLBACK, Problem.UNKNOWN_DEVICE]
)
def test_after_a_refusal_that_ends_the_session_one_signs_in_anew(problem: Problem) -> None:
    server = MemoryServer(refusals={EXCHANGE: [refusal(problem)]})
    line = line_to(server)
    line.open(NOTHING_HELD, "active")
    with pytest.raises(ServerRefused):
        line.post(EXCHANGE, b"")
    line.open(NOTHING_HELD, "active")
    assert len(server.opened) == 2


@pytest.mark.parametrize("problem", [Problem.BUSY, Problem.GAP, Problem.TOO_BIG, Problem.BAD_REQUEST])
def test_after_another_refusal_the_session_goes_on_with_the_next_counter(problem: Problem) -> None:
    server = MemoryServer(refusals={EXCHANGE: [refusal(problem)]})
    line = line_to(server)
    line.open(NOTHING_HELD, "active")
    with pytest.raises(ServerRefused):
        line.post(EXCHANGE, b"")
    line.open(NOTHING_HELD, "active")
    line.post(EXCHANGE, _body(server))
    assert (len(server.opened), server.counters) == (1, [2])


def test_no_request_goes_out_before_signing_in() -> None:
    line: Line = line_to(MemoryServer())
    with pytest.raises(RuntimeError):
        line.post(EXCHANGE, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"<html>Please sign in</html>", codec.encode([]), codec.encode([(messages.HEAD, {"no": "session"})]),
        codec.encode([(messages.HEAD, None)]), codec.encode([(messages.RESULT, {})]),
        codec.encode([(messages.TROUBLE, Trouble(problem=Problem.BUSY))]),
    ],
    ids=["nothing", "a page", "no frame", "another head", "no head", "another frame", "trouble with status 200"],
)  # fmt: skip
def test_an_answer_that_is_no_session_is_the_network(answer: bytes) -> None:
    server = MemoryServer(bend=lambda path, body: answer)
    line = line_to(server)
    with pytest.raises(Unreachable) as caught:
        line.open(NOTHING_HELD, "active")
    assert caught.value.hint
    server.bend = lambda path, body: body
    assert isinstance(line.open(NOTHING_HELD, "active"), SessionReply)


def test_the_mac_covers_method_target_body_and_counter() -> None:
    key = bytes(32)
    macs = {
        messages.request_mac(*each)
        for each in [
            (key, "POST", "/v1/exchange", b"a", 1), (bytes([1]) * 32, "POST", "/v1/exchange", b"a", 1),
            (key, "GET", "/v1/exchange", b"a", 1), (key, "POST", "/v1/exchange?x=1", b"a", 1),
            (key, "POST", "/v1/exchange", b"b", 1), (key, "POST", "/v1/exchange", b"a", 2),
        ]
    }  # fmt: skip
    assert len(macs) == 6
    text = b"fieldkeep-request/v1\nPOST\n/v1/exchange\n" + hashlib.sha256(b"a").hexdigest().encode() + b"\n1"
    assert (
        messages.request_mac(key, "POST", "/v1/exchange", b"a", 1) == hmac.digest(key, text, "sha256").hex()
    )


def test_a_whole_answer_gives_its_head() -> None:
    frames = whole(codec.encode([(messages.HEAD, messages.Cursor(seq=5)), (messages.RESULT, 1)]))
    assert head(frames, messages.Cursor).seq == 5
    assert len(frames) == 2

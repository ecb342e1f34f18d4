"""What goes up piece by piece: from where the server is, never for ever, and as large as the line takes."""

from __future__ import annotations

import io

import pytest

from sync.client.errors import Unreachable
from sync.client.pieces import Climb, Pace
from sync.protocol.messages import PieceReply

STUCK = Unreachable("stuck")


class Server:
    """Holds what it is given, unless it is told to lie."""

    def __init__(self, length: int, held: bytes = b"") -> None:
        self.held, self.length = held, length
        self.given: list[tuple[int, int]] = []

    def __call__(self, at: int, data: bytes) -> PieceReply:
        self.given.append((at, len(data)))
        if at == len(self.held):
            self.held += data
        return PieceReply(held=len(self.held), whole=len(self.held) == self.length)


def test_it_goes_on_where_the_server_stopped() -> None:
    data = bytes(range(100))
    server = Server(100, data[:37])
    climb = Climb(server, io.BytesIO(data), 100, STUCK)
    steps = [climb.step(30) for _each in range(4)]
    assert steps == [False, False, False, True]
    assert server.given == [(0, 0), (37, 30), (67, 30), (97, 3)]
    assert server.held == data


def test_what_is_whole_already_is_asked_for_once() -> None:
    server = Server(5, b"12345")
    assert Climb(server, io.BytesIO(b"12345"), 5, STUCK).step(30)
    assert server.given == [(0, 0)]


@pytest.mark.parametrize("held", [0, -1, 101])
def test_a_server_that_takes_nothing_or_lies_is_left_alone(held: int) -> None:
    asked = []

    def ask(at: int, data: bytes) -> PieceReply:
        asked.append(at)
        return PieceReply(held=held)

    climb = Climb(ask, io.BytesIO(bytes(100)), 100, STUCK)
    with pytest.raises(Unreachable, match="stuck"):
        for _each in range(10):
            climb.step(30)
    assert len(asked) <= 4


def test_whole_before_the_end_is_no_answer() -> None:
    climb = Climb(lambda at, data: PieceReply(held=5, whole=True), io.BytesIO(bytes(9)), 9, STUCK)
    with pytest.raises(Unreachable):
        climb.step(30)


def test_pieces_are_as_large_as_two_seconds_of_the_line() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])

    def sent_at(bytes_per_s: float) -> list[int]:
        sizes = []
        for _each in range(6):
            sizes.append(pace.begins())
            now[0] += sizes[-1] / bytes_per_s
            pace.ended()
        return sizes

    assert sent_at(10**7)[-1] == 256 * 2**10
    slow = sent_at(5_000)
    assert slow[-1] == 16 * 2**10
    assert sent_at(10**7)[:3] == [16 * 2**10, 32 * 2**10, 64 * 2**10]

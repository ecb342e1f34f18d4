"""How a comparison bears a server that is old, busy, forgetful, elsewhere in its history, or makes no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from sync.client.comparing import Comparison, Difference, Unlevel
from sync.client.errors import ServerRefused, Unreachable
from sync.client.line import Line
from sync.client.ports import Position
from sync.protocol import codec, digest, messages
from sync.protocol.digest import Entry, Sums
from sync.protocol.errors import Problem
from sync.protocol.messages import (
    BucketHead,
    BucketReply,
    Change,
    Cursor,
    DigestReply,
    RecordsHead,
    RecordsReply,
    SessionReply,
    Trouble,
)

HERE = Position(Cursor(epoch=b"e" * 16, seq=100, scopes=3, schema=1), b"i" * 8, 9)
Rows = dict[bytes, tuple[int, int]]


class Held:
    """What a device holds."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def sums(self) -> Sums:
        found = Sums()
        for id_, (ver, told) in self.rows.items():
            if ver <= HERE.cursor.seq:
                found.add(id_, told)
        return found

    def digests(self, buckets: frozenset[int]) -> Rows:
        return {id_: each for id_, each in self.rows.items() if digest.bucket_of(id_) in buckets}


class Staged:
    """A line to a server that holds `rows`, and answers first with the troubles that it is given."""

    def __init__(self, rows: Rows, *troubles: Trouble, rollback: bool = False) -> None:
        self.rows = rows
        self.troubles = list(troubles)
        self.rollback = rollback
        self.asked: list[str] = []
        self.twist: Callable[[Any], Any] = lambda reply: reply

    def open(self, _position: Position, _state: str) -> SessionReply:
        return SessionReply(
            session=b"s", key=b"k", epoch=b"e" * 16, acked_n=9, server_time=0, rollback=self.rollback
        )

    def post(self, path: str, body: bytes) -> bytes:
        self.asked.append(path)
        if self.troubles:
            raise ServerRefused(self.troubles.pop(0), "No.")
        ((_tag, raw),) = codec.decode(body)
        frames = list(getattr(self, path.rsplit("/", 1)[1])(raw))
        return codec.encode([(messages.HEAD, self.twist(frames[0])), *frames[1:]])

    def digest(self, _raw: codec.Raw) -> Iterator[Any]:
        yield DigestReply(sums=Held(self.rows).sums().packed(), upto=100, more=False, scopes=3, head=200)

    def bucket(self, raw: codec.Raw) -> Iterator[Any]:
        wanted = frozenset(codec.read(raw, BucketHead).buckets)
        told = [Entry(id_, *each) for id_, each in Held(self.rows).digests(wanted).items()]
        yield BucketReply(entries=digest.pack_entries(told), upto=100, more=False, scopes=3, head=200)

    def records(self, raw: codec.Raw) -> Iterator[Any]:
        ids = codec.read(raw, RecordsHead).ids[:3]  # a page holds no more
        yield RecordsReply(told=len(ids), scopes=3, head=200)
        for id_ in ids:
            yield messages.CHANGE, Change(kind="", id=id_, ver=0, gone="left")


def _comparison(line: Staged, **other: Any) -> Comparison:
    return Comparison(cast("Line", line), HERE, **other)


def _rows(count: int) -> Rows:
    return {b"%16d" % n: (n % 100 + 1, n * 7919) for n in range(count)}


def test_what_differs_is_named_and_nothing_else() -> None:
    theirs, ours = _rows(900), _rows(900)
    ours[b"%16d" % 5] = (6, 1)
    del ours[b"%16d" % 6]
    strays = [b"stray %10d" % n for n in range(7)]
    ours |= dict.fromkeys(strays, (50, 1))
    theirs[b"%16d" % 8] = (150, 1)  # changed since the cursor
    theirs[b"since the cursor"] = (151, 1)
    (found,) = _comparison(Staged(theirs)).differences(Held(ours))
    assert found == Difference([b"%16d" % 5], [b"%16d" % 6], found.stray)
    assert sorted(found.stray) == strays


def test_all_equal_costs_one_answer() -> None:
    line = Staged(_rows(900))
    assert list(_comparison(line).differences(Held(_rows(900)))) == []
    assert line.asked == [messages.DIGEST_PATH]


def test_a_great_many_are_compared_some_buckets_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.client.comparing.AT_ONCE", 300)
    line = Staged({})
    found = list(_comparison(line).differences(Held(_rows(900))))
    assert sum(len(each.stray) for each in found) == 900
    assert all(len(each.stray) <= 300 for each in found)
    assert len(found) >= 3


def test_a_server_that_does_not_know_the_question_is_told_apart() -> None:
    line = Staged({}, Trouble(problem=Problem.NOT_HERE))
    with pytest.raises(ServerRefused) as refused:
        list(_comparison(line).differences(Held({})))
    assert refused.value.problem is Problem.NOT_HERE
    assert line.asked == [messages.DIGEST_PATH]


def test_a_forgotten_session_is_opened_anew_once() -> None:
    unsigned = Trouble(problem=Problem.UNSIGNED)
    assert list(_comparison(Staged({}, unsigned)).differences(Held({}))) == []
    with pytest.raises(ServerRefused):
        list(_comparison(Staged({}, unsigned, unsigned)).differences(Held({})))


def test_a_busy_server_is_waited_for_within_the_time_there_is() -> None:
    busy = Trouble(problem=Problem.BUSY, retry_after=1)
    assert list(_comparison(Staged({}, busy)).differences(Held({}))) == []
    with pytest.raises(ServerRefused):
        list(_comparison(Staged({}, busy), total_s=0.5).differences(Held({})))


@pytest.mark.parametrize(
    "line",
    [Staged({}, Trouble(problem=Problem.EPOCH)), Staged({}, rollback=True)],
    ids=["another history", "a copy of a device"],
)
def test_who_stands_elsewhere_exchanges_first(line: Staged) -> None:
    with pytest.raises(Unlevel, match="not taken in yet"):
        list(_comparison(line).differences(Held({})))


def test_other_rights_mean_an_exchange_first() -> None:
    line = Staged({})
    line.twist = lambda reply: DigestReply(sums=reply.sums, upto=100, more=False, scopes=4, head=200)
    with pytest.raises(Unlevel):
        list(_comparison(line).differences(Held({})))


NONSENSE = {
    "it goes on without going on": DigestReply(sums=Sums().packed(), upto=0, more=True, scopes=3, head=1),
    "sums that are cut": DigestReply(sums=b"short", upto=0, more=False, scopes=3, head=1),
    "entries that are cut": BucketReply(entries=b"short", upto=0, more=False, scopes=3, head=1),
    "records that were not asked for": RecordsReply(told=9, scopes=3, head=1),
    "no records": RecordsReply(told=0, scopes=3, head=1),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_an_answer_that_does_not_fit_is_not_used(name: str) -> None:
    line, wrong = Staged({}), NONSENSE[name]
    line.twist = lambda reply: wrong if type(reply) is type(wrong) else reply
    with pytest.raises(Unreachable, match="does not fit"):
        list(_comparison(line).differences(Held(_rows(3))))

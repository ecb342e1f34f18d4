"""A device compares: digests and records of what its person sees, whatever the stretch; of all else not a word."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync.protocol import codec, digest, messages
from sync.protocol.digest import Sums
from sync.protocol.errors import Problem
from sync.protocol.ids import new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.messages import (
    BucketHead,
    BucketReply,
    Change,
    Cursor,
    DigestHead,
    DigestReply,
    RecordsHead,
    RecordsReply,
)
from sync.server import comparing, feed, limits
from tests.server.driver import Device, Refusal, frames_of
from tests.server.inside import Inside, problem_of

ALL = bytes(range(digest.BUCKETS))


def ask(device: Device, path: str, head: Any) -> list[tuple[str, Any]]:
    """One request within the device's session."""
    body = codec.encode([(messages.HEAD, head)])
    return frames_of(*device.send("POST", path, body, device.headers(body, path)))


def sums_of(device: Device) -> Sums:
    """The server's sums, however many stretches they come in."""
    found, after, more = Sums(), 0, True
    while more:
        frames = ask(device, messages.DIGEST_PATH, DigestHead(cursor=device.cursor, after=after))
        reply = codec.read(frames[0][1], DigestReply)
        found.add_packed(reply.sums)
        assert reply.scopes == device.cursor.scopes
        after, more = reply.upto, reply.more
    return found


def entries_of(device: Device, buckets: bytes = ALL) -> dict[bytes, tuple[int, int]]:
    """The server's entries of these buckets."""
    found: dict[bytes, tuple[int, int]] = {}
    after, more = 0, True
    while more:
        asked = BucketHead(cursor=device.cursor, buckets=buckets, after=after)
        reply = codec.read(ask(device, messages.BUCKET_PATH, asked)[0][1], BucketReply)
        found.update({id_: (ver, told) for id_, ver, told in digest.entries_of(reply.entries)})
        after, more = reply.upto, reply.more
    return found


def records_of(device: Device, *ids: bytes) -> list[Change]:
    """Records as the server shows them."""
    frames = ask(device, messages.RECORDS_PATH, RecordsHead(cursor=device.cursor, ids=list(ids)))
    changes = [codec.read(raw, Change) for tag, raw in frames[1:] if tag == messages.CHANGE]
    assert codec.read(frames[0][1], RecordsReply).told == len(changes)
    return changes


def held(device: Device) -> dict[bytes, tuple[int, int]]:
    """What the device's own rows come to."""
    return {
        id_: (row.ver, digest.digest_of(id_, row.ver, device.cells(id_))) for id_, row in device.rows.items()
    }


@pytest.fixture
def teams(inside: Inside, ana: Device) -> tuple[Device, Device]:
    """Two devices of two teams, each with records that the other does not see, and one that both do."""
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"), "cora")
    for device in (ana, cora):
        for number in range(30):
            device.add("customer", name=f"{device.name} {number}", notes="words")
    ana.add("product", name="For all")
    for device in (ana, cora, ana):
        device.sync()
    return ana, cora


@pytest.mark.parametrize("stretch", [7, comparing.STRETCH])
def test_sums_and_entries_are_of_what_its_person_sees(
    teams: tuple[Device, Device], monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    monkeypatch.setattr(comparing, "STRETCH", stretch)
    for device in teams:
        assert len(device.rows) == 31
        assert entries_of(device) == held(device)
        sums = Sums()
        for id_, (_ver, told) in held(device).items():
            sums.add(id_, told)
        assert sums_of(device).differing(sums) == []


def test_what_is_masked_is_compared_masked(inside: Inside, teams: tuple[Device, Device]) -> None:
    privacy = inside.device(inside.person("privacy@example.com", role="privacy"), "privacy")
    privacy.sync()
    assert len(privacy.rows) == 61
    assert entries_of(privacy) == held(privacy)
    (change,) = records_of(privacy, next(iter(teams[0].rows)))
    assert (change.person, change.cells) == ("", privacy.rows[change.id].cells)


def test_who_sees_nothing_hears_nothing(inside: Inside, teams: tuple[Device, Device]) -> None:
    it = inside.device(inside.person("admin@example.com", role="it"), "it")
    it.exchange()
    assert entries_of(it) == {}
    assert sums_of(it).digests == [0] * digest.BUCKETS


def test_a_record_of_others_is_as_one_that_never_was(teams: tuple[Device, Device]) -> None:
    """By id, too: whether it is there, what it is and when it changed stays with those who see it."""
    ana, cora = teams
    foreign = next(id_ for id_ in cora.rows if id_ not in ana.rows)
    known, nobody = records_of(ana, foreign, bytes(new_record_id()))
    assert known == Change(kind="", id=foreign, ver=0, gone="left")
    assert (nobody.kind, nobody.ver, nobody.gone, nobody.cells) == ("", 0, "left", {})
    assert foreign not in entries_of(ana)


def test_what_left_since_the_cursor_says_by_which_change(teams: tuple[Device, Device]) -> None:
    ana, cora = teams
    given = next(id_ for id_ in ana.rows if ana.rows[id_].kind == "customer")
    before = ana.cursor
    ana.edit(given, owner="cora@example.com")
    ana.exchange()
    at = ana.cursor
    ana.cursor = before
    (change,) = records_of(ana, given)
    assert (change.gone, change.ver > before.seq) == ("left", True)
    ana.cursor = at
    (change,) = records_of(ana, given)
    assert (change.gone, change.ver) == ("left", 0)
    cora.sync()
    (change,) = records_of(cora, given)
    assert (change.kind, change.gone) == ("customer", "")


def test_what_becomes_of_a_record_out_of_sight_is_not_told_to_an_older_cursor(
    teams: tuple[Device, Device],
) -> None:
    ana, cora = teams
    given = next(id_ for id_ in ana.rows if ana.rows[id_].kind == "customer")
    foreign = next(id_ for id_ in cora.rows if id_ not in ana.rows)
    before = ana.cursor
    ana.edit(given, owner="cora@example.com")
    ana.exchange()
    told = []
    for number in range(3):
        ana.cursor = before
        told.append(records_of(ana, given, foreign))
        ana.sync()
        cora.sync()
        for id_ in (given, foreign):
            cora.edit(id_, notes=f"private {number}")
        cora.sync()
    assert told[0] == told[1] == told[2]
    assert [(change.kind, change.gone, change.ver > before.seq) for change in told[0]] == [
        ("", "left", True),
        ("", "left", False),
    ]
    assert told[0][1].ver == 0


def test_sums_stop_at_the_cursor_and_entries_go_on(teams: tuple[Device, Device]) -> None:
    ana, _cora = teams
    before, sums = ana.cursor, sums_of(ana)
    ana.add("customer", name="Since")
    ana.exchange()
    ana.cursor = before
    assert sums_of(ana).differing(sums) == []
    assert len(entries_of(ana)) == 32


def test_rights_are_those_of_the_moment(inside: Inside, teams: tuple[Device, Device]) -> None:
    ana, _cora = teams
    own = set(ana.rows)
    inside.office.add_person("ana@example.com", "rep", "Elsewhere", "")
    asked = BucketHead(cursor=ana.cursor, buckets=ALL)
    reply = codec.read(ask(ana, messages.BUCKET_PATH, asked)[0][1], BucketReply)
    assert reply.scopes != ana.cursor.scopes  # the device knows by this that it has to exchange first
    assert len(list(digest.entries_of(reply.entries))) == 61
    assert own < {id_ for id_, _ver, _told in digest.entries_of(reply.entries)}


@pytest.mark.parametrize(
    ("path", "head"),
    [
        (messages.DIGEST_PATH, lambda device: DigestHead(cursor=device.cursor)),
        (messages.BUCKET_PATH, lambda device: BucketHead(cursor=device.cursor, buckets=ALL)),
        (messages.RECORDS_PATH, lambda device: RecordsHead(cursor=device.cursor, ids=list(device.rows))),
    ],
)
def test_a_locked_or_wiped_device_hears_nothing(
    inside: Inside, teams: tuple[Device, Device], path: str, head: Callable[[Device], Any]
) -> None:
    ana, cora = teams
    inside.lock(ana)
    inside.wipe(cora)
    for device in teams:
        with pytest.raises(Refusal) as refused:
            ask(device, path, head(device))
        assert problem_of(refused) is Problem.BAD_REQUEST


@pytest.mark.expected_warnings("why=mac")
@pytest.mark.parametrize("path", [messages.DIGEST_PATH, messages.BUCKET_PATH, messages.RECORDS_PATH])
def test_a_request_without_its_mac_is_refused(ana: Device, path: str) -> None:
    ana.exchange()
    body = codec.encode([(messages.HEAD, DigestHead(cursor=ana.cursor))])
    for headers in (
        {},
        ana.headers(body, messages.EXCHANGE_PATH),
        {**ana.headers(body, path), messages.MAC_HEADER: "0"},
    ):
        with pytest.raises(Refusal) as refused:
            frames_of(*ana.send("POST", path, body, headers))
        assert problem_of(refused) is Problem.UNSIGNED
    headers = ana.headers(body, path)
    with pytest.raises(Refusal) as refused:
        frames_of(*ana.send("POST", path, os.urandom(70_000), headers))
    assert problem_of(refused) is Problem.TOO_BIG


def test_another_history_and_mad_numbers_are_refused(ana: Device) -> None:
    ana.exchange()
    mad = [
        (DigestHead(cursor=Cursor()), Problem.EPOCH),
        (DigestHead(cursor=Cursor(epoch=b"x" * 16, seq=1)), Problem.EPOCH),
        (DigestHead(cursor=ana.cursor, after=2**60), Problem.BAD_REQUEST),
        (DigestHead(cursor=ana.cursor, after=-1), Problem.BAD_REQUEST),
    ]
    for head, problem in mad:
        with pytest.raises(Refusal) as refused:
            ask(ana, messages.DIGEST_PATH, head)
        assert problem_of(refused) is problem
    for ids in ([b"short"], [bytes(16)] * (messages.RECORDS_MAX + 1)):
        with pytest.raises(Refusal) as refused:
            ask(ana, messages.RECORDS_PATH, RecordsHead(cursor=ana.cursor, ids=ids))
        assert problem_of(refused) is Problem.TOO_BIG


def test_an_id_is_asked_for_once(ana: Device) -> None:
    id_ = ana.add("customer", name="Asked for")
    ana.sync()
    for ids in ([id_, id_], [bytes(16), id_, bytes(16)]):
        with pytest.raises(Refusal) as refused:
            records_of(ana, *ids)
        assert problem_of(refused) is Problem.BAD_REQUEST
    assert len(records_of(ana, id_, bytes(16))) == 2


def test_conflicts_fill_an_answer_too_and_none_is_lost(inside: Inside, ana: Device) -> None:
    for number in range(12):
        ana.add("customer", name=f"Disputed {number}")
    ana.sync()
    kept = {id_ for record in ana.rows for id_ in inside.disputed(record, 40, ana.rows[record].ver)}
    ids, answers, found = list(ana.rows), 0, []
    while ids:
        frames = ask(ana, messages.RECORDS_PATH, RecordsHead(cursor=ana.cursor, ids=ids))
        came = [codec.read(raw, Conflict) for tag, raw in frames if tag == messages.CONFLICT]
        assert len(came) * 5_000 < feed.PAGE_BYTES + 40 * 5_000
        found += [conflict.id for conflict in came]
        ids = ids[codec.read(frames[0][1], RecordsReply).told :]
        answers += 1
    assert answers == 2
    assert len(found) == len(kept)
    assert set(found) == kept


def test_many_large_records_come_in_several_answers(ana: Device) -> None:
    for number in range(30):
        ana.add("customer", name=f"Large {number}", notes="x" * 60_000)
    while ana.waiting:
        ana.exchange(ana.waiting[:10])
    ids, answers = list(ana.rows), 0
    while ids:
        told = records_of(ana, *ids)
        assert [change.id for change in told] == ids[: len(told)]
        ids = ids[len(told) :]
        answers += 1
    assert 1 < answers < 6


def test_who_asks_too_often_waits(inside: Inside, ana: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOOKS", 3)
    inside.open()
    ana.exchange()
    for _time in range(3):
        sums_of(ana)
    with pytest.raises(Refusal) as refused:
        sums_of(ana)
    assert (problem_of(refused), refused.value.trouble.retry_after) == (Problem.BUSY, 60)
    ana.exchange()  # what it exchanges is not held up by it


def test_what_no_store_takes_any_more_is_compared_all_the_same(inside: Inside, ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    with inside.store.write() as tx:
        kept = tx.records.held(id_)
        assert kept is not None
        odd = {**kept.row.cells, "zz": {1: 1, "a": [{None: 2, b"b": 3}]}}
        row = replace(kept.row, cells=odd, ver=tx.records.next_seq())
        tx.records.put(replace(kept, row=row, device=b""), kept.scope, 1)
    ana.sync()
    cells = codec.unpack(codec.pack(ana.rows[id_].cells))
    assert entries_of(ana) == {id_: (row.ver, digest.digest_of(id_, row.ver, cells))}
    turned = {**cells, "zz": {"a": cells["zz"]["a"], 1: 1}}
    assert digest.digest_of(id_, 1, turned) == digest.digest_of(id_, 1, cells)
    assert digest.digest_of(id_, 1, {**cells, "zz": {1: 2}}) != digest.digest_of(id_, 1, cells)
    assert sums_of(ana).packed()

"""Attached files on the server: signed and bounded on the way in, whole or not at all, given to who sees the record."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import blob_seal
from sync.protocol.errors import Outcome, Problem
from sync.protocol.messages import PieceReply
from sync.protocol.ops import Act
from sync.server import blobs, limits
from sync.server.db.kept import Sealed
from tests.server.attached import File, get, get_all, put, put_all, put_body
from tests.server.driver import DAY_MS, Device, Refusal
from tests.server.inside import Inside, problem_of

ON_BOTH_STORES = True


@pytest.fixture
def file() -> File:
    """A file of some pieces."""
    return File(os.urandom(200_000))


@pytest.fixture
def there(inside: Inside, ana: Device, file: File) -> bytes:
    """The record of a file that is on the server, about a customer of Ana's; its id."""
    customer = ana.add("customer", name="Signed Ltd")
    record = file.attach(ana, customer=customer)
    ana.sync()
    put_all(ana, file, 70_000)
    return record


def refused_get(device: Device, record: bytes, sha256: bytes, **other: Any) -> Problem:
    """Why nothing is given."""
    with pytest.raises(Refusal) as refusal:
        get(device, record, sha256, **other)
    return problem_of(refusal)


def refused_put(device: Device, body: bytes) -> Problem:
    """Why nothing is taken."""
    with pytest.raises(Refusal) as refusal:
        put(device, body)
    return problem_of(refusal)


def test_who_sees_the_record_gets_the_bytes_piece_by_piece(
    inside: Inside, bo: Device, there: bytes, file: File
) -> None:
    bo.sync()
    assert bo.cells(there)["content"] == {"sha256": file.sha256, "size": file.size, "key": file.key}
    assert get_all(bo, there, file.sha256, 64_000) == file.blob
    assert get(bo, there, file.sha256, len(file.blob)) == (len(file.blob), b"")
    assert get(bo, there, file.sha256, 69_990, 100) == (len(file.blob), file.blob[69_990:70_000])


def test_a_cut_costs_a_piece_and_nothing_is_kept_twice(inside: Inside, ana: Device, file: File) -> None:
    first = put_body(ana, file, file.blob[:50_000])
    assert put(ana, first) == PieceReply(held=50_000)
    assert put(ana, first) == PieceReply(held=50_000)  # its answer was lost
    later = put_body(ana, file, file.blob[100_000:150_000], 100_000)
    assert put(ana, later) == PieceReply(held=50_000)  # too early
    assert put(ana, put_body(ana, file, b"")) == PieceReply(held=50_000)
    assert put_all(ana, file) == PieceReply(held=len(file.blob), whole=True)
    assert put(ana, first) == PieceReply(held=len(file.blob), whole=True)


def test_two_devices_bring_the_same_bytes_and_whoever_is_first_counts(
    inside: Inside, ana: Device, bo: Device, file: File
) -> None:
    put(ana, put_body(ana, file, file.blob[:50_000]))
    assert put(bo, put_body(bo, file, b"")) == PieceReply(held=0)
    assert put_all(bo, file).whole
    assert put(ana, put_body(ana, file, b"")) == PieceReply(held=len(file.blob), whole=True)
    assert put(ana, put_body(ana, file, file.blob[50_000:], 50_000)).whole  # on its way meanwhile
    with inside.store.read() as tx:
        one, other = tx.blobs.blobs(file.sha256)
        assert (one.whole, other.gone) == (True, True)
        assert tx.blobs.bytes_of(other.place, 0, 100) == b""
    record = file.attach(bo)
    bo.sync()
    assert get_all(bo, record, file.sha256) == file.blob


def test_nobody_stands_in_the_way_of_who_brings_a_file(
    inside: Inside, ana: Device, bo: Device, file: File
) -> None:
    """A digest is known to everybody who sees the record, which is there before its bytes."""
    record = file.attach(ana)
    ana.sync()
    put(bo, put_body(bo, file, b"x" * 10, of=11))
    assert put_all(ana, file, 70_000).whole
    other = File(os.urandom(5_000))
    other.attach(ana)
    ana.sync()
    put(bo, put_body(bo, other, b"x" * 10))
    assert put(ana, put_body(ana, other, other.blob[:100])) == PieceReply(held=100)
    assert refused_put(bo, put_body(bo, other, b"x" * (len(other.blob) - 10), 10)) is Problem.BAD_REQUEST
    assert put_all(ana, other).whole
    assert get_all(bo, record, file.sha256) == file.blob


def test_who_does_not_see_the_record_gets_nothing_and_is_told_nothing(
    inside: Inside, ana: Device, there: bytes, file: File
) -> None:
    west = inside.device(inside.person("west@example.com", team="West"), "west")
    west.sync()
    never = os.urandom(16)
    assert refused_get(west, there, file.sha256) is Problem.NOT_HERE
    assert refused_get(west, never, file.sha256) is Problem.NOT_HERE
    # Neither does a record of one's own help that names another's digest: what it brings opens with no key but theirs.
    privacy = inside.device(inside.person("p@example.com", "privacy", ""), "p")
    privacy.sync()
    assert privacy.cells(there)["content"] == {"sha256": bytes(32), "size": 0, "key": bytes(32)}
    assert refused_get(privacy, there, file.sha256) is Problem.NOT_HERE
    assert refused_get(ana, there, os.urandom(32)) is Problem.NOT_HERE
    assert refused_get(ana, never, file.sha256) is Problem.NOT_HERE


def test_rights_are_those_of_the_moment(
    inside: Inside, ana: Device, bo: Device, there: bytes, file: File
) -> None:
    bo.sync()
    assert get(bo, there, file.sha256)[0] == len(file.blob)
    inside.office.add_person("bo@example.com", "rep", "West", "")
    assert refused_get(bo, there, file.sha256) is Problem.NOT_HERE
    inside.lock(ana)
    assert refused_get(ana, there, file.sha256) is Problem.BAD_REQUEST
    inside.unlock(ana)
    inside.office.add_person("ana@example.com", "rep", "Sales", "", "internal")
    assert refused_get(ana, there, file.sha256) is Problem.NOT_HERE  # a file is confidential


def test_a_file_that_has_not_come_is_said_to_be_on_its_way(inside: Inside, ana: Device, file: File) -> None:
    record = file.attach(ana)
    ana.sync()
    assert refused_get(ana, record, file.sha256) is Problem.GAP
    put(ana, put_body(ana, file, file.blob[:1_000]))
    with pytest.raises(Refusal) as refusal:
        get(ana, record, file.sha256)
    assert (problem_of(refusal), refusal.value.trouble.expected) == (Problem.GAP, 1_000)


def test_no_piece_without_its_devices_signature_or_beyond_its_bounds(
    inside: Inside, ana: Device, bo: Device, file: File
) -> None:
    piece = file.blob[:1_000]
    stranger = Ed25519PrivateKey.generate()
    for body in (
        put_body(ana, file, piece, key=stranger),
        put_body(ana, file, piece, key=bo.sign_key),
        put_body(ana, file, piece, org="another"),
        put_body(ana, file, piece, sha256="0" * 64),
        put_body(ana, file, piece, length=5),
        put_body(ana, file, piece, blob="no digest"),
        put_body(ana, file, piece, blob="ab"),
        put_body(ana, file, piece, -1),
        put_body(ana, file, piece, len(file.blob)),
        put_body(ana, file, piece, of=0),
        put_body(ana, file, piece, of=blob_seal.BLOB_MAX + 1),
    ):
        assert refused_put(ana, body) in (Problem.BAD_REQUEST, Problem.TOO_BIG, Problem.UNKNOWN_DEVICE)
    assert put(ana, put_body(ana, file, b"")) == PieceReply(held=0)
    for offset, most in ((-1, 5), (0, 0), (0, 2**30)):
        assert refused_get(ana, bytes(16), file.sha256, offset=offset, most=most) is Problem.BAD_REQUEST


def test_bytes_that_are_not_their_name_are_dropped(inside: Inside, ana: Device, file: File) -> None:
    other = bytearray(file.blob)
    other[77] ^= 1
    assert refused_put(ana, put_body(ana, file, bytes(other))) is Problem.BAD_REQUEST
    assert put(ana, put_body(ana, file, b"")) == PieceReply(held=0)
    assert put_all(ana, file).whole
    put(ana, put_body(ana, file, b"", of=5))  # a lie about what is here already changes nothing
    with inside.store.read() as tx:
        (found,) = tx.blobs.blobs(file.sha256)
        assert (found.whole, found.length) == (True, len(file.blob))


def test_what_nobody_names_is_bounded_for_each_device(
    inside: Inside, ana: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNNAMED_MAX", 1_000)
    begun, whole, named = (File(os.urandom(400)) for _each in range(3))
    put(ana, put_body(ana, begun, begun.blob[:10]))
    assert put_all(ana, whole).whole
    named.attach(ana)
    ana.sync()
    assert put_all(ana, named).whole
    too_much = File(os.urandom(800))
    assert refused_put(ana, put_body(ana, too_much, too_much.blob[:10])) is Problem.BUSY
    assert put(ana, put_body(ana, begun, b"")) == PieceReply(held=10)
    assert put_all(ana, File(os.urandom(300))).whole
    assert put(ana, put_body(ana, begun, b"")) == PieceReply(held=0)  # it made room
    assert put(ana, put_body(ana, whole, b"")).whole


@pytest.mark.expected_warnings("disk free=")
def test_a_full_disk_takes_no_file_and_the_device_comes_back(
    inside: Inside, ana: Device, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(inside.store), "room", lambda _self: limits.ROOM_KEPT)
    assert refused_put(ana, put_body(ana, file, file.blob[:10])) is Problem.BUSY
    monkeypatch.undo()
    assert put_all(ana, file).whole


def test_bytes_go_once_no_kept_record_has_named_them_for_long(
    inside: Inside, ana: Device, there: bytes, file: File
) -> None:
    stray = File(b"nobody names this")
    put_all(ana, stray)
    assert blobs.forget(inside.store, inside.now()) == 0
    ana.delete(there)
    ana.sync()
    assert refused_get(ana, there, file.sha256) is Problem.NOT_HERE
    inside.skew = 29 * DAY_MS
    assert blobs.forget(inside.store, inside.now()) == 0
    inside.skew = 31 * DAY_MS
    ana.session = None
    ana.now = inside.now
    ana.sign_in()  # whoever comes next has it looked at
    with inside.store.read() as tx:
        for each in (file, stray):
            (found,) = tx.blobs.blobs(each.sha256)
            assert found.gone
            assert tx.blobs.bytes_of(found.place, 0, 100) == b""
    assert put_all(ana, stray).whole  # it may come again


@pytest.mark.parametrize("why", ["locked", "unsent", "sealed"])
def test_bytes_stay_while_the_work_that_names_them_is_still_to_come(
    inside: Inside, ana: Device, bo: Device, file: File, why: str
) -> None:
    """A locked device brings files and no ops; a wiped one leaves its ops to IT, who recovers them in any month."""
    put_all(ana, file)
    with inside.store.write() as tx:
        if why == "sealed":
            for whole in (False, True):
                stated = Sealed(enrolment=ana.enrolment, sha256="a" * 64, length=9, records=1, begun=0)
                tx.post.put_sealed(msgspec.structs.replace(stated, held=9, whole=whole))
        else:
            device = tx.people.device(ana.enrolment)
            assert device is not None
            told = {"locked": True} if why == "locked" else {"unsent": 1}
            tx.people.put_device(msgspec.structs.replace(device, **told))
    put_all(bo, stray := File(b"nobody names this"))
    inside.skew = 90 * DAY_MS
    assert blobs.forget(inside.store, inside.now()) == 1
    record = file.attach(bo)
    bo.session, bo.now = None, inside.now
    bo.sync()
    assert get_all(bo, record, file.sha256) == file.blob
    with inside.store.read() as tx:
        assert [each.gone for each in tx.blobs.blobs(stray.sha256)] == [True]


def test_bytes_stay_of_an_attachment_that_was_refused(inside: Inside, ana: Device, file: File) -> None:
    """Its author may make it again, in whatever month the rights come back."""
    ana.sync()
    inside.office.add_person("ana@example.com", "rep", "Sales", "", "internal")
    file.attach(ana)
    assert [each.outcome for each in ana.exchange().results] == [Outcome.REJECTED]
    put_all(ana, file)
    inside.skew = 40 * DAY_MS
    assert blobs.forget(inside.store, inside.now()) == 0
    inside.office.add_person("ana@example.com", "rep", "Sales", "", "restricted")
    ana.session, ana.now = None, inside.now
    again = file.attach(ana)
    ana.sync()
    assert get_all(ana, again, file.sha256) == file.blob


def test_a_record_that_was_taken_back_keeps_its_bytes(
    inside: Inside, ana: Device, there: bytes, file: File
) -> None:
    kept = ana.rows[there]
    ana.delete(there)
    ana.sync()
    inside.skew = 20 * DAY_MS
    ana.now, ana.session = inside.now, None
    ana.rows[there] = kept
    ana.op("attachment", there, Act.UNDELETE, {}, base=kept.ver)
    ana.sync()
    inside.skew = 60 * DAY_MS
    assert blobs.forget(inside.store, inside.now()) == 0
    ana.session = None
    assert get_all(ana, there, file.sha256) == file.blob

"""The sealed outbox: always at least the outbox, never readable without the recovery key, mended at the next open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.errors import AppError, StoreDamaged
from app.services.sealed_work import set_aside
from app.store import outbox, records, seal, seal_book
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol import sealing
from sync.protocol.errors import BadFrames, KnownError
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act, Op
from tests.protocol.sealed import open_records
from tests.store.device import CUSTOMER, Device


def ops(*numbers: int, name: str = "Anna") -> list[Op]:
    """Ops of these numbers."""
    return [Op(n=n, kind="customer", id=b"r" * 16, act=Act.SET, hlc=n, set={"name": name}) for n in numbers]


def ack(store: Store, n: int, durable_seq: int | None = None) -> None:
    """The server has taken ops up to `n`, each under its own number as sequence."""
    StoreReplica(store).apply(Answer(Cursor(epoch=b"e", seq=n), n, n if durable_seq is None else durable_seq))


def test_records_come_back_in_order_and_each_of_a_number_counts(tmp_path: Path) -> None:
    key, path = X25519PrivateKey.generate(), tmp_path / "outbox.seal"
    file = seal.SealedOutbox(path, sealing.public_bytes(key))
    file.append(ops(1, 2), b"d" * 16, b"i" * 8)
    file.append(ops(3), b"d" * 16, b"i" * 8)
    file.append(ops(2, 4, name="Bert"), b"d" * 16, b"i" * 8)
    file.append(ops(1), b"d" * 16, b"j" * 8)
    assert file.length == path.stat().st_size
    file.close()
    found = open_records(seal.read(path), key)
    first = found[b"d" * 16, b"i" * 8]
    assert [(op.n, op.set["name"]) for op in first] == [
        (1, "Anna"), (2, "Anna"), (2, "Bert"), (3, "Anna"), (4, "Bert"),
    ]  # fmt: skip
    assert found[b"d" * 16, b"j" * 8] == ops(1)


def test_a_torn_tail_spoils_nothing_before_it(tmp_path: Path) -> None:
    key, path = X25519PrivateKey.generate(), tmp_path / "outbox.seal"
    file = seal.SealedOutbox(path, sealing.public_bytes(key))
    file.append(ops(1), b"d" * 16, b"i" * 8)
    whole = file.length
    file.append(ops(2), b"d" * 16, b"i" * 8)
    data = path.read_bytes()
    for length in range(whole, len(data)):
        path.write_bytes(data[:length])
        assert len(list(seal.read(path))) == 1
    for tail in (b"\0\0\0\0", b"\xff\xff\xff\xff" + b"x" * 100):
        path.write_bytes(data[:whole] + tail)
        assert len(list(seal.read(path))) == 1
    file.close()


def test_no_other_key_opens_a_record_and_an_altered_one_is_refused(tmp_path: Path) -> None:
    key, path = X25519PrivateKey.generate(), tmp_path / "outbox.seal"
    file = seal.SealedOutbox(path, sealing.public_bytes(key))
    file.append(ops(1), b"d" * 16, b"i" * 8)
    file.close()
    with pytest.raises(KnownError):
        open_records(seal.read(path), X25519PrivateKey.generate())
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(KnownError):
        open_records(seal.read(path), key)


def test_a_record_that_does_not_hold_ops_is_refused() -> None:
    key = X25519PrivateKey.generate()
    public = sealing.public_bytes(key)
    for plain in (b"", b"\xc1", b"\x90", b"\x91" * 10_000):
        with pytest.raises(BadFrames):
            open_records([sealing.seal(public, sealing.OUTBOX, plain)], key)


def test_no_file_holds_no_records(tmp_path: Path) -> None:
    assert list(seal.read(tmp_path / "outbox.seal")) == []


def test_what_was_sealed_and_never_committed_is_set_aside(device: Device, store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    store.seal.append(ops(2, name="Never"), device.id, device.incarnation)  # the power went before the commit
    assert [op.n for op in device.sealed()[device.id, device.incarnation]] == [1, 2]
    again = device.reopen()
    assert again.incarnation != device.incarnation
    records.add(again, CUSTOMER, {"name": "Bert"})
    assert [op.set["name"] for op in device.sealed()[device.id, again.incarnation]] == ["Anna", "Bert"]
    lost = open_records(seal.read(device.profile.sealed_lost), device.recovery)
    assert [op.set["name"] for op in lost[device.id, device.incarnation]] == ["Never"]


def test_a_commit_that_fails_takes_its_seal_back(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = store.seal.length
    execute = store.db.execute

    def refuse_commit(sql: str, values: tuple[object, ...] = ()) -> int:
        if sql == "COMMIT":
            raise AppError("no")
        return execute(sql, values)

    monkeypatch.setattr(store.db, "execute", refuse_commit)
    with pytest.raises(AppError):
        records.add(store, CUSTOMER, {"name": "Never"})
    monkeypatch.undo()
    assert device.profile.sealed_outbox.stat().st_size == size
    assert store.unsent() == 0
    records.add(store, CUSTOMER, {"name": "Anna"})
    device.assert_sealed(store)


def test_acknowledged_and_durable_work_leaves_the_file(device: Device, store: Store) -> None:
    for n in range(4):
        records.add(store, CUSTOMER, {"name": f"Customer {n}"})
    ack(store, 2)
    device.assert_sealed(store)
    ack(store, 4, durable_seq=3)
    assert [op.n for op in device.sealed()[device.id, device.incarnation]][-1] == 4  # not in a backup yet
    ack(store, 4, durable_seq=4)
    assert device.profile.sealed_outbox.stat().st_size == 0
    assert device.reopen().unsent() == 0


def test_a_long_file_is_rewritten_once_most_of_it_is_spent(device: Device, store: Store) -> None:
    with records.batch(store) as batch:
        for n in range(2_000):
            batch.add(CUSTOMER, {"name": f"Customer {n}"})
    long = store.seal.length
    last = records.add(store, CUSTOMER, {"name": "Last"})
    ack(store, 2_000)
    assert 0 < store.seal.length < long // 100
    device.assert_sealed(store)
    again = device.reopen()
    device.assert_sealed(again)
    assert [op.id for op in outbox.every(again.db)] == [last.id]


def test_a_rewrite_whose_end_was_missed_is_adopted(device: Device, store: Store) -> None:
    """The file was replaced and the power went before the store had noted it."""
    for n in range(5):
        records.add(store, CUSTOMER, {"name": f"Customer {n}"})
    digests = [digest for digest, _length in store.seal.digests()]
    store.db.execute("DELETE FROM outbox WHERE n <= 3")
    store.db.execute("UPDATE here SET acked_n = 3")
    store.seal.keep(set(digests[3:]))
    again = device.reopen()
    device.assert_sealed(again)
    assert again.db.one("SELECT count(*) FROM sealed") == (2,)
    records.add(again, CUSTOMER, {"name": "Next"})
    device.assert_sealed(device.reopen())


def test_work_that_is_numbered_anew_stands_under_its_new_numbers_alone(device: Device, store: Store) -> None:
    """Under two numberings it would come back twice from a wiped device; a short file is no excuse."""
    for n in range(3):
        records.add(store, CUSTOMER, {"name": f"Customer {n}"})
    old = device.sealed()[device.id, store.incarnation]
    StoreReplica(store).renumber(b"another1")
    found = device.sealed()
    assert list(found) == [(device.id, b"another1")]
    assert [op.id for op in found[device.id, b"another1"]] == [op.id for op in old]
    device.assert_sealed(device.reopen())


@pytest.mark.parametrize("how", ["gone", "cut", "empty", "foreign"])
def test_a_file_that_was_lost_is_sealed_again(device: Device, store: Store, how: str) -> None:
    for n in range(5):
        records.add(store, CUSTOMER, {"name": f"Customer {n}"})
    device.close()
    path = device.profile.sealed_outbox
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": path.read_bytes()[:700], "empty": b"", "foreign": b"hello"}[how])
    again = device.open()
    device.assert_sealed(again)
    assert again.unsent() == 5
    device.assert_sealed(device.reopen())


def test_a_file_that_cannot_be_written_refuses_the_act(device: Device, store: Store) -> None:
    os.close(store.seal._handle)
    store.seal._handle = os.open(device.profile.sealed_outbox, os.O_RDONLY)
    with pytest.raises(AppError, match="could not be written"):
        records.add(store, CUSTOMER, {"name": "Never"})
    assert store.unsent() == 0
    assert store.counts()["customer"] == 0


def test_nothing_is_needed_to_tidy_an_empty_file(store: Store) -> None:
    seal_book.tidy(store)
    assert store.seal.length == 0


def _rotten(path: Path, at: int, byte: int = 0) -> bytes:
    """Turn a bit of the length of the record at this place; the file as it was."""
    data = path.read_bytes()
    begins, place = [], 0
    for sealed in seal.read(path):
        begins.append(place)
        place += 4 + len(sealed)
    spoilt = bytearray(data)
    spoilt[begins[at] + byte] ^= 0x80
    path.write_bytes(spoilt)
    return data


@pytest.mark.parametrize("byte", range(4))
def test_a_rotten_length_that_the_store_knows_is_put_right(device: Device, store: Store, byte: int) -> None:
    for n in range(4):
        records.add(store, CUSTOMER, {"name": f"Customer {n}"})
    device.close()
    before = _rotten(device.profile.sealed_outbox, 1, byte)
    again = device.open()
    assert device.profile.sealed_outbox.read_bytes() == before
    assert again.incarnation == device.incarnation
    assert not device.profile.sealed_lost.exists()


@pytest.mark.parametrize("byte", range(4))
@pytest.mark.parametrize("at", [-3, -1])
def test_what_stands_behind_a_rotten_length_is_set_aside_whole(
    device: Device, store: Store, at: int, byte: int
) -> None:
    """The store has lost these records, and one length is rotten besides: nothing else holds that work."""
    records.add(store, CUSTOMER, {"name": "Anna"})
    known = store.seal.length
    for n in (2, 3, 4):
        store.seal.append(ops(n, name=f"Lost {n}"), device.id, device.incarnation)
    device.close()
    _rotten(device.profile.sealed_outbox, at, byte)
    raw = device.profile.sealed_outbox.read_bytes()[known:]
    again = device.open()
    assert device.profile.sealed_lost.read_bytes() == raw
    device.assert_sealed(again)
    assert (again.incarnation != device.incarnation) or at == -1
    records.add(again, CUSTOMER, {"name": "Bert"})
    device.assert_sealed(device.reopen())
    assert device.profile.sealed_lost.read_bytes() == raw


def test_a_torn_record_is_kept_and_raises_no_alarm(device: Device, store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    known = store.seal.length
    store.seal.append(ops(2, name="Never"), device.id, device.incarnation)
    store.seal.truncate(store.seal.length - 9)
    torn = device.profile.sealed_outbox.read_bytes()[known:]
    again = device.reopen()
    assert again.incarnation == device.incarnation
    assert device.profile.sealed_outbox.stat().st_size == known
    assert device.profile.sealed_lost.read_bytes() == torn
    assert set_aside(device.profile) == 0


@pytest.mark.parametrize("tail", [b"x", b"\0" * 4096, b"\0\0\1\0" + b"x" * 48])
def test_a_tail_that_can_hold_no_record_goes(device: Device, store: Store, tail: bytes) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    device.close()
    before = device.profile.sealed_outbox.read_bytes()
    device.profile.sealed_outbox.write_bytes(before + tail)
    assert device.open().incarnation == device.incarnation
    assert device.profile.sealed_outbox.read_bytes() == before
    assert not device.profile.sealed_lost.exists()


def test_what_is_set_aside_stands_behind_what_cannot_be_read(device: Device, store: Store) -> None:
    lost = device.profile.sealed_lost
    lost.write_bytes(b"\xff" * 100)
    store.seal.append(ops(2, name="Lost"), device.id, device.incarnation)
    frame = device.profile.sealed_outbox.read_bytes()
    device.reopen()
    assert lost.read_bytes() == b"\xff" * 100 + frame
    for _crash in range(2):  # before the outbox was cut
        seal.set_aside(lost, [frame])
    assert lost.read_bytes() == b"\xff" * 100 + frame
    lost.write_bytes(frame[:-1])  # a crash while it was written
    seal.set_aside(lost, [frame])
    assert lost.read_bytes() == frame
    lost.write_bytes(b"\xff" * 100 + frame)
    assert set_aside(device.profile) == 1


def test_a_rotten_length_stops_no_work_and_is_not_tidied_away(device: Device, store: Store) -> None:
    for n in range(4):
        records.add(store, CUSTOMER, {"name": f"Customer {n}"})
    rotten = device.profile.sealed_outbox
    _rotten(rotten, 1)
    before = rotten.read_bytes()
    ack(store, 3)
    seal_book.tidy(store, at_once=True)
    assert rotten.read_bytes() == before
    device.assert_sealed(device.reopen())


def test_a_folder_in_the_place_of_sealed_work_is_damage(device: Device) -> None:
    device.profile.sealed_lost.mkdir()
    with pytest.raises(StoreDamaged):
        set_aside(device.profile)

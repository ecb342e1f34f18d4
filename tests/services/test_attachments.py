"""Files beside the store: whole or not there at all, through kills, full disks and damage; within their room; gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import AppError, Locked, NoSpace, NotFound, Offline, Stopped
from app.services import attachments, carrying, records
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Keeping, Syncing
from app.store import blobs as blobs_room
from app.store.blobs import Blobs
from app.store.records import Record
from sync.client.status import SyncStatus
from sync.protocol import blob_seal
from sync.protocol.blob_seal import BlobDamaged
from sync.protocol.ids import parse_id
from sync.protocol.kinds import KINDS
from tests import forks
from tests.house.tree import ROOT
from tests.road import ANNA, BEN, Laptop, Town

PHOTO = ROOT / "docs" / "pictures" / "list-light.png"
SIZE = 300_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of some pieces."""
    made = tmp_path / "offer.pdf"
    made.write_bytes(os.urandom(SIZE))
    return made


@pytest.fixture
def customer(session: Session) -> Record:
    """A customer."""
    return records.add(session, KINDS["customer"], {"name": "Paper Trail Ltd"})


def _sync(session: Session) -> None:
    syncing = Syncing(session)
    try:
        syncing.round()
    finally:
        syncing.close()


def _carry(session: Session) -> None:
    _sync(session)
    carrying.Carrying(session).all()


def _plain(session: Session, record: Record) -> bytes:
    return b"".join(Blobs(session.profile).opened(attachments.content_of(record)))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def attached(session: Session, customer: Record, source: Path) -> Record:
    """The file, attached."""
    return attachments.attach(session, customer.id, source)


# -- there or not there


@pytest.mark.parametrize("at", range(4))
def test_killed_while_attaching_it_is_there_whole_or_not_at_all(
    laptop: Laptop, source: Path, at: int
) -> None:
    customer = laptop.add("customer", name="Killed Ltd")
    done = laptop.act("attach", record=customer, file=str(source), at=at)
    assert done.code == -9
    with open_session(laptop.profile) as session:
        there = session.read(attachments.of, records.get(session, parse_id(customer)))
        assert len(there) == (1 if at == 3 else 0)
        assert [_plain(session, each) for each in there] == [source.read_bytes()] * len(there)
        assert [path for path in _files(laptop.profile.unsent_blobs) if path.suffix == ".tmp"] == []


def test_what_cannot_be_attached_leaves_nothing(
    session: Session, customer: Record, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AppError, match="no such file"):
        attachments.attach(session, customer.id, source.with_name("gone"))
    monkeypatch.setattr(records, "add", _raising(NoSpace("full")))
    with pytest.raises(NoSpace):
        attachments.attach(session, customer.id, source)
    assert _files(session.profile.unsent_blobs) == []


def _raising(problem: Exception) -> object:
    def raise_it(*_words: object) -> None:
        raise problem

    return raise_it


def test_a_full_disk_refuses_a_file_whole(town: Town, small_disk: Path, source: Path) -> None:
    laptop = Laptop(town, small_disk / "profile", "on a small disk")
    laptop.enrol(ANNA)
    customer = laptop.add("customer", name="Narrow Ltd")
    laptop.sync()
    free = os.statvfs(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 100_000)))
    done = laptop.ask("attach", customer, str(source))
    assert (done.code, "full" in done.err) == (1, True), done.err
    assert laptop.json("attachments", customer) == []
    assert _files(laptop.profile.unsent_blobs) == []
    filler.unlink()
    laptop.json("attach", customer, str(source))
    assert laptop.sync()["attachments"] == 1


# -- up


@pytest.mark.parametrize("at", [0, 1, 2])
def test_killed_while_it_goes_up_it_goes_on_behind_what_is_there(
    town: Town, laptop: Laptop, tmp_path: Path, source: Path, at: int
) -> None:
    customer = laptop.add("customer", name="Cut off Ltd")
    attachment = laptop.json("attach", customer, str(source))["id"]
    laptop.act("sync", step=6, nth=99)
    assert laptop.act("carry", at=at).code == -9
    assert laptop.json("status")["unsent_attachments"] == 1
    asked = laptop.act("carry", at=None).json
    if at == 2:
        assert asked == 1  # all of it was there: nothing is sent again
    ben = town.laptop(BEN)
    ben.sync()
    ben.json("save-attachment", attachment, str(tmp_path / "fetched.pdf"))
    assert (tmp_path / "fetched.pdf").read_bytes() == source.read_bytes()


def test_the_window_carries_it_behind_its_exchanges(town: Town, session: Session, attached: Record) -> None:
    told: list[SyncStatus] = []
    keeping = Keeping(session, told.append)
    keeping.start()
    try:
        forks.wait_until(lambda: any(each.files == 0 and each.last_ok for each in told), "it does not go up")
    finally:
        keeping.stop()
    assert told[0].files == 1
    assert not Blobs(session.profile).unsent()
    assert _plain(session, attached) != b""


def test_offline_it_waits_and_nothing_else_is_held_up(town: Town, session: Session, attached: Record) -> None:
    town.server.stop()
    try:
        with pytest.raises(Offline):
            carrying.Carrying(session).all()
        assert Blobs(session.profile).waits(attached.values["content"]["sha256"])
    finally:
        town.server.start()
    _carry(session)
    assert not Blobs(session.profile).unsent()


@pytest.mark.expected_warnings("an attachment was not taken: bad_request")
def test_one_that_the_server_never_takes_stands_in_nobodys_way(session: Session, attached: Record) -> None:
    wrong = session.profile.unsent_blobs / ("0" * 64)
    wrong.write_bytes(b"not what its name says")
    os.utime(wrong, (1, 1))  # it would go first
    _carry(session)
    assert Blobs(session.profile).unsent() == [wrong]
    assert not Blobs(session.profile).waits(attached.values["content"]["sha256"])


# -- down


@pytest.fixture
def elsewhere(town: Town, session: Session, attached: Record) -> Record:
    """The file as a laptop knows it that does not have it."""
    _carry(session)
    for path in _files(session.profile.blobs):
        path.unlink()
    assert not Blobs(session.profile).is_here(attached.values["content"]["sha256"])
    return attached


def test_stopped_it_goes_on_where_it_was(session: Session, elsewhere: Record, source: Path) -> None:
    first: list[int] = []

    def stop(done: int, of: int) -> None:
        first.append(done)
        if len(first) == 2:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        attachments.have(session, elsewhere, stop)
    kept = _files(session.profile.blobs / "coming")
    assert [path.stat().st_size for path in kept] == [first[-1]]
    then: list[int] = []
    attachments.have(session, elsewhere, lambda done, of: then.append(done))
    assert then[0] > first[-1]
    assert _plain(session, elsewhere) == source.read_bytes()
    assert _files(session.profile.blobs / "coming") == []


@pytest.mark.parametrize("at", [1, 2])
def test_killed_while_it_comes_it_goes_on(laptop: Laptop, source: Path, at: int) -> None:
    customer = laptop.add("customer", name="Half a file Ltd")
    attachment = laptop.json("attach", customer, str(source))["id"]
    laptop.sync()
    for path in _files(laptop.profile.blobs):
        path.unlink()
    assert laptop.act("fetch", record=attachment, at=at).code == -9
    counted = laptop.act("fetch", record=attachment, at=None).json
    assert counted < 5  # pieces of 64 KiB
    with open_session(laptop.profile) as session:
        assert _plain(session, attachments.attached(session, parse_id(attachment))) == source.read_bytes()


def test_what_came_damaged_is_not_used(session: Session, elsewhere: Record, source: Path) -> None:
    place = Blobs(session.profile).place_to_fetch(elsewhere.values["content"]["sha256"])
    place.write_bytes(b"something that is not its beginning")
    with pytest.raises(Offline, match="could not be reached"):
        attachments.have(session, elsewhere)
    attachments.have(session, elsewhere)  # it is fetched anew
    assert _plain(session, elsewhere) == source.read_bytes()


def test_more_than_all_of_it_is_fetched_anew(session: Session, elsewhere: Record, source: Path) -> None:
    place = Blobs(session.profile).place_to_fetch(elsewhere.values["content"]["sha256"])
    place.write_bytes(bytes(source.stat().st_size + 10_000))
    with pytest.raises(Offline, match="could not be reached"):
        attachments.have(session, elsewhere)
    attachments.have(session, elsewhere)
    assert _plain(session, elsewhere) == source.read_bytes()


def test_two_that_fetch_it_at_once_both_have_it(session: Session, elsewhere: Record, source: Path) -> None:
    """The window and the command line, say."""
    others: list[int] = []

    def meanwhile(done: int, of: int) -> None:
        if not others:
            others.append(done)
            attachments.have(session, elsewhere)

    attachments.have(session, elsewhere, meanwhile)
    assert _plain(session, elsewhere) == source.read_bytes()
    assert _files(session.profile.blobs / "coming") == []


def test_a_server_that_says_it_is_larger_than_any_file_fills_no_disk(
    session: Session, elsewhere: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_seal, "BLOB_MAX", 1_000)
    with pytest.raises(Offline):
        attachments.have(session, elsewhere)
    assert sum(path.stat().st_size for path in _files(session.profile.blobs)) == 0


def test_a_copy_that_rotted_is_fetched_again_and_an_unsent_one_stays(
    session: Session, attached: Record, source: Path
) -> None:
    (unsent,) = Blobs(session.profile).unsent()
    whole = unsent.read_bytes()
    unsent.write_bytes(whole[:-1])
    with pytest.raises(BlobDamaged):
        _plain(session, attached)
    assert unsent.exists()
    unsent.write_bytes(whole)
    _carry(session)
    (kept,) = _files(session.profile.blobs)
    kept.write_bytes(whole[:100] + bytes(1) + whole[101:])
    with pytest.raises(BlobDamaged):
        _plain(session, attached)
    assert not kept.exists()
    attachments.have(session, attached)
    assert _plain(session, attached) == source.read_bytes()


def test_before_it_has_gone_up_a_colleague_is_told_so(town: Town, session: Session, attached: Record) -> None:
    _sync(session)
    with open_session(town.laptop(BEN).profile) as other:
        _sync(other)
        with pytest.raises(NotFound, match="not gone up yet"):
            attachments.have(other, attached)


# -- within their room


def test_the_least_recently_used_goes_and_never_what_has_not_gone_up(
    session: Session, customer: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs_room, "_MB", 1_000)  # the setting says 1000 of them
    made = []
    for number in range(4):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(os.urandom(400_000))
        made.append(attachments.attach(session, customer.id, path))
        if number == 2:
            _carry(session)
    digests = [each.values["content"]["sha256"] for each in made]
    blobs = Blobs(session.profile)
    for number, (digest, path) in enumerate(
        (digest, path)
        for digest in digests[:3]
        for path in _files(session.profile.blobs)
        if path.name == digest.hex()
    ):
        assert digest == digests[number]
        os.utime(path, (1_000 + number, 1_000 + number))
    _plain(session, made[0])  # used now
    attachments.keep_within(session)
    assert [blobs.is_here(digest) for digest in digests] == [True, False, True, True]
    assert blobs.waits(digests[3])
    attachments.have(session, made[1])  # the others make room for what is opened
    assert blobs.is_here(digests[1])
    assert sum(path.stat().st_size for path in _files(session.profile.blobs)) <= 1_000_000


# -- in clear


def test_a_copy_in_clear_is_its_persons_alone_and_goes_at_a_lock(
    session: Session, attached: Record, source: Path
) -> None:
    copy = attachments.open_copy(session, attached)
    assert copy.read_bytes() == source.read_bytes()
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o400, 0o700)
    session.lock()
    assert not copy.exists()
    with pytest.raises(Locked):
        attachments.open_copy(session, attached)
    assert _files(session.profile.temp) == []


def test_a_copy_in_clear_goes_with_its_record(
    session: Session, customer: Record, attached: Record, source: Path
) -> None:
    other = attachments.attach(session, customer.id, source)
    gone, kept = attachments.open_copy(session, attached), attachments.open_copy(session, other)
    attachments.remove(session, attached)
    attachments.keep_within(session)
    assert not gone.exists()
    assert kept.read_bytes() == source.read_bytes()


def test_what_no_record_names_leaves_though_others_do_not_go_up(
    session: Session, customer: Record, attached: Record, source: Path
) -> None:
    _carry(session)
    keeping = Keeping(session, lambda _status: None)
    attachments.remove(session, attached)
    attachments.attach(session, customer.id, source)

    def refused() -> bool:
        raise Offline("The server takes no more attachments.", "")

    keeping._carrying.step = refused  # type: ignore[method-assign]
    keeping._tidied = False
    with pytest.raises(Offline):
        keeping._carry()
    assert _files(session.profile.blobs) == []
    assert len(Blobs(session.profile).unsent()) == 1


@pytest.mark.parametrize("name", ["offer.pdf.exe", "start.SH", "a.desktop", "x.lnk", "y.js"])
def test_what_a_system_would_run_is_not_opened_but_can_be_saved(
    session: Session, customer: Record, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(b"#!/bin/sh")
    attachment = attachments.attach(session, customer.id, tmp_path / name)
    with pytest.raises(AppError, match="may be a program"):
        attachments.open_copy(session, attachment)
    assert attachments.save(session, attachment, tmp_path / "saved") == 9
    assert (tmp_path / "saved").stat().st_mode & 0o777 == 0o600


def test_a_lock_ends_what_is_being_fetched(session: Session, elsewhere: Record) -> None:
    with pytest.raises(Locked):
        attachments.have(session, elsewhere, lambda _done, _of: session.lock())
    assert not Blobs(session.profile).is_here(elsewhere.values["content"]["sha256"])

"""Backups of a real server: made while it runs, encrypted, verified; put back as a new history; killed at each step."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from sync.compose import backing
from sync.protocol import histories
from sync.server import config
from sync.server.errors import SetupError, StoreError
from tests import forks
from tests.forks import Answer
from tests.served import Server
from tests.server.driver import Device, Dial
from tests.server.inside import Inside
from tests.server.running import Org

BACKUP_STEPS = ("begun", "copied", "verified", "placed", "told")
RESTORE_STEPS = ("verified", "copied", "begun", "aside", "placed")


def folders_of(org: Org) -> config.Folders:
    return config.load(org.data, org.secrets)[0]


def run(org: Org, *words: str, step: str = "") -> Answer:
    """One of the server's verbs in a process of its own, which dies at a step."""
    asked = {
        "words": [*words, "--data", str(org.data), "--secrets", str(org.secrets), "--json"],
        "step": step,
    }
    return forks.run("tests.acts:back", [json.dumps(asked)])


@pytest.fixture
def ana(org: Org, server: Server, dial: Dial) -> Device:
    """A device with a few records on the server."""
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    made = Device(dial(server.url, None), "ana")
    made.enrol(org.code("ana@example.com"))
    for number in range(20):
        made.add("customer", name=f"Before the backup {number}")
    made.sync()
    return made


def test_a_backup_is_made_while_devices_exchange_and_is_what_devices_are_told(
    org: Org, ana: Device, tmp_path: Path
) -> None:
    assert ana.exchange().head.durable_seq == 20  # none was ever made
    made = backing.backup(folders_of(org), tmp_path / "one.backup")
    assert (made.seq, made.records, made.told) == (20, 20, True)
    ana.add("customer", name="After it")
    ana.sync()
    assert ana.exchange().head.durable_seq == 20
    assert backing.verify(folders_of(org), tmp_path / "one.backup").rows["record"] == 20
    assert backing.backup(folders_of(org), tmp_path / "two.backup").seq == 21
    assert ana.exchange().head.durable_seq == 21


def test_nothing_of_it_stands_in_clear_and_its_key_is_its_own(org: Org, ana: Device, tmp_path: Path) -> None:
    folders = folders_of(org)
    for name in ("one", "two"):
        backing.backup(folders, tmp_path / name)
    one, two = (tmp_path / "one").read_bytes(), (tmp_path / "two").read_bytes()
    assert b"Before the backup" not in one + two
    assert b"SQLite format" not in one + two
    assert one[:16] != two[:16]
    assert not {one[at : at + 64] for at in range(0, len(one), 4096)} & {
        two[at : at + 64] for at in range(0, len(two), 4096)
    }
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0


def test_nothing_is_written_over(org: Org, ana: Device, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("something else")
    with pytest.raises(SetupError):
        backing.backup(folders_of(org), tmp_path / "there")
    assert (tmp_path / "there").read_text() == "something else"


@pytest.mark.parametrize("at", [5, 4096 + 200, -300])
def test_a_damaged_backup_is_told_apart_and_restores_nothing(
    org: Org, server: Server, ana: Device, tmp_path: Path, at: int
) -> None:
    file = tmp_path / "one"
    backing.backup(folders_of(org), file)
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError):
        backing.verify(folders_of(org), file)
    assert server.stop() == 0
    before = (org.data / "store.db").read_bytes()
    with pytest.raises(StoreError):
        backing.restore(folders_of(org), file, replace=True)
    assert (org.data / "store.db").read_bytes() == before
    server.start()


def test_a_running_server_is_not_restored(org: Org, ana: Device, tmp_path: Path) -> None:
    backing.backup(folders_of(org), tmp_path / "one")
    with pytest.raises(SetupError):
        backing.restore(folders_of(org), tmp_path / "one", replace=True)


def test_a_store_that_holds_more_gives_way_by_an_explicit_word_alone_and_is_kept(
    org: Org, server: Server, ana: Device, tmp_path: Path
) -> None:
    backing.backup(folders_of(org), tmp_path / "one")
    ana.add("customer", name="After it")
    ana.sync()
    org.admin("lock", "ana", "--reason", "lost")
    number = org.json("orders")[-1]["number"]
    assert server.stop() == 0
    done = run(org, "restore", str(tmp_path / "one"))
    assert done.code == 1
    done = run(org, "restore", str(tmp_path / "one"), "--replace")
    assert done.code == 0, done.err
    former = org.data / json.loads(done.out.splitlines()[0])["former"]
    assert former.stat().st_size > 0
    store = config.open_store(folders_of(org))
    with store.read() as tx:
        assert tx.epoch != ana.cursor.epoch
        assert tx.histories.common(ana.cursor.epoch) == 20
        assert tx.records.head() > 2**histories.COUNT_BITS
        assert tx.post.last_order_number() > number
        assert tx.post.audit_lines()[-1].verb == "restore"
        durable = tx.histories.durable()
        assert durable is not None and durable.seq == 20
    store.close()
    server.start()


@pytest.mark.parametrize("step", BACKUP_STEPS)
def test_a_backup_that_is_killed_leaves_a_whole_one_or_none(
    org: Org, ana: Device, tmp_path: Path, step: str
) -> None:
    file = tmp_path / "kept" / "one"
    file.parent.mkdir()
    assert run(org, "backup", str(file), step=step).code == -signal.SIGKILL
    if file.exists():
        assert backing.verify(folders_of(org), file).seq == 20
    told = ana.exchange().head.durable_seq
    assert told == 20
    ana.add("customer", name="After it")
    ana.sync()
    # What is not told counts for nothing: devices go on keeping their own.
    assert ana.exchange().head.durable_seq == (20 if step == "told" else 21)
    again = run(org, "backup", str(tmp_path / "kept" / "two"))
    assert again.code == 0, again.err
    assert ana.exchange().head.durable_seq == 21


@pytest.mark.parametrize("step", RESTORE_STEPS)
def test_a_restore_that_is_killed_is_done_again(
    org: Org, server: Server, ana: Device, tmp_path: Path, step: str
) -> None:
    backing.backup(folders_of(org), tmp_path / "one")
    ana.add("customer", name="After it")
    ana.sync()
    assert server.stop() == 0
    assert run(org, "restore", str(tmp_path / "one"), "--replace", step=step).code == -signal.SIGKILL
    # At any moment there is a store that opens: the former one, or the new one with its new history.
    store = config.open_store(folders_of(org))
    with store.read() as tx:
        former = tx.epoch == ana.cursor.epoch
        assert former is (step != "placed")
        assert tx.records.head() == 21 if former else tx.records.head() > 2**histories.COUNT_BITS
    store.close()
    done = run(org, "restore", str(tmp_path / "one"), "--replace")
    assert done.code == 0, done.err
    store = config.open_store(folders_of(org))
    with store.read() as tx:
        assert tx.epoch != ana.cursor.epoch
        assert len(list(tx.records.after(0))) == 20
    store.close()
    server.start()


def test_a_lost_store_is_restored_without_a_word(
    org: Org, server: Server, ana: Device, tmp_path: Path
) -> None:
    backing.backup(folders_of(org), tmp_path / "one")
    assert server.stop() == 0
    for file in org.data.glob("store.db*"):
        file.unlink()
    done = run(org, "restore", str(tmp_path / "one"))
    assert done.code == 0, done.err
    server.start()


def test_doctor_says_since_when_there_is_no_backup(org: Org, ana: Device, tmp_path: Path) -> None:
    found = run(org, "doctor")
    assert found.code == 1
    assert {each["name"]: each["well"] for each in json.loads(found.out.splitlines()[0])["findings"]} == {
        "backup": False, "certificate": True,
    }  # fmt: skip
    backing.backup(folders_of(org), tmp_path / "one")
    assert run(org, "doctor").code == 0


def test_a_store_is_whole_in_its_place_until_it_has_its_second_name(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut in the midst of being put aside, with a log that nobody brought in."""
    inside.person("late@example.com")
    store, parts = inside.folders.store, ("store.db", "store.db-wal")
    for name in parts:
        shutil.copy(store.with_name(name), tmp_path / name)
    inside.store.close()
    for name in parts:
        shutil.copy(tmp_path / name, store.with_name(name))  # as a power cut leaves them

    def cut(_store: Path, _kept: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as staged:
        staged.setattr(os, "link", cut)
        with pytest.raises(KeyboardInterrupt):
            backing._put_aside(inside.folders)
    inside.open()
    with inside.store.read() as tx:
        assert tx.people.by_email("late@example.com") is not None

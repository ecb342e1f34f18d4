"""A disk that is full or takes nothing, files that are older, cut or foreign: a clear word, and the data kept.

Real disks, real files, each command a process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services import records
from app.services.opening import open_session
from app.store.store import Store
from app.viewmodels.notices import Screen
from app.viewmodels.shell import Shell
from sync.protocol.kinds import KINDS
from tests.road import ANNA, BEN, Laptop, Town
from tests.viewmodels.conftest import Held

ROWS = 6_000


def _fill(folder: Path, leave: int = 0) -> Path:
    """Take all of a disk but so many bytes."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free - leave
    filler.write_bytes(b"\0" * max(0, free))
    return filler


def _on(town: Town, folder: Path) -> Laptop:
    laptop = Laptop(town, folder / "profile", f"on {folder.parent.name[-20:]}")
    laptop.enrol(ANNA)
    return laptop


@pytest.fixture
def read_only(small_disk: Path) -> Iterator[Path]:
    """A disk that can be made to take nothing; it takes again at the end."""
    yield small_disk
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


def test_a_full_disk_refuses_each_act_whole_and_keeps_the_data(town: Town, small_disk: Path) -> None:
    laptop = _on(town, small_disk)
    record = laptop.add("customer", name="Kept")
    laptop.sync()
    rows = small_disk.parent / "rows.csv"
    rows.write_text("name,notes\n" + "".join(f"Company {n},{'words ' * 40}\n" for n in range(ROWS)))
    filler = _fill(small_disk)
    said = "is full|not enough room"
    for words, stdin in (
        (("add", "customer", "-"), '{"name": "More", "notes": "%s"}' % ("n" * 60_000)),
        (("edit", record, "-"), '{"notes": "%s"}' % ("n" * 60_000)),
        (("import", str(rows)), ""),
        (("export", "customer", str(small_disk / "out.csv")), ""),
    ):
        done = laptop.ask(*words, stdin=stdin)
        assert (done.code, done.out) == (1, ""), words
        assert any(each in done.err for each in said.split("|")), done.err
        assert len(done.err.strip().splitlines()) == 2 or ". " in done.err, done.err  # and a next step
    assert not (small_disk / "out.csv").exists()
    filler.unlink()
    assert laptop.show(record)["notes"] is None
    assert [each["name"] for each in laptop.json("list", "customer")] == ["Kept"]
    assert laptop.ask("doctor").code == 0
    laptop.add("customer", name="Room again")
    assert laptop.sync()["unsent"] == 0


def test_a_page_of_the_server_waits_for_room(town: Town, small_disk: Path) -> None:
    laptop = _on(town, small_disk)
    laptop.sync()
    other = town.laptop(BEN)
    other.json("add", "customer", "-", stdin=[{"name": f"From Ben {n}"} for n in range(300)])
    other.sync()
    filler = _fill(small_disk, leave=500_000)
    done = laptop.ask("sync")
    assert (done.code, "room on the disk" in done.err) == (1, True), done.err
    assert "Free " in done.err
    filler.unlink()
    assert laptop.sync()["received"] == 300
    assert laptop.ask("doctor").code == 0


def test_a_full_disk_lets_no_repair_begin(town: Town, small_disk: Path) -> None:
    laptop = _on(town, small_disk)
    record = laptop.add("customer", name="Kept")
    laptop.sync()
    laptop.add("task", subject="Unsent")
    laptop.profile.store.write_bytes(os.urandom(8_192))
    filler = _fill(small_disk)
    done = laptop.ask("doctor", "--repair")
    assert (done.code, "full" in done.err or "room" in done.err) == (1, True), done.out + done.err
    assert laptop.profile.store.stat().st_size == 8_192
    filler.unlink()
    assert laptop.ask("doctor", "--repair").code == 0
    assert laptop.show(record)["name"] == "Kept"
    assert laptop.sync()["set_aside"] == 1


def test_a_folder_that_takes_nothing_keeps_the_data_and_says_so(town: Town, read_only: Path) -> None:
    laptop = _on(town, read_only)
    record = laptop.add("customer", name="Kept")
    subprocess.run(["mount", "-o", "remount,ro", read_only], check=True)
    for words in (
        ("list", "customer"), ("show", record), ("add", "task", "subject=x"), ("sync",), ("doctor",),
        ("doctor", "--repair"),
    ):  # fmt: skip
        done = laptop.ask(*words)
        assert (done.code, done.out) == (1, ""), words
        assert "Traceback" not in done.err
        assert "profile" in done.err or "folder" in done.err, done.err
    subprocess.run(["mount", "-o", "remount,rw", read_only], check=True)
    assert laptop.show(record)["name"] == "Kept"
    assert laptop.ask("doctor").code == 0


def _held_open(laptop: Laptop) -> tuple[bytes, bytes]:
    """File and log as a process leaves them that is killed after a save; the save stands in the log alone."""

    def work(store: Store) -> None:
        store.db.checkpoint()

    with open_session(laptop.profile) as session:
        session.call(work)
        records.add(session, KINDS["task"], {"subject": f"{laptop.name} in the log alone"})
        log = laptop.profile.store.with_name("store.db-wal").read_bytes()
        return laptop.profile.store.read_bytes(), log


@pytest.mark.parametrize("log", ["lost", "cut", "of another file", "nonsense"])
def test_a_log_that_is_lost_or_foreign_costs_no_save(town: Town, log: str) -> None:
    """What only the log held is in the sealed outbox; IT gives it back to this device."""
    laptop, other = town.laptop(ANNA), town.laptop(BEN)
    laptop.add("task", subject=f"{laptop.name} sent")
    laptop.sync()
    whole, held = _held_open(laptop)
    _whole, foreign = _held_open(other)
    put = {
        "lost": None,
        "cut": held[: len(held) // 3],
        "of another file": foreign,
        "nonsense": os.urandom(9_000),
    }[log]
    laptop.profile.store.write_bytes(whole)
    path = laptop.profile.store.with_name("store.db-wal")
    path.unlink(missing_ok=True)
    if put is not None:
        path.write_bytes(put)
    if laptop.ask("list", "task").code:
        assert laptop.ask("doctor", "--repair").code == 0
    assert laptop.ask("doctor").code == 0
    assert laptop.sync()["set_aside"] == 1
    town.admin("recover", laptop.id, "--to", laptop.id)
    assert laptop.sync()["recovered"] == 1
    subjects = [each["subject"] for each in laptop.json("list", "task")]
    assert [subjects.count(f"{laptop.name} {word}") for word in ("sent", "in the log alone")] == [1, 1]
    assert laptop.ask("doctor").code == 0


def test_nonsense_in_the_index_of_the_log_costs_nothing(town: Town) -> None:
    laptop = town.laptop(ANNA)
    whole, log = _held_open(laptop)
    laptop.profile.store.write_bytes(whole)
    laptop.profile.store.with_name("store.db-wal").write_bytes(log)
    laptop.profile.store.with_name("store.db-shm").write_bytes(os.urandom(32_768))
    assert f"{laptop.name} in the log alone" in {each["subject"] for each in laptop.json("list", "task")}
    assert laptop.ask("doctor").code == 0


def test_an_older_file_opens_and_is_made_one_of_today(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="From before", phones=["+49 30 1234567"])

    def older(store: Store) -> None:
        with store.db.building():
            store.db.execute("PRAGMA user_version = 4")

    with open_session(laptop.profile) as session:
        session.call(older)
    assert [each["id"] for each in laptop.json("search", "1234567")] == [record]
    assert laptop.json("status")["unsent"] == 1
    assert laptop.ask("doctor").code == 0


WINDOW = {
    "an empty file": b"",
    "no file": None,
    "other bytes": os.urandom(8_192),
}


@pytest.mark.parametrize("name", WINDOW)
def test_the_window_says_what_is_wrong_and_opens_after_the_repair(town: Town, name: str) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Kept")
    laptop.sync()
    laptop.add("task", subject="Unsent")
    laptop.profile.store.unlink()
    if (data := WINDOW[name]) is not None:
        laptop.profile.store.write_bytes(data)
    held = Held()
    shell = Shell(laptop.profile, held, held)
    shell.start()
    held.turn()
    for _again in range(
        2
    ):  # once a minute it is tried again, and no list without customers is shown meanwhile
        assert _screen(shell) is Screen.TROUBLE
        assert shell.notice.title == "The store on this device is damaged, or the key does not fit it."
        assert "doctor --repair" in shell.notice.body
        assert "is with IT now" in shell.notice.body
        shell.tick()
        held.turn()
    assert laptop.ask("doctor", "--repair").code == 0
    shell.tick()
    held.turn()
    assert _screen(shell) is Screen.WORK
    assert shell.notice.title == ""
    shell.close(lambda: None)
    held.turn()
    assert laptop.show(record)["name"] == "Kept"


def _screen(shell: Shell) -> Screen:
    return shell.screen

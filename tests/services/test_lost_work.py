"""Work that only the sealed records still hold: a wipe hands it in, and it comes back in full."""

from __future__ import annotations

import signal
import subprocess
import sys

from app.store.seal import read
from tests.road import ANNA, Laptop, Town

CHILD = """
import os, signal, sys
from pathlib import Path
from app.paths import Profile
from app.services.opening import open_session
from app.store import records
from sync.protocol.kinds import KINDS
session = open_session(Profile(Path(sys.argv[1])))
for subject in sys.argv[2:]:
    session.call(lambda store: records.add(store, KINDS["task"], {"subject": subject}))
os.kill(os.getpid(), signal.SIGKILL)
"""


def _subjects(laptop: Laptop) -> list[str]:
    return sorted(task["subject"] for task in laptop.json("list", "task"))


def _robbed(town: Town, word: str) -> Laptop:
    """A laptop whose log was damaged after three acts that nobody else has."""
    laptop = town.laptop(ANNA)
    laptop.add("task", subject=f"{word} 0 sent")
    laptop.sync()
    _rob(laptop, [f"{word} {n}" for n in (1, 2, 3)])
    return laptop


def _rob(laptop: Laptop, acts: list[str], rotten: int | None = None) -> None:
    """Damage its log after these acts; with `rotten`, the length of that record of its sealed outbox besides."""
    done = subprocess.run([sys.executable, "-c", CHILD, str(laptop.folder), *acts], check=False)
    assert done.returncode == -signal.SIGKILL
    log = laptop.folder / "store.db-wal"
    data = bytearray(log.read_bytes())
    data[32 + 24 + 10] ^= 1
    log.write_bytes(data)
    if rotten is not None:
        path = laptop.profile.sealed_outbox
        records = [len(sealed) + 4 for sealed in read(path)]
        spoilt = bytearray(path.read_bytes())
        spoilt[sum(records[:rotten])] ^= 0x80
        path.write_bytes(spoilt)
    assert acts[0] not in _subjects(laptop)


def test_what_the_store_lost_comes_back_to_the_same_device(town: Town) -> None:
    laptop = _robbed(town, "away")
    laptop.add("task", subject="made since")
    for _twice in range(2):
        assert "3 sealed records of work that the store has lost are with IT." in laptop.ask("sync").out
    told = town.admin("recover", laptop.id, "--to", laptop.id)
    assert (told["changes"], told["handed_over"]) == (3, 3)
    again = town.ask("recover", laptop.id, "--to", laptop.id).out
    assert f"({ANNA}) go back to it: 0 handed over now, 3 before." in again
    assert laptop.sync()["recovered"] == 3
    assert not laptop.profile.sealed_lost.exists()
    assert laptop.sync()["set_aside"] == 0
    subjects = _subjects(laptop)
    assert [subjects.count(f"away {n}") for n in (1, 2, 3)] == [1, 1, 1]
    assert laptop.ask("doctor").code == 0


def test_a_wipe_hands_in_what_the_store_lost(town: Town) -> None:
    laptop = _robbed(town, "lost")
    looked = laptop.ask("doctor", "--json").json
    assert any(check["found"].startswith("3 sealed records") for check in looked["checks"])
    laptop.add("task", subject="lost 4 sent")
    assert laptop.sync()["set_aside"] == 3
    town.order("wipe", laptop)
    laptop.ask("sync")
    assert laptop.files() == ["profile.lock", "tombstone.json"]
    heir = town.laptop(ANNA)
    back = town.ask("recover", laptop.id, "--to", heir.id)
    assert back.code == 0, back.err
    heir.sync()
    heir.sync()
    found = [subject for subject in _subjects(heir) if subject.startswith("lost")]
    assert found == ["lost 0 sent", "lost 1", "lost 2", "lost 3", "lost 4 sent"]


def test_two_rotten_lengths_take_no_work_with_them(town: Town) -> None:
    """What stands behind each of them is kept as it is, one stretch behind the other, and IT's desk finds it."""
    laptop = town.laptop(ANNA)
    laptop.add("task", subject="rot 0 sent")
    laptop.sync()
    _rob(laptop, ["rot 1", "rot 2", "rot 3"], rotten=-2)
    _rob(laptop, ["rot 4", "rot 5", "rot 6"], rotten=-3)
    laptop.add("task", subject="rot 7")
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    heir = town.laptop(ANNA)
    town.ask("recover", laptop.id, "--to", heir.id)
    heir.sync()
    heir.sync()
    found = [subject for subject in _subjects(heir) if subject.startswith("rot")]
    assert found == ["rot 0 sent", *(f"rot {n}" for n in range(1, 8))]

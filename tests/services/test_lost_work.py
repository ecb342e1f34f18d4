"""Work that only the sealed records still hold: a wipe hands it in, and it comes back in full."""

from __future__ import annotations

import signal
import subprocess
import sys

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


def test_a_wipe_hands_in_what_the_store_lost(town: Town) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("task", subject="lost 0 sent")
    laptop.sync()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(laptop.folder), "lost 1", "lost 2", "lost 3"], check=False
    )
    assert done.returncode == -signal.SIGKILL
    log = laptop.folder / "store.db-wal"
    data = bytearray(log.read_bytes())
    data[32 + 24 + 10] ^= 1
    log.write_bytes(data)
    assert _subjects(laptop) == ["lost 0 sent"]
    looked = laptop.ask("doctor", "--json").json
    assert any(check["found"].startswith("3 sealed records") for check in looked["checks"])
    laptop.add("task", subject="lost 4 sent")
    laptop.sync()
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

"""Two processes on one profile: one works, the other says so, and the store is whole."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

from app.services.opening import open_session
from app.store.examination import examine
from tests import forks
from tests.road import ANNA, Town


def test_while_one_has_the_profile_open_the_other_says_so(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Held open")
    with open_session(laptop.profile) as session:
        for words in (("list", "customer"), ("add", "customer", "name=X"), ("sync",), ("lock",), ("status",)):
            done = laptop.ask(*words)
            assert (done.code, done.out) == (1, ""), words
            assert done.err.splitlines()[0] == "Fieldkeep is open on this profile already."
        assert session.call(examine) == []
    assert list(laptop.holds()) == [record]


def test_many_at_once_lose_nothing_and_double_nothing(town: Town) -> None:
    """Twelve processes add at once: those that said 0 are there, the others were told to try again."""
    laptop = town.laptop(ANNA)
    running = [laptop.start("add", "customer", f"name=At once {n}", "--json") for n in range(12)]
    answers = [each.wait() for each in running]
    assert {answer.code for answer in answers} <= {0, 1}
    made = [answer.json["id"] for answer in answers if answer.code == 0]
    assert made
    assert all("open on this profile already" in answer.err for answer in answers if answer.code == 1)
    assert sorted(laptop.holds()) == sorted(made)
    assert laptop.json("status")["unsent"] == len(made)
    assert laptop.json("doctor")["ok"] is True


def test_a_killed_process_lets_the_profile_go(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Before the kill")
    seal = laptop.profile.sealed_outbox
    for _try in range(5):
        before = seal.stat().st_size
        running = laptop.start("add", "customer", "-", stdin='[{"name": "Killed"}, {"name": "Killed too"}]')
        # The sealed copy is on the disk just before the store is: the kill falls close to the commit.
        forks.wait_until(partial(_grown, seal, before), "nothing is sealed", pause=0.0005)
        running.kill()
        running.wait()
        held = laptop.holds()
        assert record in held
        assert len(held) % 2 == 1  # the two come together or not at all
    assert laptop.json("status")["unsent"] == len(laptop.holds())


def test_the_installed_command_is_the_same_program(town: Town, scripts: Path) -> None:
    """Once by the real script: what the other tests fork is what a person starts."""
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="By the script 上海")
    done = subprocess.run(
        [scripts / "fieldkeep", "--profile", laptop.folder, "list", "customer"],
        capture_output=True, text=True, timeout=60, check=False, encoding="utf-8",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\t")[1] == "By the script 上海"
    for words, code in (([], 2), (["list"], 2)):
        asked = [str(scripts / "fieldkeep"), "--profile", str(laptop.folder), "frobnicate", *words]
        assert subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == code
    reader = subprocess.Popen(
        [scripts / "fieldkeep", "--profile", laptop.folder, "list", "customer"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert reader.stdout is not None and reader.stderr is not None
    reader.stdout.close()  # whoever read our output has gone, as `head` does
    assert b"Traceback" not in reader.stderr.read()
    reader.stderr.close()
    assert reader.wait(60) in (0, 1)


def _grown(path: Path, before: int) -> bool:
    return path.stat().st_size > before

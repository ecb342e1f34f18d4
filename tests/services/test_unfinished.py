"""Files that are exported are in their place whole, or nowhere once somebody opens, locks or wipes the profile."""

from __future__ import annotations

import csv
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from app.errors import Stopped
from app.services import acting
from app.services.acting import Act
from app.services.opening import open_session
from app.services.session import Session
from tests.road import Laptop
from tests.services.pieces import COUNT, SPARED, everyone, fill, in_small_pieces, pid_of, to_the_end


@pytest.fixture
def filled(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    in_small_pieces(monkeypatch)
    fill(session)
    return session


def test_all_of_it_is_written_to_a_file(filled: Session, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("as it was")
    act = Act(filled, acting.exporting(everyone(filled), path))
    assert act.large and not act.kept
    assert to_the_end(act).changed == COUNT - SPARED
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["Name"] for row in rows}) == COUNT - SPARED
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]
    assert not filled.profile.unfinished.exists()


def leftovers(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name != "out.csv"]


KILL = pytest.param("kill", marks=pytest.mark.expected_warnings("the bulk process ended by itself"))


@pytest.mark.parametrize("how", ["stop", KILL, "lock"])
def test_a_broken_off_export_leaves_nothing(filled: Session, tmp_path: Path, how: str) -> None:
    (tmp_path / "out.csv").write_text("as it was")
    act = Act(filled, acting.exporting(everyone(filled), tmp_path / "out.csv"))
    act.begin()
    act.piece()
    assert len(leftovers(tmp_path)) == 1
    if how == "stop":
        act.end(whole=False)
    elif how == "kill":
        os.kill(pid_of(act), signal.SIGKILL)
        with pytest.raises(Stopped):
            while act.piece() is not None:
                pass
        with pytest.raises(Stopped):
            act.end(whole=False)
    else:
        filled.lock()
    assert leftovers(tmp_path) == []
    assert (tmp_path / "out.csv").read_text() == "as it was"
    assert not filled.profile.unfinished.exists()


def test_what_a_killed_window_was_exporting_goes_at_the_next_start(laptop: Laptop, tmp_path: Path) -> None:
    with open_session(laptop.profile) as session:
        fill(session)
    (tmp_path / "out.csv").write_text("as it was")
    assert laptop.act("export", at=500, path=str(tmp_path / "out.csv")).code == -signal.SIGKILL
    assert len(leftovers(tmp_path)) == 1 and laptop.profile.unfinished.exists()
    until = time.monotonic() + 30
    while time.monotonic() < until:  # the process beside ends with the window, and may be at a piece
        with open_session(laptop.profile):
            pass
        if not leftovers(tmp_path):
            break
    assert leftovers(tmp_path) == []
    assert not laptop.profile.unfinished.exists()
    assert (tmp_path / "out.csv").read_text() == "as it was"


def test_a_wipe_takes_what_was_being_exported(laptop: Laptop, tmp_path: Path) -> None:
    with open_session(laptop.profile) as session:
        fill(session)
    assert laptop.act("export", at=500, path=str(tmp_path / "out.csv")).code == -signal.SIGKILL
    assert len(leftovers(tmp_path)) == 1
    laptop.town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert leftovers(tmp_path) == []
    assert {each.name for each in laptop.folder.iterdir()} <= {"tombstone.json", "profile.lock"}


def test_nothing_is_taken_away_but_what_has_our_name(laptop: Laptop, tmp_path: Path) -> None:
    mine, ours = tmp_path / "mine.tmp", tmp_path / ".fieldkeep-0123.tmp"
    for each in (mine, ours):
        each.write_text("x")
    away = tmp_path / "stick" / ".fieldkeep-0456.tmp"
    listed = [os.fsencode(each) for each in (mine, ours, away)]
    laptop.profile.unfinished.write_bytes(msgspec.json.encode(listed))
    with open_session(laptop.profile):
        pass
    assert (mine.exists(), ours.exists()) == (True, False)
    away.parent.mkdir()  # the stick is back
    away.write_text("x")
    with open_session(laptop.profile):
        pass
    assert not away.exists() and not laptop.profile.unfinished.exists()

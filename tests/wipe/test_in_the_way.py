"""What lies in the place of a key file and is none: a wipe goes past it, and so do syncing and a change of keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.paths import write_whole
from tests.road import ANNA, Laptop, Town


@pytest.fixture
def laptop(town: Town) -> Laptop:
    made = town.laptop(ANNA)
    made.add("task", subject="unsent")
    return made


def _lay(path: Path, what: str) -> None:
    path.unlink(missing_ok=True)
    if what == "folder":
        path.mkdir()
        (path / "inside").write_text("x")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.parent / "nowhere")


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
@pytest.mark.parametrize("name", ["store.hdr.next", "store.hdr", "store.hdr.next.tmp"])
def test_a_wipe_goes_past_it(town: Town, laptop: Laptop, name: str, what: str) -> None:
    _lay(laptop.folder / name, what)
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (["profile.lock", "tombstone.json"], {})
    assert town.device(laptop)["receipt"] == "verified"


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_syncing_and_a_change_of_keys_go_past_it(town: Town, laptop: Laptop, what: str) -> None:
    _lay(laptop.folder / "store.hdr.next", what)
    assert laptop.ask("sync").code == 0
    assert laptop.ask("keys", "rotate").code == 0
    laptop.ask("sync")
    assert {"ring.2", "share.2"} <= set(laptop.entries())
    assert "unsent" in {each["subject"] for each in laptop.json("list", "task")}


@pytest.mark.parametrize("name", ["state.json", "lease.json", "settings.json"])
def test_a_link_in_the_place_of_a_file_that_is_being_written_leads_nowhere(
    tmp_path: Path, town: Town, laptop: Laptop, name: str
) -> None:
    """In a folder that somebody prepared, it would lead to the files of whoever opens it."""
    other = tmp_path / "of somebody else"
    other.write_text("untouched")
    (laptop.folder / f"{name}.tmp").symlink_to(other)
    write_whole(
        laptop.folder / name, (laptop.folder / name).read_bytes() if name != "settings.json" else b"{}"
    )
    assert other.read_text() == "untouched"
    assert not (laptop.folder / name).is_symlink()
    assert laptop.ask("sync").code == 0

"""The power goes in the midst of a wipe: what the disk had been given by then is all that is left.

The profile lies on a file system of its own, in an image. What was written and not flushed is in memory alone, so a
copy of the image at that moment is what a power cut leaves.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.road import ANNA, Laptop, Town
from tests.wipe.test_every_crash import STEPS, Doomed, recover, sealed_records, wanted, write

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.ext4") is None, reason="only root can make a disk of its own"
)
QUICK = (0, 1, 4, 6)


class Disk:
    """A disk of 24 MB, mounted at `folder`."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder
        with image.open("wb") as file:
            file.truncate(24 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        folder.mkdir()
        self._mount()

    def _mount(self) -> None:
        subprocess.run(["mount", "-o", "loop,commit=300", self.image, self.folder], check=True)

    def cut_power(self) -> None:
        """All that was not flushed is gone."""
        after = self.image.with_suffix(".after")
        shutil.copyfile(self.image, after)
        self.end()
        after.replace(self.image)
        self._mount()

    def end(self) -> None:
        """Take it away."""
        subprocess.run(["umount", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        made = Disk(tmp_path / "image", tmp_path / "disk")
    except subprocess.CalledProcessError:
        pytest.skip("this machine has no loop devices")
    yield made
    with contextlib.suppress(subprocess.CalledProcessError):
        made.end()


def _doomed(town: Town, disk: Disk) -> Doomed:
    laptop = Laptop(town, disk.folder / "profile", disk.folder.parent.name[-20:])
    laptop.enrol(ANNA)
    laptop.add("customer", name="Sent long ago")
    laptop.sync()
    write(laptop, 3)
    laptop.json("lock")
    town.order("wipe", laptop)
    return Doomed(town, laptop, laptop.card(), sealed_records(laptop))


def test_what_is_not_flushed_is_gone(disk: Disk) -> None:
    """Shows that a power cut is one: a file that nobody waited for is not there afterwards."""
    (disk.folder / "waited").write_text("x")
    handle = os.open(disk.folder / "waited", os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    (disk.folder / "not").write_text("x")
    disk.cut_power()
    assert (disk.folder / "waited").exists()
    assert not (disk.folder / "not").exists() or not (disk.folder / "not").read_text()


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(n, marks=() if n in QUICK else pytest.mark.slow, id=f"{n}-{name}")
        for n, name in enumerate(STEPS)
    ],
)
def test_the_power_goes_after_each_step(town: Town, disk: Disk, at: int) -> None:
    lost = _doomed(town, disk)
    assert lost.die(at)
    disk.cut_power()
    lost._hold_what_was_promised()
    lost.end()
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


def test_the_power_goes_before_the_intent(town: Town, disk: Disk) -> None:
    """Nothing is harmed, and the order comes again."""
    lost = _doomed(town, disk)
    disk.cut_power()
    assert lost.laptop.json("unlock")["state"] == "active"
    assert set(wanted(lost)) <= {each["subject"] for each in lost.laptop.json("list", "task")}
    lost.laptop.json("lock")
    assert lost.laptop.ask("sync").code == 4
    lost.end()

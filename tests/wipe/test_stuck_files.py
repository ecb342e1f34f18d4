"""A file that another program holds fast: the keys go at once, the receipt names it, and every start tries again.

On Windows a virus scanner or a backup keeps a file from going. Here something mounted on it does the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.protocol import documents, signing
from sync.protocol.documents import Receipt
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, Town
from tests.wipe.test_every_crash import LEFT, doomed, recover, wanted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount something on a file")


@contextlib.contextmanager
def held_fast(path: Path) -> Iterator[None]:
    """No program can take this file away meanwhile."""
    subprocess.run(["mount", "--bind", path, path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_the_keys_go_the_receipt_names_the_file_and_a_later_start_takes_it(town: Town) -> None:
    lost = doomed(town)
    laptop = lost.laptop
    with held_fast(laptop.profile.store):
        assert lost.die(4)  # the receipt is written
        assert set(device_entries(lost.card.device)) == {"dev", "trust"}
        assert not laptop.profile.header.exists()
        opened = signing.open_envelope(laptop.profile.wipe_receipt.read_bytes(), Receipt.TYPE)
        said = documents.parse(opened.payload, Receipt)
        assert (said.files.failed, said.result) == (["store.db"], "wiped")
        assert laptop.ask("sync").code == 4
        assert town.device(laptop)["receipt"] == "verified"  # IT sees what would not go
        assert laptop.ask("list", "customer").code == 4
        assert laptop.profile.store.exists()
    assert laptop.ask("status").code == 0
    assert laptop.files() == LEFT
    lost.end()
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


def test_it_goes_though_the_wipe_was_over_long_ago(town: Town) -> None:
    lost = doomed(town)
    with held_fast(lost.laptop.profile.store):
        for _start in range(3):
            assert lost.laptop.ask("sync").code == 4
        assert "tombstone.json" in lost.laptop.files()
        assert json.loads(lost.laptop.ask("status", "--json").out)["state"] == "wiped"
    assert lost.laptop.ask("list", "customer").code == 4
    assert lost.laptop.files() == LEFT
    lost.end()


@pytest.mark.parametrize("there", ["store.hdr", "enrolling.json", "device.json"])
def test_a_laid_stone_that_names_files_takes_none_of_a_device(town: Town, there: str) -> None:
    """What a stone says is left is taken where no device can be: it proves nothing by itself."""
    lost = doomed(town)
    with held_fast(lost.laptop.profile.store):
        for _start in range(3):
            assert lost.laptop.ask("sync").code == 4
    stone = json.loads(lost.laptop.profile.tombstone.read_text())
    assert stone["left"] == ["store.db"]
    lost.end()
    folder = lost.laptop.folder
    for name in (there, "store.db", "outbox.seal"):
        (folder / name).write_text("{}")
    lost.laptop.profile.tombstone.write_text(
        json.dumps(stone | {"left": ["store.db", "outbox.seal", "../x"]})
    )
    lost.laptop.ask("list", "customer")
    assert {there, "store.db", "outbox.seal"} <= set(lost.laptop.files())
    (folder / there).unlink()
    lost.laptop.ask("list", "customer")
    assert [name for name in lost.laptop.files() if not name.startswith("log")] == ["outbox.seal", *LEFT]
    (folder / "outbox.seal").unlink()

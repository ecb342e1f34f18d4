"""Files of a wipe that rot, or go, before the receipt is handed in: receipt and unsent work reach IT all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import documents, signing
from sync.protocol.documents import Key, Role, Root
from tests.road import ANNA, Laptop, Town
from tests.wipe.test_bad_places import NO_BUS
from tests.wipe.test_every_crash import doomed, recover, wanted


def _rot(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


def _swap(path: Path) -> None:
    """A root of somebody's own, whose server would be believed."""
    key = Ed25519PrivateKey.generate()
    root = documents.parse(signing.open_envelope(path.read_bytes(), Root.TYPE).payload, Root)
    role = Role(keys=[Key(alg=signing.ED25519, spki=signing.spki_of(key))], threshold=1)
    swapped = msgspec.structs.replace(root, root=role, tls_ca=[])
    path.write_bytes(signing.sign(swapped, ("", key)).to_bytes())


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("root.json", Path.unlink),
        ("root.json", _swap),
        ("wipe.intent", _rot),
        ("wipe.intent", Path.unlink),
        ("wipe.receipt", _rot),
    ],
    ids=["no root", "another root", "rotten intent", "no intent", "rotten receipt"],
)
def test_what_is_lost_midway_comes_again(town: Town, name: str, harm: Callable[[Path], None]) -> None:
    lost = doomed(town)
    assert lost.die(4)  # the receipt is written, and not handed in
    harm(lost.laptop.folder / name)
    lost.end()
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


def _kept(laptop: Laptop) -> bool:
    return {"outbox.seal", "wipe.receipt", "wipe.intent", "device.json"} <= set(laptop.files())


def test_nothing_is_handed_in_under_a_root_that_somebody_laid_there(town: Town) -> None:
    lost = doomed(town)
    assert lost.die(4)
    root = lost.laptop.profile.root
    own = root.read_bytes()
    _swap(root)
    town.server.stop()
    for env in (None, NO_BUS):
        done = lost.laptop.ask("sync", env=env)
        assert (done.code, "documents on this device do not hold" in done.err) == (4, True), done.err
        assert _kept(lost.laptop)
    town.server.start()
    root.write_bytes(own)
    lost.end()


def test_a_receipt_is_written_anew_when_the_sealed_work_has_rotten(town: Town) -> None:
    lost = doomed(town)
    assert lost.die(4)
    _rot(lost.laptop.profile.sealed_outbox)
    lost.end()

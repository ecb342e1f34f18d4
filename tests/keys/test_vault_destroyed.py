"""What a wipe does to the keys: all of them gone, each answer told, and nothing opens again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import (
    KeyMissing,
    NotEnrolled,
    StoreDamaged,
    Wiped,
)
from app.keys import vault
from app.keys.state import State, StateFile
from tests.keys.conftest import Laptop
from tests.keys.rings import DeadRing, MemoryRing
from tests.keys.vaults import made, opened, small


def test_everything_but_the_signing_key_is_destroyed(laptop: Laptop) -> None:
    made(laptop)
    for name in ("dev", "reset", "enc", "hw"):
        laptop.ring.set(name, "ab" * 30)
    found = vault.destroy(laptop.profile, laptop.ring)
    assert [each.name for each in found] == ["ring.1", "share.1", "reset", "enc", "hw"]
    assert all(each.destroyed and each.verified_absent for each in found)
    assert set(laptop.entries()) == {"dev"}
    with pytest.raises(KeyMissing):
        opened(laptop)
    again = vault.destroy(laptop.profile, laptop.ring)
    assert not any(each.destroyed for each in again)
    assert all(each.verified_absent for each in again)


def test_keys_of_every_epoch_are_found(laptop: Laptop) -> None:
    """What a cut-off creation left, what the state names, and what lies beyond both."""
    laptop.ring.set("ring.1", "ab" * 32)
    made(laptop)
    with StateFile(laptop.profile, laptop.ring) as file:
        file.create(State(org=laptop.org, device=laptop.device, enrolment="e", epoch=3, incarnation="00" * 8))
    for name in ("ring.3", "ring.4", "share.5"):
        laptop.ring.set(name, "ab" * 32)
    vault.shred_header(laptop.profile)
    found = {each.name: each for each in vault.destroy(laptop.profile, laptop.ring)}
    assert set(found) == {f"{kind}.{epoch}" for kind in ("ring", "share") for epoch in range(1, 6)} | {
        "reset",
        "enc",
        "hw",
    }
    assert list(found)[:5] == [f"ring.{epoch}" for epoch in range(1, 6)]
    assert all(each.verified_absent for each in found.values())
    assert laptop.entries() == {}


@pytest.mark.parametrize("epoch", [0, -1, 10**8, 10**12, "x", None])
def test_an_altered_state_neither_stops_nor_stretches_it(tmp_path: Path, epoch: object) -> None:
    profile, ring, _key = small(tmp_path)
    profile.state.write_text(json.dumps({"mac": "", "state": {"epoch": epoch}}))
    found = vault.destroy(profile, ring)
    assert ring.entries == {}
    assert len(found) < 2 * 70


def test_a_keyring_dying_half_way_is_told_entry_by_entry(tmp_path: Path) -> None:
    profile, living, _key = small(tmp_path)
    whole = MemoryRing(living.entries)
    vault.destroy(profile, whole)
    for after in range(whole.asked):
        names = ("ring.1", "share.1", "reset", "enc", "hw")
        living.entries = {name: f"{at:02x}" * 32 for at, name in enumerate(names)}
        found = vault.destroy(profile, DeadRing(living, after))
        assert tuple(each.name for each in found) == names
        for each in found:
            assert each.verified_absent is (each.name not in living.entries)
    again = vault.destroy(profile, living)
    assert all(each.verified_absent for each in again)


def test_the_header_is_overwritten_before_it_goes(tmp_path: Path) -> None:
    profile, ring, _key = small(tmp_path)
    good = profile.header.read_bytes()
    unfinished = profile.header.with_name("store.hdr.tmp")
    unfinished.write_bytes(good)
    for path in (profile.header, unfinished):
        os.link(path, path.with_name(path.name + ".link"))
    vault.shred_header(profile)
    assert not profile.header.exists()
    assert not unfinished.exists()
    for name in ("store.hdr.link", "store.hdr.tmp.link"):
        left = (profile.folder / name).read_bytes()
        assert len(left) == len(good)
        assert not any(left[at : at + 8] == good[at : at + 8] for at in range(0, len(good), 8))
    vault.shred_header(profile)
    with pytest.raises(NotEnrolled):
        vault.open_key(profile, ring)


@pytest.mark.parametrize("name", ["wipe.intent", "wipe.receipt"])
def test_from_the_intent_on_nothing_opens(laptop: Laptop, name: str) -> None:
    _data_key, share = made(laptop)
    (laptop.profile.folder / name).write_bytes(b"")
    uses: tuple[Callable[[], object], ...] = (
        lambda: opened(laptop),
        lambda: made(laptop),
        lambda: vault.restore_share(laptop.profile, laptop.ring, share),
    )
    for use in uses:
        with pytest.raises(Wiped) as caught:
            use()
        assert caught.value.exit_code == 4


def test_no_error_tells_a_key(tmp_path: Path) -> None:
    profile, ring, key = small(tmp_path)
    secrets = {key.hex(), *ring.entries.values()}
    ring.entries["share.1"] = "ab" * 32
    with pytest.raises(StoreDamaged) as caught:
        vault.open_key(profile, ring)
    told = f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert not any(secret in told for secret in secrets)

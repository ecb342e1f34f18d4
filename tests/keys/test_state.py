"""The guarded state: comes back as it was saved, or is refused; its numbers never fall."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import msgspec
import pytest

from app.errors import AppError, KeyMissing, KeyringUnreachable, NoSpace, NotEnrolled, StoreDamaged
from app.keys import vault
from app.keys.state import STAGES, State, StateFile
from app.keys.trusted_time import Anchor
from app.paths import Profile
from sync.protocol.trust import ADMIN, POLICY_ROLE, SERVER, Floors, Mark
from tests.keys.conftest import Laptop
from tests.keys.rings import DeadRing, MemoryRing

ORG, DEVICE = "0a" * 16, "0b" * 16
FLOORS = Floors(
    root=Mark(2, "aa" * 32),
    policy=Mark(7, "bb" * 32),
    orders={ADMIN: Mark(5, "cc" * 32), SERVER: Mark(9, "dd" * 32)},
)
FULL = State(
    stage="active",
    org=ORG,
    device=DEVICE,
    enrolment="e1" * 16,
    epoch=1,
    incarnation="0c" * 8,
    floors=FLOORS,
    t_floor=1_800_000_000_000,
    anchor=Anchor(server_time=1_800_000_000_000, boottime_ns=5, boot_id="b", wall=1_800_000_000_001),
    last_contact=1_800_000_000_000,
    lease_until=1_801_000_000_000,
    order_head=9,
    obeyed={"order": "done"},
    locked_because="",
    pin_fail=2,
    share_ack=True,
    ask_share=False,
)


def small(folder: Path) -> tuple[Profile, MemoryRing]:
    """A vault and its state, with the keyring in memory."""
    profile, ring = Profile(folder / "profile"), MemoryRing()
    vault.create(profile, ring, org=ORG, device=DEVICE)
    with StateFile(profile, ring) as file:
        file.create(FULL)
    return profile, ring


def loaded(profile: Profile, ring: MemoryRing) -> State:
    with StateFile(profile, ring) as file:
        return file.load()


def test_it_comes_back_in_the_real_keyring(laptop: Laptop) -> None:
    vault.create(laptop.profile, laptop.ring, org=laptop.org, device=laptop.device)
    with StateFile(laptop.profile, laptop.ring) as file:
        file.create(FULL)
        file.save(msgspec.structs.replace(FULL, pin_fail=3))
    with StateFile(laptop.profile, laptop.ring) as file:
        found = file.load()
    assert msgspec.structs.replace(found, floors=FLOORS) == msgspec.structs.replace(FULL, pin_fail=3)
    assert found.floors.root == FLOORS.root
    assert found.floors.orders[SERVER] == FLOORS.orders[SERVER]
    assert stat.S_IMODE(laptop.profile.state.stat().st_mode) == 0o600
    assert len(laptop.entries()["hw"]) == 64
    assert laptop.entries()["hw"] == "0001" + "".join(f"{n:012x}" for n in (2, 7, 5, 0, 9))


def test_the_ring_key_is_read_once(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    asked: list[str] = []

    class Listening(MemoryRing):
        def get(self, name: str) -> str | None:
            asked.append(name)
            return super().get(name)

    with StateFile(profile, Listening(ring.entries)) as file:
        for tries in range(5):
            file.save(msgspec.structs.replace(file.load(), pin_fail=tries))
    assert asked.count("ring.1") == 1


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_kept(tmp_path: Path, stage: str) -> None:
    profile, ring = small(tmp_path)
    with StateFile(profile, ring) as file:
        file.save(msgspec.structs.replace(FULL, stage=stage))
    assert loaded(profile, ring).stage == stage


def test_an_unknown_stage_is_our_own_mistake(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    with StateFile(profile, ring) as file, pytest.raises(ValueError, match="stage"):
        file.save(msgspec.structs.replace(FULL, stage="sleeping"))


# --- altered, lost, put back ------------------------------------------------------------------


def test_no_byte_of_it_can_be_altered(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    good = profile.state.read_bytes()
    for at in range(len(good)):
        damaged = bytearray(good)
        damaged[at] ^= 1
        profile.state.write_bytes(damaged)
        with pytest.raises(StoreDamaged):
            loaded(profile, ring)
    for data in (b"", good[:-1], b"{}", b"[]", good * 200, good.replace(b'"active"', b'"enrolling"')):
        profile.state.write_bytes(data)
        with pytest.raises(StoreDamaged):
            loaded(profile, ring)
    profile.state.write_bytes(good)
    assert loaded(profile, ring).stage == "active"


def test_the_mac_is_checked_before_the_state_is_read(tmp_path: Path) -> None:
    """A state that does not parse and one with a wrong mac are told apart by nothing."""
    profile, ring = small(tmp_path)
    told = set()
    for state in ('{"v":1}', '{"stage":5}', '{"a":[[[[1]]]]}'):
        profile.state.write_text('{"mac":"' + "00" * 32 + '","state":' + state + "}")
        with pytest.raises(StoreDamaged) as caught:
            loaded(profile, ring)
        told.add(str(caught.value))
    assert len(told) == 1


def test_a_lost_state_is_not_made_anew(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    profile.state.unlink()
    with pytest.raises(StoreDamaged):
        loaded(profile, ring)
    assert not profile.state.exists()


def test_it_is_created_once(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    with StateFile(profile, ring) as file, pytest.raises(AppError, match="not replaced"):
        file.create(FULL)


def test_without_a_header_there_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled):
        loaded(Profile(tmp_path), MemoryRing())


def test_without_the_ring_key_it_is_not_read(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    before = profile.state.read_bytes()
    del ring.entries["ring.1"]
    with pytest.raises(KeyMissing):
        loaded(profile, ring)
    with StateFile(profile, ring) as file, pytest.raises(KeyMissing):
        file.save(FULL)
    assert profile.state.read_bytes() == before


def test_the_state_of_another_device_is_refused(tmp_path: Path) -> None:
    one, ring = small(tmp_path / "a")
    other, _second = small(tmp_path / "b")
    one.state.write_bytes(other.state.read_bytes())
    with pytest.raises(StoreDamaged):
        loaded(one, ring)


def test_an_old_file_put_back_does_not_lower_the_floors(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    old = profile.state.read_bytes()
    higher = Floors(
        root=Mark(3, "ee" * 32),
        policy=Mark(8, "ff" * 32),
        orders={ADMIN: Mark(6, "12" * 32), POLICY_ROLE: Mark(1, "13" * 32), SERVER: Mark(30, "14" * 32)},
    )
    with StateFile(profile, ring) as file:
        file.save(msgspec.structs.replace(file.load(), floors=higher))
    assert loaded(profile, ring).floors == higher
    profile.state.write_bytes(old)
    found = loaded(profile, ring).floors
    assert (found.root.number, found.policy.number) == (3, 8)
    assert {name: mark.number for name, mark in found.orders.items()} == {
        ADMIN: 6,
        POLICY_ROLE: 1,
        SERVER: 30,
    }


@pytest.mark.parametrize("value", [None, "00", "0002" + "0" * 60, "0001" + "0" * 59])
def test_lost_or_altered_numbers_are_noticed(tmp_path: Path, value: str | None) -> None:
    profile, ring = small(tmp_path)
    if value is None:
        del ring.entries["hw"]
    else:
        ring.entries["hw"] = value
    with pytest.raises(StoreDamaged):
        loaded(profile, ring)


def test_a_number_too_high_for_its_place_stays_the_highest(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    with StateFile(profile, ring) as file:
        file.save(msgspec.structs.replace(FULL, floors=Floors(policy=Mark(2**62, "aa" * 32))))
    assert loaded(profile, ring).floors.policy == Mark(2**62, "aa" * 32)
    assert ring.entries["hw"] == "0001" + "0" * 12 + "f" * 12 + "0" * 36


def test_the_keyring_is_written_only_when_the_numbers_changed(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    with StateFile(profile, ring) as file:
        state = file.load()
        asked = ring.asked
        for tries in range(5):
            file.save(msgspec.structs.replace(state, pin_fail=tries))
        assert ring.asked == asked


# --- bad days ---------------------------------------------------------------------------------


def test_a_dead_keyring_does_not_hold_back_the_file(tmp_path: Path) -> None:
    profile, living = small(tmp_path)
    file = StateFile(profile, DeadRing(living, after=2))
    state = file.load()
    higher = msgspec.structs.replace(state, stage="lock_crypto", floors=Floors(policy=Mark(50, "aa" * 32)))
    with pytest.raises(KeyringUnreachable):
        file.save(higher)
    file.save(msgspec.structs.replace(state, stage="lock_ui"))
    with pytest.raises(KeyringUnreachable):
        file.save(higher)
    found = loaded(profile, living)
    assert (found.stage, found.floors.policy.number) == ("lock_crypto", 50)
    with StateFile(profile, living) as again:
        again.save(again.load())
    assert int(living.entries["hw"][16:28], 16) == 50


def test_a_full_disk_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile, ring = small(tmp_path)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with StateFile(profile, ring) as file, monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NoSpace):
            file.save(msgspec.structs.replace(FULL, pin_fail=9))
    assert loaded(profile, ring).pin_fail == FULL.pin_fail


def test_the_key_is_wiped_at_the_end(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    file = StateFile(profile, ring)
    file.load()
    key = file._key
    assert key is not None
    file.close()
    assert key.wiped
    assert file.load().stage == "active"
    file.close()


def test_the_file_is_canonical_and_holds_no_key(tmp_path: Path) -> None:
    profile, ring = small(tmp_path)
    raw = profile.state.read_bytes()
    form = json.loads(raw)
    assert raw == json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert not any(value.encode() in raw for value in ring.entries.values())

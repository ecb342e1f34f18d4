"""The data key: opened by what belongs together and by nothing else, and never made in the place of a lost one."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from app.errors import (
    AppError,
    KeyMissing,
    KeyringUnreachable,
    Locked,
    NewerStore,
    NoSpace,
    NotEnrolled,
    StoreDamaged,
    Wiped,
)
from app.keys import header, vault
from app.keys.derive import PinCost
from app.keys.secret import SecretBytes
from app.keys.state import State, StateFile
from app.paths import Profile
from tests.keys.conftest import Laptop
from tests.keys.rings import DeadRing, MemoryRing

ORG, DEVICE = "0a" * 16, "0b" * 16
PIN = b"294817"


def made(laptop: Laptop) -> tuple[bytes, bytes]:
    """A vault in the real keyring; gives data key and share."""
    data_key, share = vault.create(laptop.profile, laptop.ring, org=laptop.org, device=laptop.device)
    return bytes(data_key.view), bytes(share.view)


def opened(laptop: Laptop) -> bytes:
    with vault.open_key(laptop.profile, laptop.ring) as key:
        return bytes(key.view)


def small(folder: Path, *, pin: bytes | None = None) -> tuple[Profile, MemoryRing, bytes]:
    """A vault with its keyring in memory, for tests that open it hundreds of times."""
    profile, ring = Profile(folder / "profile"), MemoryRing()
    secret = SecretBytes(pin) if pin is not None else None
    data_key, _share = vault.create(profile, ring, org=ORG, device=DEVICE, pin=secret)
    return profile, ring, bytes(data_key.view)


# --- made and opened --------------------------------------------------------------------------


def test_what_was_made_opens(laptop: Laptop) -> None:
    data_key, share = made(laptop)
    assert opened(laptop) == data_key
    assert len(data_key) == len(share) == 32
    entries = laptop.entries()
    assert set(entries) == {"ring.1", "share.1"}
    assert entries["share.1"] == share.hex()
    assert data_key.hex() not in entries.values()


def test_opening_changes_no_byte(laptop: Laptop) -> None:
    made(laptop)
    files, entries = laptop.files(), laptop.entries()
    opened(laptop)
    assert (laptop.files(), laptop.entries()) == (files, entries)


def test_the_header_is_private_canonical_and_holds_no_key(laptop: Laptop) -> None:
    data_key, share = made(laptop)
    raw = laptop.profile.header.read_bytes()
    form = json.loads(raw)
    assert raw == json.dumps(form, sort_keys=True, separators=(",", ":")).encode()
    assert set(form) == {"v", "org", "device", "epoch", "salt", "pin", "share", "nonce", "wrapped", "kcv"}
    assert (form["v"], form["org"], form["device"], form["epoch"]) == (1, laptop.org, laptop.device, 1)
    for secret in (data_key.hex(), share.hex(), laptop.entries()["ring.1"]):
        assert secret not in raw.decode()
    assert stat.S_IMODE(laptop.profile.header.stat().st_mode) == 0o600
    assert stat.S_IMODE(laptop.profile.folder.stat().st_mode) == 0o700


def test_two_vaults_have_nothing_in_common(tmp_path: Path) -> None:
    (one, ring, key), (other, second, key2) = small(tmp_path / "a"), small(tmp_path / "b")
    assert key != key2
    assert ring.entries["ring.1"] != second.entries["ring.1"]
    for name in ("salt", "nonce", "wrapped", "kcv"):
        assert getattr(header.read(one), name) != getattr(header.read(other), name)


# --- absent never means make a new one --------------------------------------------------------


def test_a_second_one_is_never_made_over_the_first(laptop: Laptop) -> None:
    data_key, _share = made(laptop)
    entries = laptop.entries()
    with pytest.raises(AppError, match="not replaced"):
        made(laptop)
    assert laptop.entries() == entries
    assert opened(laptop) == data_key


def test_a_store_without_a_header_is_left_alone(laptop: Laptop) -> None:
    made(laptop)
    entries = laptop.entries()
    laptop.profile.store.write_bytes(b"the store")
    laptop.profile.header.unlink()
    with pytest.raises(AppError, match="not replaced"):
        made(laptop)
    with pytest.raises(StoreDamaged):
        opened(laptop)
    assert laptop.entries() == entries


def test_keys_of_a_creation_cut_short_are_not_replaced(laptop: Laptop) -> None:
    laptop.ring.set("ring.1", "ab" * 32)
    laptop.ring.set("share.2", "cd" * 32)
    data_key, _share = made(laptop)
    entries = laptop.entries()
    assert entries.items() >= {"ring.1": "ab" * 32, "share.2": "cd" * 32}.items()
    assert set(entries) == {"ring.1", "share.2", "ring.3", "share.3"}
    assert opened(laptop) == data_key


def test_a_missing_ring_key_is_said_and_nothing_is_touched(laptop: Laptop) -> None:
    made(laptop)
    laptop.ring.delete("ring.1")
    files, entries = laptop.files(), laptop.entries()
    with pytest.raises(KeyMissing):
        opened(laptop)
    with pytest.raises(AppError, match="not replaced"):
        made(laptop)
    assert (laptop.files(), laptop.entries()) == (files, entries)


def test_a_keyring_that_does_not_answer_is_not_a_missing_key(tmp_path: Path) -> None:
    profile, living, key = small(tmp_path)
    before = profile.header.read_bytes()
    for after in (0, 1):
        with pytest.raises(KeyringUnreachable):
            vault.open_key(profile, DeadRing(living, after))
    assert profile.header.read_bytes() == before
    assert vault.open_key(profile, living).same(key)


def test_creation_needs_a_keyring_and_leaves_no_header_without_one(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile")
    living = MemoryRing()
    for after in range(4):
        with pytest.raises(KeyringUnreachable):
            vault.create(profile, DeadRing(living, after), org=ORG, device=DEVICE)
        assert not profile.header.exists()


def test_an_empty_profile_is_not_enrolled(laptop: Laptop) -> None:
    with pytest.raises(NotEnrolled):
        opened(laptop)
    assert laptop.entries() == {}


def test_a_full_disk_leaves_neither_header_nor_keys(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NoSpace):
            made(laptop)
    assert laptop.entries() == {}
    assert laptop.files() == {}
    made(laptop)


# --- a header that does not hold --------------------------------------------------------------


def test_no_bit_of_the_header_can_be_turned(tmp_path: Path) -> None:
    profile, ring, key = small(tmp_path)
    good = profile.header.read_bytes()
    for at in range(len(good)):
        for bit in (0, 3, 5, 7):
            damaged = bytearray(good)
            damaged[at] ^= 1 << bit
            profile.header.write_bytes(damaged)
            with pytest.raises((StoreDamaged, NewerStore, KeyMissing)):
                vault.open_key(profile, ring)
    profile.header.write_bytes(good)
    assert vault.open_key(profile, ring).same(key)


def test_no_shorter_or_longer_header_opens(tmp_path: Path) -> None:
    profile, ring, _key = small(tmp_path)
    good = profile.header.read_bytes()
    for data in (*(good[:length] for length in range(len(good))), good + b"\n", good + good, b" " + good):
        profile.header.write_bytes(data)
        with pytest.raises(StoreDamaged):
            vault.open_key(profile, ring)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"v":2}',
        b"[" * 4000,
        b'{"v":1,"v":1}',
        b"0" * 5000,
    ],
)
def test_rubbish_is_refused(tmp_path: Path, data: bytes) -> None:
    profile, ring, _key = small(tmp_path)
    profile.header.write_bytes(data)
    with pytest.raises((StoreDamaged, NewerStore)):
        vault.open_key(profile, ring)
    assert profile.header.read_bytes() == data


def test_a_newer_header_is_named_as_such(tmp_path: Path) -> None:
    profile, ring, _key = small(tmp_path)
    form = json.loads(profile.header.read_bytes()) | {"v": 2, "something": "new"}
    profile.header.write_text(json.dumps(form, sort_keys=True, separators=(",", ":")))
    with pytest.raises(NewerStore):
        vault.open_key(profile, ring)


@pytest.mark.parametrize(
    "change", [{"org": "0c" * 16}, {"device": "0c" * 16}, {"share": False}, {"pin": None}]
)
def test_a_header_of_another_place_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    profile, ring, _key = small(tmp_path, pin=PIN)
    found = header.read(profile)
    profile.header.write_bytes(msgspec.structs.replace(found, **change).to_bytes())
    with pytest.raises(StoreDamaged):
        vault.open_key(profile, ring, pin=SecretBytes(PIN))


def test_the_header_of_another_device_is_refused(tmp_path: Path) -> None:
    (one, ring, _key), (other, _ring, _key2) = small(tmp_path / "a"), small(tmp_path / "b")
    one.header.write_bytes(other.header.read_bytes())
    with pytest.raises(StoreDamaged):
        vault.open_key(one, ring)


@pytest.mark.parametrize("name", ["ring.1", "share.1"])
@pytest.mark.parametrize("value", ["ab" * 32, "ab" * 31, "a"])
def test_another_key_in_the_keyring_is_refused(tmp_path: Path, name: str, value: str) -> None:
    profile, ring, _key = small(tmp_path)
    ring.entries[name] = value
    with pytest.raises(StoreDamaged):
        vault.open_key(profile, ring)
    assert ring.entries[name] == value


# --- lock and unlock --------------------------------------------------------------------------


def test_without_the_share_it_is_locked_and_with_it_opens_again(laptop: Laptop) -> None:
    data_key, share = made(laptop)
    files = laptop.files()
    assert vault.drop_share(laptop.profile, laptop.ring) is True
    assert set(laptop.entries()) == {"ring.1"}
    with pytest.raises(Locked) as caught:
        opened(laptop)
    assert caught.value.by_order
    assert caught.value.exit_code == 3
    vault.restore_share(laptop.profile, laptop.ring, share)
    assert opened(laptop) == data_key
    assert laptop.files() == files


def test_dropping_twice_is_well(laptop: Laptop) -> None:
    made(laptop)
    assert vault.drop_share(laptop.profile, laptop.ring)
    assert vault.drop_share(laptop.profile, laptop.ring)


@pytest.mark.parametrize("share", [b"", bytes(32), bytes(31), b"x" * 33])
def test_a_share_that_does_not_fit_is_not_kept(laptop: Laptop, share: bytes) -> None:
    made(laptop)
    vault.drop_share(laptop.profile, laptop.ring)
    with pytest.raises(StoreDamaged, match="server"):
        vault.restore_share(laptop.profile, laptop.ring, share)
    assert set(laptop.entries()) == {"ring.1"}


def test_the_share_of_a_vault_with_a_pin_is_checked_without_the_pin(tmp_path: Path) -> None:
    profile, ring, key = small(tmp_path, pin=PIN)
    share = bytes.fromhex(ring.entries["share.1"])
    vault.drop_share(profile, ring)
    with pytest.raises(StoreDamaged):
        vault.restore_share(profile, ring, bytes(32))
    vault.restore_share(profile, ring, share)
    assert vault.open_key(profile, ring, pin=SecretBytes(PIN)).same(key)


# --- PIN --------------------------------------------------------------------------------------


def test_a_pin_is_needed_where_there_is_one(tmp_path: Path) -> None:
    profile, ring, key = small(tmp_path, pin=PIN)
    assert vault.has_pin(profile)
    for wrong in (None, SecretBytes(b"294818"), SecretBytes(b""), SecretBytes(PIN + b"\0")):
        with pytest.raises(Locked) as caught:
            vault.open_key(profile, ring, pin=wrong)
        assert not caught.value.by_order
    assert vault.open_key(profile, ring, pin=SecretBytes(PIN)).same(key)


def test_a_pin_is_off_by_default(tmp_path: Path) -> None:
    profile, ring, key = small(tmp_path)
    assert not vault.has_pin(profile)
    assert vault.open_key(profile, ring, pin=SecretBytes(PIN)).same(key)


def test_a_pin_is_changed_and_taken_off_without_another_data_key(tmp_path: Path) -> None:
    profile, ring, key = small(tmp_path)
    before = header.read(profile)
    vault.change_pin(profile, ring, pin=None, new=SecretBytes(PIN))
    assert vault.open_key(profile, ring, pin=SecretBytes(PIN)).same(key)
    vault.change_pin(profile, ring, pin=SecretBytes(PIN), new=SecretBytes("密码 314".encode()))
    with pytest.raises(Locked):
        vault.open_key(profile, ring, pin=SecretBytes(PIN))
    vault.change_pin(profile, ring, pin=SecretBytes("密码 314".encode()), new=None)
    assert vault.open_key(profile, ring).same(key)
    assert header.read(profile).salt != before.salt


def test_the_wrong_pin_changes_nothing(tmp_path: Path) -> None:
    profile, ring, _key = small(tmp_path, pin=PIN)
    before = profile.header.read_bytes()
    with pytest.raises(Locked):
        vault.change_pin(profile, ring, pin=SecretBytes(b"000000"), new=None)
    assert profile.header.read_bytes() == before


def test_a_pin_is_stretched_as_the_design_says(tmp_path: Path) -> None:
    profile, _ring, _key = small(tmp_path, pin=PIN)
    cost = header.read(profile).pin
    assert cost is not None
    assert (cost.alg, cost.m, cost.t, cost.p, len(cost.salt)) == ("argon2id", 65_536, 3, 4, 32)


@pytest.mark.parametrize("change", [{"m": 2**40}, {"t": 10**6}, {"p": 0}, {"alg": "md5"}, {"salt": "00"}])
def test_a_header_cannot_ask_for_endless_work(tmp_path: Path, change: dict[str, object]) -> None:
    profile, ring, _key = small(tmp_path, pin=PIN)
    found = header.read(profile)
    assert isinstance(found.pin, PinCost)
    altered = msgspec.structs.replace(found, pin=msgspec.structs.replace(found.pin, **change))
    profile.header.write_bytes(altered.to_bytes())
    with pytest.raises(StoreDamaged):
        vault.open_key(profile, ring, pin=SecretBytes(PIN))


# --- destroyed --------------------------------------------------------------------------------


def test_everything_but_the_signing_key_is_destroyed(laptop: Laptop) -> None:
    made(laptop)
    for name in ("dev", "enc", "hw"):
        laptop.ring.set(name, "ab" * 30)
    found = vault.destroy(laptop.profile, laptop.ring)
    assert [each.name for each in found] == ["ring.1", "share.1", "enc", "hw"]
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
        living.entries = {"ring.1": "ab" * 32, "share.1": "cd" * 32, "enc": "ef" * 32, "hw": "01" * 32}
        found = vault.destroy(profile, DeadRing(living, after))
        assert [each.name for each in found] == ["ring.1", "share.1", "enc", "hw"]
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

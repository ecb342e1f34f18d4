"""The data key: opened by what belongs together and by nothing else, and never made in the place of a lost one."""

from __future__ import annotations

import errno
import json
import os
import stat
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
)
from app.keys import header, vault
from app.keys.secret import SecretBytes
from app.paths import Profile
from tests.keys.conftest import Laptop
from tests.keys.rings import DeadRing, MemoryRing
from tests.keys.vaults import DEVICE, ORG, PIN, made, opened, small

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
    form = json.loads(profile.header.read_bytes()) | {"v": 3, "something": "new"}
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

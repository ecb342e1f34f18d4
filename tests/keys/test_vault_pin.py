"""A PIN on top of keyring and share: needed where there is one, changed without another data key."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.errors import (
    Locked,
    StoreDamaged,
)
from app.keys import header, vault
from app.keys.derive import PinCost
from app.keys.secret import SecretBytes
from tests.keys.vaults import PIN, small


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

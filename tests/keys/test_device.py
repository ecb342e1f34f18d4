"""The device's own keys: made once, loaded as they were, never replaced."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.errors import AppError, KeyMissing, StoreDamaged
from app.keys import device
from sync.protocol import sealing
from tests.keys.conftest import Laptop


def test_what_was_made_is_loaded(laptop: Laptop) -> None:
    made = device.make(laptop.ring)
    found = device.load(laptop.ring)
    signature = found.sign.sign(b"a request")
    made.sign.public_key().verify(signature, b"a request")
    device.load_signing(laptop.ring).public_key().verify(signature, b"a request")
    sealed = sealing.seal(sealing.public_bytes(made.seal), sealing.SHARE, b"a share")
    assert sealing.unseal(found.seal, sealing.SHARE, sealed) == b"a share"
    assert set(laptop.entries()) == {"dev", "enc"}
    raw = made.sign.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert raw != sealing.public_bytes(made.seal)


def test_they_are_not_shown(laptop: Laptop) -> None:
    made = device.make(laptop.ring)
    shown = f"{made} {made!r}"
    assert "redacted" in shown
    assert not any(value in shown for value in laptop.entries().values())


@pytest.mark.parametrize("name", ["dev", "enc"])
def test_they_are_never_replaced(laptop: Laptop, name: str) -> None:
    laptop.ring.set(name, "ab" * 32)
    with pytest.raises(AppError, match="not replaced"):
        device.make(laptop.ring)
    assert laptop.entries() == {name: "ab" * 32}


@pytest.mark.parametrize("names", [[], ["dev"], ["enc"]])
def test_missing_keys_are_not_made_anew(laptop: Laptop, names: list[str]) -> None:
    for name in names:
        laptop.ring.set(name, "ab" * 32)
    with pytest.raises(KeyMissing):
        device.load(laptop.ring)
    assert set(laptop.entries()) == set(names)


def test_a_damaged_key_is_said(laptop: Laptop) -> None:
    laptop.ring.set("enc", "ab" * 32)
    laptop.ring.set("dev", "ab" * 31)
    with pytest.raises(StoreDamaged):
        device.load(laptop.ring)

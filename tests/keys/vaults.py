"""Vaults for tests: one in the real keyring, one in memory for tests that open it hundreds of times."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.keys import vault
from app.keys.secret import SecretBytes
from app.paths import Profile
from tests.keys.conftest import Laptop
from tests.keys.rings import MemoryRing

ORG: Final = "0a" * 16
DEVICE: Final = "0b" * 16
PIN: Final = b"294817"


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

"""Key files: written and read back, protected as a whole, refused when they are not what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.console import keyfile
from sync.console.keyfile import KeyFile, PrivateKey, Protection
from sync.protocol.errors import KnownError

WORDS = "correct horse battery"
KEYS: list[PrivateKey] = [
    Ed25519PrivateKey.generate(),
    X25519PrivateKey.generate(),
    ec.generate_private_key(ec.SECP256R1()),
]


def nobody_asks() -> str:
    raise AssertionError("no passphrase is needed")


def public(key: PrivateKey) -> Any:
    return key.public_key()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "order-1.key"


@pytest.mark.parametrize("key", KEYS, ids=["ed25519", "x25519", "p256"])
@pytest.mark.parametrize("passphrase", ["", WORDS], ids=["open", "protected"])
def test_what_was_written_is_read(path: Path, key: PrivateKey, passphrase: str) -> None:
    path.write_bytes(keyfile.write("order", key, admin_id="a1", passphrase=passphrase))
    asked: list[str] = []

    def ask() -> str:
        asked.append("")
        return passphrase

    opened = keyfile.read(path, ask)
    assert (opened.purpose, opened.admin_id, len(asked)) == ("order", "a1", bool(passphrase))
    assert public(opened.key) == public(key)
    assert keyfile.is_protected(path) is bool(passphrase)
    assert "key=" not in repr(opened)


def test_a_protected_file_does_not_hold_the_key(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    data = keyfile.write("order", key, passphrase=WORDS)
    file = msgspec.json.decode(data, type=KeyFile)
    assert key.private_bytes_raw() not in file.secret
    assert file.protection is not None
    assert (file.protection.m, file.protection.t) == (65_536, 3)


def test_a_wrong_passphrase_is_told(path: Path) -> None:
    path.write_bytes(keyfile.write("order", Ed25519PrivateKey.generate(), passphrase=WORDS))
    with pytest.raises(KnownError, match="passphrase does not open"):
        keyfile.read(path, lambda: "correct horse batterx")


@pytest.mark.parametrize(
    "fields", [{"purpose": "recovery"}, {"admin_id": "a2"}, {"alg": "x25519"}, {"public": b"other"}], ids=str
)
def test_no_part_of_a_protected_file_can_be_exchanged(path: Path, fields: dict[str, Any]) -> None:
    data = keyfile.write("order", Ed25519PrivateKey.generate(), admin_id="a1", passphrase=WORDS)
    file = msgspec.structs.replace(msgspec.json.decode(data, type=KeyFile), **fields)
    path.write_bytes(msgspec.json.encode(file))
    with pytest.raises(KnownError):
        keyfile.read(path, lambda: WORDS)


@pytest.mark.parametrize(
    "protection",
    [
        Protection(salt=b"s" * 16, m=2**31),
        Protection(salt=b"s" * 16, t=10**6),
        Protection(salt=b"s" * 16, p=0),
        Protection(salt=b""),
    ],
    ids=["memory", "rounds", "lanes", "salt"],
)
def test_a_file_cannot_ask_for_the_whole_machine(path: Path, protection: Protection) -> None:
    data = keyfile.write("order", Ed25519PrivateKey.generate(), passphrase=WORDS)
    file = msgspec.structs.replace(msgspec.json.decode(data, type=KeyFile), protection=protection)
    path.write_bytes(msgspec.json.encode(file))
    with pytest.raises(KnownError):
        keyfile.read(path, lambda: WORDS)


@pytest.mark.parametrize("data", [None, b"", b"{}", b"[" * 100, b"x" * 100_000, b'{"type":"other"}'])
def test_what_is_no_key_file_is_refused(path: Path, data: bytes | None) -> None:
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(KnownError, match=r"missing or damaged|cannot be used"):
        keyfile.read(path, nobody_asks)


def test_a_key_does_only_its_own_work(path: Path) -> None:
    path.write_bytes(keyfile.write("recovery", X25519PrivateKey.generate()))
    opened = keyfile.read(path, nobody_asks)
    assert isinstance(opened.opening, X25519PrivateKey)
    for wrong in ("signing", "authority"):
        with pytest.raises(KnownError, match="cannot be used"):
            getattr(opened, wrong)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(KnownError, match="too short"):
        keyfile.write("order", Ed25519PrivateKey.generate(), passphrase="seven77")

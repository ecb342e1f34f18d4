"""One device of the tests, and what its sealed outbox tells whoever has the recovery key."""

from __future__ import annotations

import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import outbox, seal
from app.store.store import Store
from sync.protocol import sealing
from sync.protocol.ids import new_device_id, new_incarnation
from sync.protocol.kinds import KINDS
from sync.protocol.ops import Op
from tests.protocol.sealed import open_records

PERSON = "lena@example.com"
CUSTOMER, CONTACT, DEAL, TASK = (KINDS[name] for name in ("customer", "contact", "deal", "task"))


class Device:
    """A profile folder, its keys, and the store while it is open."""

    def __init__(self, folder: Path) -> None:
        self.profile = Profile(folder)
        self.key = bytes(range(32))
        self.id = new_device_id()
        self.incarnation = new_incarnation()
        self.recovery = X25519PrivateKey.generate()
        self.ahead_ms = 0
        self._opened: list[Store] = []

    def clock(self) -> int:
        """Now in UTC milliseconds, `ahead_ms` later than it is."""
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def create(self) -> Store:
        """Make the store."""
        store = Store.create(
            self.profile, SecretBytes(self.key), device=self.id, incarnation=self.incarnation,
            recovery=sealing.public_bytes(self.recovery), person=PERSON, clock=self.clock,
        )  # fmt: skip
        self._opened.append(store)
        return store

    def open(self, key: bytes | None = None) -> Store:
        """Open the store, with another key when one is given."""
        store = Store.open(
            self.profile, SecretBytes(key or self.key), recovery=sealing.public_bytes(self.recovery),
            clock=self.clock,
        )  # fmt: skip
        self._opened.append(store)
        return store

    def close(self) -> None:
        """Close whatever is open."""
        while self._opened:
            self._opened.pop().close()

    def reopen(self) -> Store:
        """Close and open again."""
        self.close()
        return self.open()

    def sealed(self) -> dict[tuple[bytes, bytes], list[Op]]:
        """What the recovery key finds in the sealed outbox."""
        return open_records(seal.read(self.profile.sealed_outbox), self.recovery)

    def assert_sealed(self, store: Store) -> None:
        """Every waiting op has its sealed copy, word for word."""
        copies = {op.n: op for op in self.sealed().get((self.id, store.incarnation), [])}
        for op in outbox.every(store.db):
            assert copies.get(op.n) == op

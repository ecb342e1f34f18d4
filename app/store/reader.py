"""The store as it is read: the file opened a second time, beside whoever writes, and never waiting for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import msgspec

from app.errors import StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import outbox, schema
from app.store.db import Database
from app.store.schema import Shape
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Cursor
from sync.protocol.texts import gettext as _


class Here(msgspec.Struct, frozen=True):
    """Where this replica stands: the one row of the table `here`."""

    device: bytes
    incarnation: bytes
    person: str
    next_n: int
    hlc: int
    acked_n: int
    durable_seq: int
    cursor: Cursor
    sealed: int


class Reader:
    """One device's records, to be read. Opened, used and closed in one thread (app.worker)."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.shapes: Mapping[str, Shape] = schema.shapes(KINDS)

    @classmethod
    def open_beside(cls, profile: Profile, key: SecretBytes) -> Reader:
        """Open a store that somebody else holds open for writing. Raises StoreDamaged, NewerStore, Busy."""
        return cls(Database(profile.store, key, version=schema.VERSION, reading=True))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """One moment of the store: all that is read in the block belongs together."""
        with self.db.snapshot():
            yield

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self.db.close()

    def here(self) -> Here:
        """Where this replica stands."""
        row = self.db.first(
            "SELECT device, incarnation, person, next_n, hlc, acked_n, durable_seq, cursor, sealed FROM here"
        )
        if row is None:
            raise StoreDamaged(
                _("The store on this device was never finished."), _("Enrol this device again.")
            )
        device, incarnation, person, next_n, hlc, acked_n, durable_seq, cursor, sealed = row
        at = msgspec.msgpack.decode(cursor, type=Cursor)
        return Here(device, incarnation, person, next_n, hlc, acked_n, durable_seq, at, sealed)

    @property
    def device(self) -> bytes:
        """This device's id, 16 bytes."""
        return self.here().device

    @property
    def incarnation(self) -> bytes:
        """The incarnation under which ops are numbered, 8 bytes."""
        return self.here().incarnation

    @property
    def person(self) -> str:
        """The e-mail of the person this device belongs to."""
        return self.here().person

    def counts(self) -> dict[str, int]:
        """How many records of each kind are kept here."""
        found = dict(self.db.all("SELECT kind, kept FROM counts"))
        return {name: found.get(name, 0) for name in self.shapes}

    def unsent(self) -> int:
        """How many ops wait for the server's word."""
        return outbox.count(self.db)

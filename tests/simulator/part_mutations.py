"""Ready parts taken in broken ways, each of which the simulator must notice."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import ready, schema
from app.store.db import Database
from app.store.reader import Reader
from app.store.store import Store


def part_whatever_was_heard(patch: pytest.MonkeyPatch) -> None:
    """A ready part takes the place of a store whose own work was acknowledged, and comes in no feed again."""
    patch.setattr(ready, "may_take", lambda store: True)


def part_without_what_waits(patch: pytest.MonkeyPatch) -> None:
    """What was typed while a ready part came is gone."""
    whole = ready.carry

    def carry(profile: Profile, key: SecretBytes, store: Store) -> bool:
        with store.db.write() as db:
            db.execute("DELETE FROM outbox")
            db.execute("UPDATE here SET next_n = 1")
        return whole(profile, key, store)

    patch.setattr(ready, "carry", carry)


def part_said_to_be_of_now(patch: pytest.MonkeyPatch) -> None:
    """Who has laid a ready part in reads on a little behind where it was made."""
    whole = ready.carry

    def carry(profile: Profile, key: SecretBytes, store: Store) -> bool:
        taken = whole(profile, key, store)
        if taken:
            db = Database(profile.store_coming, key, version=schema.VERSION)
            cursor = Reader(db).here().cursor
            with db.write():
                ahead = msgspec.structs.replace(cursor, seq=max(cursor.seq, store.here().cursor.seq))
                db.execute("UPDATE here SET cursor = ?", (msgspec.msgpack.encode(ahead),))
            db.close()
        return taken

    patch.setattr(ready, "carry", carry)


MUTATIONS: Final = (part_whatever_was_heard, part_without_what_waits, part_said_to_be_of_now)

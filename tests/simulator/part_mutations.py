"""Ready parts taken in broken ways, each of which the simulator must notice."""

from __future__ import annotations

from typing import Final

import pytest

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import ready
from app.store.store import Store


def part_without_what_waits(patch: pytest.MonkeyPatch) -> None:
    """What was typed while a ready part came is gone."""
    whole = ready.carry

    def carry(profile: Profile, key: SecretBytes, store: Store) -> bool:
        with store.db.write() as db:
            db.execute("DELETE FROM outbox")
            db.execute("UPDATE here SET next_n = 1")
        return whole(profile, key, store)

    patch.setattr(ready, "carry", carry)


MUTATIONS: Final = (part_without_what_waits,)

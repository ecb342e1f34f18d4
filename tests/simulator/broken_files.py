"""Files handled in broken ways, each of which the simulator must notice."""

from __future__ import annotations

from typing import Any, Final

import pytest

from app.store.blobs import Blobs
from sync.client.pieces import Climb
from sync.server import blobs
from sync.server.db.base import Transaction
from sync.server.db.kept import Blob, Device


def file_given_to_everybody(patch: pytest.MonkeyPatch) -> None:
    """Who knows the name of a file gets it."""
    patch.setattr(blobs, "_refuse_who_may_not", lambda *about: None)


def file_in_one_place_for_all(patch: pytest.MonkeyPatch) -> None:
    """Whoever brings a piece of a file goes on where anybody else has stopped."""

    def here(tx: Transaction, device: Device, sha256: bytes) -> Blob | None:
        return next((each for each in tx.blobs.blobs(sha256) if not each.gone), None)

    patch.setattr(blobs, "_here", here)


def file_sent_with_its_first_piece(patch: pytest.MonkeyPatch) -> None:
    """A file counts as sent before the server has all of it."""
    whole = Climb.step

    def step(self: Climb, most: int) -> bool:
        asked = self._held is not None
        return whole(self, most) or asked

    patch.setattr(Climb, "step", step)


def file_stays_when_its_record_leaves(patch: pytest.MonkeyPatch) -> None:
    """What was fetched once is not looked at again."""

    def sweep(self: Blobs, named: Any) -> int:
        return 0

    patch.setattr(Blobs, "sweep", sweep)


MUTATIONS: Final = (
    file_given_to_everybody, file_in_one_place_for_all, file_sent_with_its_first_piece,
    file_stays_when_its_record_leaves,
)  # fmt: skip

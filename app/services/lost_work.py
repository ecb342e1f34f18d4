"""Work that the store has lost and the sealed records still hold: shown to IT at a sync, and let go when it is back.

Only IT can open it. Handed in, `fieldkeep-admin recover` gives it back to this very device; until then it stays here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import BinaryIO

from app.paths import Profile, sync_folder
from app.services import sealed_work
from app.services.card import Card
from sync.protocol.documents import SealedOutbox
from sync.protocol.errors import KnownError

_LOG = logging.getLogger(__name__)


class LostWork:
    """The records set aside in one profile; `hand_in` brings a file to the server, as far as it is not there yet."""

    def __init__(self, profile: Profile, card: Card, hand_in: Callable[[BinaryIO], SealedOutbox]) -> None:
        self._profile = profile
        self._device = card.device
        self._hand_in = hand_in
        self._shown: tuple[int, int] | None = None  # time and size of the file that the server holds
        self._digest = ""  # sha256 of it
        self._records = 0  # that it holds

    def show_it(self) -> int:
        """Hand in what the server does not hold yet; how many records are with IT. An exchange never fails by it."""
        try:
            stands = self._stands()
            if stands is None:
                self._records = 0
            elif stands != self._shown:
                with self._profile.sealed_lost.open("rb") as sealed:
                    self._digest = self._hand_in(sealed).sha256
                self._records, self._shown = sealed_work.set_aside(self._profile), stands
        except (KnownError, OSError) as problem:
            _LOG.info("what the store lost stays here: %s", type(problem).__name__)
        return self._records

    def came_back(self, device: bytes, outboxes: Sequence[str]) -> None:
        """Ops made by this device were taken in, out of these outboxes: what was set aside goes if it is among them.

        It may have grown since, so an earlier packet does not vouch for it.
        """
        if (
            device.hex() == self._device
            and self.show_it()
            and self._digest in outboxes
            and self._stands() == self._shown
        ):
            self._profile.sealed_lost.unlink()
            sync_folder(self._profile.folder)
            self._records, self._shown = 0, None

    def _stands(self) -> tuple[int, int] | None:
        try:
            found = self._profile.sealed_lost.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

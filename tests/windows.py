"""A laptop that is open in this process: its session, the engine behind it, and what its badge was told."""

from __future__ import annotations

from app.errors import NotFound
from app.services import records
from app.services.session import Session
from app.services.syncing import Keeping
from sync.client.status import Phase, SyncStatus


class Window:
    """A laptop that is open: its session, and what its badge was told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.told: list[SyncStatus] = []
        self.keeping = Keeping(session, self.told.append)

    def holds(self, record: bytes, **values: object) -> bool:
        """Whether it has this record, so."""
        try:
            found = records.get(self.session, record)
        except NotFound:
            return False
        return all(found.values.get(name) == value for name, value in values.items())

    def rounds(self) -> int:
        """Exchanges so far."""
        return sum(each.phase in (Phase.IDLE, Phase.OFFLINE) for each in self.told)

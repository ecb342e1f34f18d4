"""The replica of an exchange, run on the store's thread; large pages are laid in by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.bulk.laying import Laying, together
from app.services.session import ACTIVE, Session
from app.store.blobs import Blobs
from sync.client.ports import Answer, Applied, Position, Stands
from sync.protocol.messages import Change
from sync.protocol.ops import Op

if TYPE_CHECKING:
    from app.store.replica import StoreReplica
    from app.store.store import Store


def on_worker(session: Session, laying: Laying | None) -> OnWorker | None:
    """The replica while the store may be open. Raises Locked, and what opening the store raises."""
    if session.stage != ACTIVE:
        return None
    from app.store.replica import StoreReplica  # an exchange comes after the first list

    def look(store: Store) -> tuple[StoreReplica, Stands]:
        replica = StoreReplica(store)
        return replica, replica.stands()

    return OnWorker(session, *session.call(look), laying)


class OnWorker:
    """The replica with every method run on the store's thread, but for large pages, where `laying` takes those.

    `stands` is where it has just stood.
    """

    def __init__(
        self, session: Session, replica: StoreReplica, stands: Stands, laying: Laying | None
    ) -> None:
        """`stands` is where it has just stood."""
        self._run = session.run_replica
        self._blobs = Blobs(session.profile)
        self._replica = replica
        self._stands: Stands | None = stands
        self._laying = laying

    def stands(self) -> Stands:
        stands, self._stands = self._stands, None
        return stands or self._run(self._replica.stands)

    def position(self) -> Position:
        return self._run(self._replica.position)

    def take(self, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
        return self._run(self._replica.take, ops_max, bytes_max, after)

    def apply(self, answer: Answer) -> Applied:
        if self._laying is None or not self._laying.takes(answer):
            return self._run(self._replica.apply, answer)
        laid, rest = self._laying.lay(answer)
        return laid if rest is None else together((laid, self._run(self._replica.apply, rest)))

    def loses(self, changes: list[Change]) -> tuple[int, int]:
        return self._run(self._replica.loses, changes)

    def renumber(self, incarnation: bytes) -> None:
        self._run(self._replica.renumber, incarnation)

    def restart(self, common: int = 0) -> None:
        self._blobs.send_again()
        self._run(self._replica.restart, common)

    def take_in(self, packet: bytes, ops: list[Op], origin: tuple[bytes, bytes]) -> int:
        return self._run(self._replica.take_in, packet, ops, origin)

    def reported(self, packets: list[bytes]) -> None:
        self._run(self._replica.reported, packets)

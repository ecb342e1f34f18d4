"""The replica as the engine's thread uses it: every method runs on the store's thread."""

from __future__ import annotations

from app.services.bulk.laying import Laying, together
from app.services.session import Session
from app.store.blobs import Blobs
from app.store.replica import StoreReplica
from sync.client.ports import Answer, Applied, Position
from sync.protocol.ops import Op


class OnWorker:
    """The replica with every method run on the store's thread, but for large pages, where `laying` takes those."""

    def __init__(self, session: Session, replica: StoreReplica, laying: Laying | None) -> None:
        self._run = session.run_replica
        self._blobs = Blobs(session.profile)
        self._replica = replica
        self._laying = laying

    def position(self) -> Position:
        return self._run(self._replica.position)

    def take(self, ops_max: int, bytes_max: int) -> list[Op]:
        return self._run(self._replica.take, ops_max, bytes_max)

    def apply(self, answer: Answer) -> Applied:
        if self._laying is None or not self._laying.takes(answer):
            return self._run(self._replica.apply, answer)
        laid, rest = self._laying.lay(answer)
        return laid if rest is None else together((laid, self._run(self._replica.apply, rest)))

    def renumber(self, incarnation: bytes) -> None:
        self._run(self._replica.renumber, incarnation)

    def restart(self, common: int = 0) -> None:
        self._blobs.send_again()
        self._run(self._replica.restart, common)

    def take_in(self, packet: bytes, ops: list[Op], origin: tuple[bytes, bytes]) -> int:
        return self._run(self._replica.take_in, packet, ops, origin)

    def recovered(self) -> list[bytes]:
        return self._run(self._replica.recovered)

    def reported(self, packets: list[bytes]) -> None:
        self._run(self._replica.reported, packets)

    def unsent(self) -> int:
        return self._run(self._replica.unsent)

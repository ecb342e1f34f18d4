"""Holds the store against the server, record by record, and lays in anew what differs; unsent work stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from app.services.session import ACTIVE, Session
from app.store import comparing
from app.store.replica import StoreReplica
from app.store.rows import chunks
from app.store.server_row import LEFT
from sync.client.comparing import Comparison
from sync.client.https import Https, own_trust
from sync.client.line import Identity, Line
from sync.protocol import signing
from sync.protocol.digest import Sums
from sync.protocol.messages import Change


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found: records that are other than the server's, that are missing, that should not be here;
    and those that only this device has, which stay."""

    other: int = 0
    missing: int = 0
    stray: int = 0
    kept: int = 0

    @property
    def differing(self) -> int:
        """How many records can be made what they should be."""
        return self.other + self.missing + self.stray


class _Held:
    """The holdings of a session's store, read beside whoever writes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sums(self) -> Sums:
        return self._session.read(comparing.sums)

    def digests(self, buckets: frozenset[int]) -> dict[bytes, tuple[int, int]]:
        return self._session.read(comparing.digests, buckets)


def compare(session: Session) -> Compared:
    """Look, and change nothing. Raises ExchangeError, Locked, StoreDamaged."""
    found = Compared()
    with _comparison(session) as comparison:
        for each in comparison.differences(_Held(session)):
            kept = session.read(comparing.keeps, each.stray)
            found = Compared(
                found.other + len(each.other),
                found.missing + len(each.missing),
                found.stray + len(each.stray) - len(kept),
                found.kept + len(kept),
            )
    return found


def level(session: Session) -> int:
    """Lay in what the server has where this store differs, and take away what is not for this person; how many
    records. Raises ExchangeError, Locked, StoreDamaged, NoSpace."""
    done = 0
    with _comparison(session) as comparison:
        for each in comparison.differences(_Held(session)):
            for some in chunks([*each.other, *each.missing]):
                for brought in comparison.records(list(some)):
                    # What has left since then goes with the next exchange, which knows why.
                    changes = [change for change in brought.changes if change.gone != LEFT]
                    done += len(session.call(comparing.lay_in, changes, brought.conflicts).records)
            for stray in chunks(each.stray):
                gone = [Change(kind="", id=id_, ver=0, gone=LEFT) for id_ in stray]
                done += len(session.call(comparing.lay_in, gone, []).records)
    return done


def ask(session: Session, id_: bytes) -> Change:
    """One record as the server has it for this person now; `left` where it has none. Raises as `compare`."""
    with _comparison(session) as comparison:
        return next(change for brought in comparison.records([id_]) for change in brought.changes)


@contextlib.contextmanager
def _comparison(session: Session) -> Iterator[Comparison]:
    """A comparison over a line of its own. Raises Locked."""
    if session.stage != ACTIVE:
        raise session.locked_error()
    card = session.card
    identity = Identity(
        card.org,
        card.enrolment,
        card.device,
        lambda document: signing.sign(document, ("", session.signing_key)),
    )
    position = session.call(lambda store: StoreReplica(store).position())
    with contextlib.closing(Https(card.server_url, own_trust(session.papers.held.root.tls_ca))) as transport:
        yield Comparison(Line(transport, identity, session.now), position)

"""Carries attached files between this device and the server: up behind everything else, down when one is opened.

What goes up needs neither the store nor its key: the files lie encrypted in a folder of their own, and the device key
signs each piece. So a device that is locked still brings what it has not sent.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from app.changes import Changes
from app.errors import NotFound, Offline
from app.services.session import Session
from app.store.blobs import Blobs
from sync.client import blobs as wire
from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.client.https import Https, own_trust
from sync.client.line import Identity, Line
from sync.client.pieces import Climb, Pace
from sync.protocol import signing
from sync.protocol.errors import Problem

_LOG = logging.getLogger("app.services.carrying")


def identity_of(session: Session) -> Identity:
    """Who this device is to the server."""
    card = session.card
    return Identity(
        card.org,
        card.enrolment,
        card.device,
        lambda document: signing.sign(document, ("", session.signing_key)),
    )


class Carrying:
    """Brings up what waits, one piece at each step, so that whatever is more urgent goes between two of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._blobs = Blobs(session.profile)
        self._pace = Pace()
        self._line: Https | None = None
        self._now: tuple[Path, BinaryIO, Climb] | None = None
        self._turn = threading.Lock()  # held by a step; who closes waits for none
        self._over = False
        # By this server, until the next start; the others go on meanwhile.
        self._refused: set[str] = set()

    def step(self) -> bool:
        """Bring the next piece up; whether more waits. Raises Offline, ExchangeError."""
        with self._turn:
            try:
                return not self._over and self._step()
            finally:
                if self._over:
                    self._rest()

    def _step(self) -> bool:
        if self._now is None:
            path = next((each for each in self._blobs.unsent() if each.name not in self._refused), None)
            if path is None:
                self._rest()
                return False
            self._begin(path)
        if self._now is None:
            return True
        path, _source, climb = self._now
        try:
            whole = climb.step(self._pace.begins())
            self._pace.ended()
        except ServerRefused as refusal:
            self._rest()
            if not wire.is_final(refusal):
                raise
            _LOG.warning("an attachment was not taken: %s", refusal.problem.value)
            self._refused.add(path.name)
            return True
        except (Unreachable, NotOurServer) as problem:
            self._rest()
            raise Offline(problem.title, problem.hint) from problem
        if whole:
            self._let_go()
            self._blobs.sent(bytes.fromhex(path.name))
            self._session.files.publish(Changes())
        return True

    def all(self) -> None:
        """Bring all of it up. Raises Offline, ExchangeError."""
        with closing(self):
            while self.step():
                pass

    def _rest(self) -> None:
        """Nothing is carried for a while: no file and no connection is held open."""
        self._let_go()
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def close(self) -> None:
        """The end of it: at once, or after the piece that is on its way in another thread."""
        self._over = True
        if self._turn.acquire(blocking=False):
            self._rest()
            self._turn.release()

    def _begin(self, path: Path) -> None:
        if self._line is None:
            self._line = _line_to(self._session)
        try:
            source = path.open("rb")
        except OSError:
            self._refused.add(path.name)
            return
        self._now = (path, source, wire.climb(self._line, identity_of(self._session), path.name, source))

    def _let_go(self) -> None:
        now, self._now = self._now, None
        if now is not None:
            now[1].close()


def fetch(session: Session, record: bytes, content: dict[str, Any], told: Callable[[int, int], None]) -> None:
    """Have the bytes that a record names come; what an earlier try has brought is not asked for again.

    Raises Offline, NotFound, Locked, ExchangeError, NoSpace, AppError, OSError.
    """
    replica = session.replica()
    if replica is None:
        raise session.locked_error()

    def while_open(done: int, of: int) -> None:
        if session.store.is_shut:  # a lock or a wipe: nothing more of it comes into the profile
            raise session.locked_error()
        told(done, of)

    blobs = Blobs(session.profile)
    place = blobs.place_to_fetch(content["sha256"])
    with closing(_line_to(session)) as transport:
        line = Line(transport, identity_of(session), session.now)
        try:
            position = session.run_replica(replica.position)
            wire.fetch(line, position, record, content["sha256"], place, while_open)
        except (Unreachable, NotOurServer) as problem:
            raise Offline(problem.title, problem.hint) from problem
        except ServerRefused as refusal:
            if refusal.problem not in (Problem.GAP, Problem.NOT_HERE):
                raise
            raise NotFound(refusal.title, refusal.hint) from refusal
    blobs.fetched(content["sha256"])


def _line_to(session: Session) -> Https:
    return Https(session.card.server_url, own_trust(session.papers.held.root.tls_ca))

"""An act on many records as the window asks for it: a large one by a process beside, a small one here.

Either way it is done in pieces of a few hundredths of a second, and whoever saves meanwhile goes before the next one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.services import many, unfinished
from app.services.many import MANY, Asked, Doer, Doing, Exporting, Outcome, Piece, Undoing, chosen
from app.services.session import Session
from app.store import begun
from app.store.bulk import Selection, Setting, Span
from app.store.store import Store
from sync.protocol.kinds import Kind
from sync.protocol.uses import EXPORT

if TYPE_CHECKING:
    from app.services.bulk.pipe import Reply, Request
    from app.services.bulk.process import BulkProcess

PIECE: Final = 500  # records of one piece beside: what a person's save waits for at most
PIECE_S: Final = 0.04  # how long a piece may hold the store's own thread
LEAST: Final = 8
MOST: Final = 2_000
SILENCE_S: Final = 15.0  # what a piece takes at most, on whatever machine


def doing(selection: Selection, setting: Setting | None) -> Asked:
    """Set a field of all that is selected, or delete it."""
    return Doing(chosen(selection), setting)


def exporting(selection: Selection, path: Path) -> Asked:
    """Write all that is selected to a CSV file."""
    return Exporting(chosen(selection), os.fsencode(path.absolute()))


def undoing(kind: Kind, spans: Iterable[Span], count: int) -> Asked:
    """Take back what these ops did."""
    return Undoing(kind.name, tuple(spans), count)


class Act:
    """One act; `begin`, `piece` and `end` are for one thread at a time, `close` is for any."""

    def __init__(self, session: Session, asked: Asked, outcome: Outcome | None = None) -> None:
        """With an outcome, it goes on from there."""
        self.asked = asked
        self.outcome = outcome or Outcome()
        self.large = asked.total > MANY
        self.writes = not isinstance(asked, Exporting)
        self.kept = self.large and self.writes
        self._session = session
        self._beside = self.large
        self._process: BulkProcess | None = None
        self._doer: Doer | None = None
        self._size = LEAST

    def begin(self) -> None:
        """Have it remembered, so that it may go on whatever ends this process. Raises Locked, NoSpace, NotAllowed."""
        if isinstance(self.asked, Exporting):
            self._session.ruling.refuse_use(EXPORT)
        if self.kept:
            self._session.call(many.keep, self.asked, self.outcome)
        elif isinstance(self.asked, Undoing):
            self._session.call(_forget_if, self.asked.spans)

    def piece(self) -> Piece | None:
        """Do the next piece; None at the end. Raises Locked, NoSpace, Stopped."""
        found = self._piece_beside() if self._beside else None
        if not self._beside:
            found = self._session.call(self._piece_here)
        if found is not None:
            self.outcome = found.outcome
        return found

    def end(self, *, whole: bool, forget: bool = True) -> None:
        """It has come to its end, or is left where it is: what was done stays, but half a file.

        Without `forget` it may still go on. Raises AppError, NoSpace where a file cannot be put in its place.
        """
        try:
            if self._doer is not None:
                self._doer.end(whole=whole)
            elif self._process is not None and not self.kept:
                from app.services.bulk.pipe import Finish

                self._ask(self._process, Finish(whole))
            if self.kept and forget:
                self._session.call(begun.forget_act)
        finally:
            self.close()
            if isinstance(self.asked, Exporting):
                unfinished.take_away(self._session.profile)  # of a process that was killed

    def close(self) -> None:
        """Let its process go."""
        process = self._process
        if process is not None:
            process.end()

    # -- inside

    def _piece_beside(self) -> Piece | None:
        """By the process, which is begun with the first piece; where there is none any more, from now on here."""
        from app.services.bulk.pipe import Act as Begin  # the first list needs none of it
        from app.services.bulk.pipe import Next, Pieced
        from app.services.bulk.process import Gone

        store = self._session.store
        try:
            if self._process is None:
                self._process = store.begin_bulk()
                self._ask(self._process, Begin(self.asked, self.outcome, self.kept))
            if not self.kept:  # it only reads the store: nobody waits for it
                done = self._ask(self._process, Next(PIECE))
            else:
                with store.pen.held(patient=True):
                    try:
                        done = self._ask(self._process, Next(PIECE))
                    finally:
                        store.sealed_beside()
        except Gone:
            if not store.may_begin_bulk or (self._process is not None and not self.kept):
                raise
            # Its last piece may have come in and only the word of it been lost: the store knows.
            found = self._session.read(many.broken_off) if self.kept else None
            if found is not None:
                self.outcome = found[1]
                store.wrote_beside([self.asked.kind.name])
            self._process, self._beside = None, False
            return None
        assert isinstance(done, Pieced)  # noqa: S101 - nothing else answers it
        if self.kept:
            store.wrote_beside(done.turned)
        return done.piece

    def _ask(self, process: BulkProcess, request: Request) -> Reply:
        return process.ask(request, silence_s=SILENCE_S)

    def _piece_here(self, store: Store) -> Piece | None:
        if self._doer is None:
            self._doer = Doer(self._session.profile, self.asked, self.outcome, kept=self.kept)
        began = time.perf_counter()
        found = self._doer.piece(store, self._size)
        # Half way to what would fit: one slow disk write says little about the next piece.
        fits = self._size * PIECE_S / max(time.perf_counter() - began, 1e-6)
        self._size = min(MOST, max(LEAST, round((self._size + min(fits, 4 * self._size)) / 2)))
        return found


def _forget_if(store: Store, spans: tuple[Span, ...]) -> None:
    """An act that is taken back instead of going on is told no more."""
    found = many.broken_off(store)
    if found is not None and found[1].spans == spans:
        begun.forget_act(store)

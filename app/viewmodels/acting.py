"""Acts on all that is selected: in the background, with progress, a way to stop, to go on later, and one way back.

A small act is done in pieces between everything else that the background does. A large one has a thread that waits for
the process that does it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.changes import HERE, Changes
from app.errors import AppError, StoreDamaged
from app.services import acting
from app.services.acting import Act
from app.services.many import Asked, Outcome, Piece
from app.services.session import Session
from app.store.bulk import Deed, Selection, Span
from app.viewmodels.base import Errands, Watched
from app.viewmodels.ruled import refusal
from sync.protocol.errors import KnownError
from sync.protocol.joins import sentences
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _
from sync.protocol.uses import EXPORT

_LOG = logging.getLogger("app.viewmodels.acting")

TOLD_S: Final = 1.0  # views hear of changes this often at first, and ever less often
TOLD_MOST_S: Final = 10.0
TOLD_MAX: Final = 500  # records in one piece of news; with more, everything is looked at again
SHOWN_S: Final = 0.1  # between two words on how far a large act is
SURE_S: Final = 2.0  # before this, nobody knows how long it takes
PACE_S: Final = 30.0  # what still comes goes at the pace of these last seconds


class Many(Quiet, frozen=True):
    """An act on many records that can be taken back: the numbers of its ops say how."""

    kind: Kind
    spans: tuple[Span, ...]
    count: int


class Acting(Watched):
    """One act at a time. `told(text, undoes=..., goes_on=...)` hears what came of it, `may_undo` takes the way back."""

    def __init__(
        self,
        session: Session,
        errands: Errands,
        told: Callable[..., None],
        may_undo: Callable[[Many], None],
    ) -> None:
        super().__init__()
        self.total = 0
        self.at = 0
        self.going = ""
        self.stopping = False
        self._session = session
        self._errands = errands
        self._told = told
        self._may_undo = may_undo
        self._act: Act | None = None
        self._paces: deque[tuple[float, int]] = deque()
        self._news: dict[bytes, None] | None = {}  # None: more than is told one by one
        self._told_at = 0.0
        self._told_every = TOLD_S

    @property
    def running(self) -> bool:
        """Whether an act is under way."""
        return self._act is not None

    @property
    def stays(self) -> bool:
        """Whether what is done stays when it is stopped: half a file does not."""
        return self._act is not None and self._act.writes

    def seconds_left(self) -> float | None:
        """How long it will take by what it took of late; None while that says nothing."""
        if not self.running or len(self._paces) < 2:
            return None
        (began, first), (now, at) = self._paces[0], self._paces[-1]
        if now - began < SURE_S or at <= first:
            return None
        return max(0.0, (self.total - at) * (now - began) / (at - first))

    def do(self, selection: Selection, deed: Deed) -> None:
        """Set a field of all that is selected, or delete it."""
        if self._may_change():
            self._begin(acting.doing(selection, deed))

    def export(self, selection: Selection, path: Path) -> None:
        """Write all that is selected to a CSV file."""
        self._begin(acting.exporting(selection, path))

    def may_export(self) -> bool:
        """Whether policy lets records leave the program; if not, it is said."""
        said = refusal(self._session, EXPORT)
        if said:
            self._told(said)
        return not said

    def undo(self, act: Many) -> None:
        """Take an act on many records back."""
        if self._may_change():
            self._begin(acting.undoing(act.kind, act.spans, act.count))

    def go_on(self, asked: Asked, outcome: Outcome) -> None:
        """Go on with an act that was broken off."""
        if self._may_change():
            self._begin(asked, outcome)

    def cancel(self) -> None:
        """Stop after the piece under way; what was done stays, and can be taken back."""
        self.stopping = True
        self.tell()

    # -- inside

    def _may_change(self) -> bool:
        """Whether the role may, as the server last told it; if not, it is said."""
        if may_change(self._session.card.person.role):
            return True
        self._told(_("Your role may look at records, but not change them. Ask IT if it should."))
        return False

    def _begin(self, asked: Asked, outcome: Outcome | None = None) -> None:
        from app.viewmodels import act_words  # the first list tells of none

        if self._act is not None:
            self._told(_("Something is still being done. Wait for it, or stop it."))
            return
        act = self._act = Act(self._session, asked, outcome)
        self.stopping = False
        self.total, self.at, self.going = asked.total, act.outcome.at, act_words.going(asked)
        self._paces.clear()
        self._told_at, self._told_every = time.monotonic(), TOLD_S
        self.tell()
        if act.large:
            threading.Thread(target=self._all, args=(act,), name="fieldkeep-act", daemon=True).start()
        else:
            self._errands.run(
                act.begin, lambda _n: self._next(act), lambda problem: self._failed(act, problem)
            )

    # -- a large one, in its own thread

    def _all(self, act: Act) -> None:
        post = self._errands.post
        try:
            act.begin()
            whole, shown_at = False, 0.0
            while not (self.stopping or whole):
                whole = self._piece(act) is None
                if (now := time.monotonic()) - shown_at >= SHOWN_S:
                    shown_at = now
                    post(lambda: self._took(act.outcome.at))
            self._close(act, whole=whole)
        except KnownError as problem:
            told = problem
            post(lambda: self._failed(act, told))
        except Exception as fault:  # noqa: BLE001 - ours, and nobody may wait for an answer that never comes
            _LOG.exception("an act on many records ended with a fault: %s", type(fault).__name__)
            broken = AppError(
                _("This failed in a way we did not expect."), _("Try again; tell IT if this stays.")
            )
            post(lambda: self._failed(act, broken))
        else:
            post(lambda: self._end(act, None, stopped=not whole))

    # -- a small one, a piece at a time

    def _next(self, act: Act) -> None:
        if self.stopping:
            self._leave(act, None, stopped=True)
            return

        def piece() -> Piece | None:
            found = self._piece(act)
            if found is None:
                self._close(act, whole=True)
            return found

        def took(found: Piece | None) -> None:
            if found is None:
                self._end(act, None)
            else:
                self._took(found.outcome.at)
                self._next(act)

        self._errands.run(piece, took, lambda problem: self._failed(act, problem))

    # -- both, on a thread of the background

    def _piece(self, act: Act) -> Piece | None:
        found = act.piece()
        if found is not None:
            if self._news is not None:
                self._news.update(dict.fromkeys(found.ids))
                if len(self._news) > TOLD_MAX:
                    self._news = None
            if time.monotonic() - self._told_at >= self._told_every:
                self._tell_news(act)
        return found

    def _close(self, act: Act, *, whole: bool, forget: bool = True) -> None:
        try:
            act.end(whole=whole, forget=forget)
        finally:
            self._tell_news(act)

    def _tell_news(self, act: Act) -> None:
        news, self._news = self._news, {}
        if news is None or news:
            name = act.asked.kind.name
            self._session.tell(Changes(tuple((name, id_) for id_ in news or ()), HERE))
        self._told_at = time.monotonic()
        self._told_every = min(TOLD_MOST_S, self._told_every * 1.5)

    # -- in the screen's thread

    def _took(self, at: int) -> None:
        self.at = at
        now = time.monotonic()
        self._paces.append((now, at))
        while now - self._paces[0][0] > PACE_S:
            self._paces.popleft()
        self.tell()

    def _failed(self, act: Act, problem: KnownError) -> None:
        if isinstance(problem, StoreDamaged) and self._errands.damaged is not None:
            self._errands.damaged(problem)
        self._leave(act, problem)

    def _leave(self, act: Act, problem: KnownError | None, *, stopped: bool = False) -> None:
        """It was stopped, or cannot go on now: then it is remembered where it can go on later."""

        def left(_done: object) -> None:
            self._end(act, problem, stopped=stopped)

        self._errands.run(lambda: self._close(act, whole=False, forget=problem is None), left, left)

    def _end(self, act: Act, problem: KnownError | None, *, stopped: bool = False) -> None:
        from app.viewmodels import act_words

        outcome = act.outcome
        self._act = None
        self.total = self.at = 0
        self.tell()
        if outcome.spans:
            self._may_undo(Many(act.asked.kind, outcome.spans, outcome.changed))
        said = [_("Stopped.")] if stopped else []
        if problem is not None:
            said.append(problem.title)
        if not (stopped or problem) or outcome.changed:
            said.append(act_words.done(act.asked, outcome))
        if stopped and outcome.spans:
            said.append(_("That stays; “Undo” takes it back."))
        if problem is not None and problem.hint:
            said.append(problem.hint)
        goes_on = problem is not None and act.kept
        self._told(sentences(*said), undoes=bool(outcome.spans), goes_on=goes_on)

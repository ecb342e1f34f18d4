"""The page “Today”: the day as it stands, one's own or the team's, steady while it is read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.services.session import Session
from app.store import records
from app.viewmodels import day, editor
from app.viewmodels.base import Errands, Watched
from app.viewmodels.day import Day, Line, Whose
from app.viewmodels.drafts import Drafts
from app.viewmodels.editor import Undoable
from app.viewmodels.records import now_ms
from app.viewmodels.rights import Rights
from app.viewmodels.steady import Steady
from sync.protocol.errors import KnownError
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS
from sync.protocol.roles import MANAGER, OFFICE, may_change
from sync.protocol.texts import gettext as _


class Workplace(Protocol):
    """What the day needs of the desk."""

    session: Session
    errands: Errands
    drafts: Drafts
    on_news: Watched

    def say(self, text: str, *, undoes: bool = False) -> None:
        """Show one line about something just done."""

    def fail(self, problem: KnownError) -> None:
        """Show what went wrong."""


class Today(Steady[Day], Rights):
    """Kept while the desk is open, so that one comes back to the day as it was left; read while it is looked at."""

    def __init__(self, desk: Workplace, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(desk)
        self.session = desk.session
        self.day: Day | None = None
        self.whose = _first_asked(self.session.card.person.role)
        self.chosen: Line | None = None  # where one was, for who comes back
        self._desk = desk
        self._clock = clock
        self._doing: set[bytes] = set()

    @property
    def asks_whose(self) -> bool:
        """Whether one may choose between one's own day and the team's."""
        return self.whose is not Whose.NOBODY

    def ask(self, whose: Whose) -> None:
        """One's own day, or the team's."""
        if whose is not self.whose and self.asks_whose:
            self.whose, self.chosen = whose, None
            self.look_again()

    def finish(self, line: Line) -> None:
        """Mark a task as done; a line says so and offers to undo."""
        id_ = line.target.id
        if not line.ticks or id_ in self._doing:
            return
        if not may_change(self.session.card.person.role):
            self._desk.say(_("Your role may look at records, but not change them. Ask IT if it should."))
            return
        kind = KINDS["task"]
        self._doing.add(id_)

        def work() -> Value:
            before = self.session.read(records.get, id_).values.get("done")
            editor.write(self.session, kind, id_, {"done": True}, made=False)
            return before

        def done(before: Value) -> None:
            self._doing.discard(id_)
            self._desk.drafts.may_undo(Undoable(kind, id_, {"done": before}))
            self._desk.say(_("“{name}” is done.").format(name=line.title), undoes=True)

        def failed(problem: KnownError) -> None:
            self._doing.discard(id_)
            self._desk.fail(problem)
            self.look_again()

        self._desk.errands.run(work, done, failed)

    def close(self) -> None:
        """Hold nothing of any record any more."""
        super().close()
        self.day = self.chosen = None

    def asking(self) -> tuple[Callable[[], Day], Callable[[Day], bool]]:
        """The day of whom it is asked of now."""
        whose, at = self.whose, self._clock()

        def keep(found: Day) -> bool:
            if whose is not self.whose:
                return False
            self.day = found
            return True

        return lambda: self.session.read(day.read, whose, at), keep


def _first_asked(role: str) -> Whose:
    """A rep asks for the own day, who leads or serves a team for the team's; others have no day here."""
    if not may_change(role):
        return Whose.NOBODY
    return Whose.TEAM if role in (OFFICE, MANAGER) else Whose.MINE

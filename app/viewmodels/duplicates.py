"""The page “Possible duplicates”: pairs field by field, what somebody chose so far, and what becomes of a pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from app.services import duplicates
from app.services.duplicates import Seen
from app.services.session import Session
from app.store import joining
from app.store.joining import Joined, Line
from app.store.reader import Reader
from app.store.records import Record
from app.viewmodels import words
from app.viewmodels.base import Errands, Watched
from app.viewmodels.drafts import Drafts
from app.viewmodels.editor import Undoable
from app.viewmodels.reading import Titles
from app.viewmodels.records import now_ms
from app.viewmodels.steady import Steady
from sync.protocol.errors import KnownError
from sync.protocol.kinds import KINDS
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

SHOWN: Final = 50  # a page is no list: more than anybody decides in one sitting


class Cell(Quiet, frozen=True):
    """One field of both records in words, and which value stands: `both` if both can, `fixed` if nobody chooses."""

    name: str
    label: str
    left: str
    right: str
    takes: str
    both: bool
    fixed: bool


class Double(Quiet, frozen=True):
    """A pair: what speaks for it, who made each side, the fields that differ, and how many say the same."""

    seen: Seen
    kind: str
    why: str
    left: str
    right: str
    left_by: str
    right_by: str
    cells: tuple[Cell, ...]
    same: tuple[str, ...]

    @property
    def key(self) -> frozenset[bytes]:
        """What tells the pair from all others."""
        return frozenset((self.seen.pair.a, self.seen.pair.b))


Chosen = Mapping[frozenset[bytes], Mapping[str, str]]  # by pair and field, which value somebody chose


class Workplace(Protocol):
    """What the page needs of the desk."""

    session: Session
    errands: Errands
    drafts: Drafts
    on_news: Watched

    def say(self, text: str, *, undoes: bool = False) -> None:
        """Show one line about something just done, which can be taken back."""

    def fail(self, problem: KnownError) -> None:
        """Show what went wrong."""


class Duplicates(Steady[list[Double]]):
    """Kept while the desk is open, so that what was chosen stays while one looks at a record."""

    def __init__(self, desk: Workplace, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(desk)
        self.shown: list[Double] | None = None
        self._desk = desk
        self._clock = clock
        self._chosen: dict[frozenset[bytes], dict[str, str]] = {}
        self._turned: set[frozenset[bytes]] = set()  # pairs of which the newer record shall remain

    def choose(self, double: Double, field: str, takes: str) -> None:
        """Let this side's value of a field stand."""
        self._chosen.setdefault(double.key, {})[field] = takes

    def turn(self, double: Double) -> None:
        """Let the other record remain; what was chosen field by field begins anew."""
        self._turned ^= {double.key}
        self._chosen.pop(double.key, None)
        self.look_again()

    def join(self, double: Double) -> None:
        """Make the two one, with what was chosen."""
        seen, kind = double.seen, KINDS[double.seen.pair.kind]
        takes = dict(self._chosen.get(double.key, {}))

        def done(made: Joined) -> None:
            self._forget(double)
            self._desk.drafts.may_undo(Undoable(kind, made.remains, {}, joined=made))
            text = _("“{other}” is now part of “{name}”.")
            self._desk.say(text.format(other=double.right, name=double.left), undoes=True)

        self._desk.errands.run(
            lambda: duplicates.join(self._desk.session, seen.remains.id, seen.gone.id, takes),
            done, self._desk.fail,
        )  # fmt: skip

    def part(self, double: Double) -> None:
        """Say that the two are different."""
        seen, kind = double.seen, KINDS[double.seen.pair.kind]

        def done(_result: None) -> None:
            self._forget(double)
            self._desk.drafts.may_undo(Undoable(kind, seen.remains.id, {}, apart=seen.gone.id))
            text = _("“{name}” and “{other}” are different, for everybody who has both.")
            self._desk.say(text.format(other=double.right, name=double.left), undoes=True)

        self._desk.errands.run(
            lambda: duplicates.set_apart(self._desk.session, seen.remains.id, seen.gone.id),
            done, self._desk.fail,
        )  # fmt: skip

    def close(self) -> None:
        """Hold nothing of any record any more."""
        super().close()
        self._chosen.clear()
        self._turned.clear()
        self.shown = None

    # -- inside

    def _forget(self, double: Double) -> None:
        self._chosen.pop(double.key, None)
        self._turned.discard(double.key)

    def asking(self) -> tuple[Callable[[], list[Double]], Callable[[list[Double]], bool]]:
        """The pairs, with what was chosen so far."""
        session, turned, at = self._desk.session, frozenset(self._turned), self._clock()
        chosen = {key: dict(each) for key, each in self._chosen.items()}

        def keep(found: list[Double]) -> bool:
            if not self._looked_at or found == self.shown:
                return False
            self.shown = found
            return True

        return lambda: session.read(read, at, turned, chosen), keep


def read(store: Reader, now_ms: int, turned: frozenset[frozenset[bytes]], chosen: Chosen) -> list[Double]:
    """The pairs, the one that came last first."""
    titles = Titles(store)
    found = []
    for seen in duplicates.seen(store, limit=SHOWN):
        key = frozenset((seen.pair.a, seen.pair.b))
        if key in turned:
            seen = msgspec.structs.replace(seen, remains=seen.gone, gone=seen.remains)
        takes = chosen.get(key, {})
        lines = duplicates.compared(store, seen.remains.id, seen.gone.id)
        lines = [joining.chosen_line(line, takes.get(line.field.name)) for line in lines]
        found.append(_double(seen, lines, titles, now_ms))
    return found


def _double(seen: Seen, lines: list[Line], titles: Titles, now_ms: int) -> Double:
    differ = [line for line in lines if line.differs or (line.remains and not line.gone)]

    def said(line: Line, value: object) -> str:
        return words.value(line.field, value, titles) if value not in (None, "", []) else words.DASH

    cells = tuple(
        Cell(
            line.field.name, _(line.field.label), said(line, line.remains), said(line, line.gone),
            line.takes, joining.may_be_both(line) and line.differs, line.fixed or not line.differs,
        )
        for line in differ
    )  # fmt: skip
    same = tuple(_(line.field.label) for line in lines if line not in differ and line.remains)

    def by(record: Record) -> str:
        when = words.moment(record.changed_ms, now_ms)
        return words.DOT.join(part for part in (words.person(record.changed_by), when) if part)

    first, second = seen.remains, seen.gone
    return Double(
        seen, _(first.kind.label), seen.why, first.title, second.title, by(first), by(second), cells, same
    )

"""The palette's answers as one types: what can be done comes at once, records as soon as the store has them."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import Now
from app.errors import NotFound
from app.services.session import Session
from app.store import records
from app.store.asking import Asking
from app.store.reader import Reader
from app.viewmodels import address, reading
from app.viewmodels.address import Address
from app.viewmodels.base import Errands, Watched
from app.viewmodels.desk import Desk
from app.viewmodels.offers import RECORDS_MAX, Act, Offer, beginning, offers, record
from app.viewmodels.opened import Opened, Uses
from app.viewmodels.reading import Shown, Titles
from app.viewmodels.records import now_ms
from sync.protocol.errors import KnownError
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _


def now(desk: Desk, row: int) -> Now:
    """How things stand on a desk whose list has that row chosen (-1: none)."""
    return Now(
        section=desk.section,
        record=desk.detail is not None,
        form=desk.editor is not None,
        next=0 <= row < desk.rows.count() - 1,
        undo=desk.drafts.can_undo(),
        back=desk.history.goes_back,
        forth=desk.history.goes_forth,
        changes=desk.may_change,
    )


class Palette(Watched):
    """Watchers hear of new answers. `rows` never waits; while `settled` is False, records are still on their way."""

    def __init__(self, session: Session, errands: Errands, opened: Opened, uses: Uses, now: Now) -> None:
        super().__init__()
        self.text = ""
        self.rows: tuple[Offer, ...] = ()
        self.note = ""  # a sentence in the place of records that are not there
        self._session = session
        self._errands = errands
        self._opened = opened
        self._uses = uses
        self._now = now
        self._found: list[Shown] = []
        self._problem: KnownError | None = None
        self._answered: str | None = None  # the text that `_found` belongs to
        self._running = False
        self._asking = Asking()
        self._closed = False

    @property
    def settled(self) -> bool:
        """Whether the records in `rows` are the answer to the text."""
        return self._answered == self.text.strip()

    @property
    def first(self) -> int:
        """The row to begin with: past the record that is shown already; -1 where nothing matches, since Enter is not to
        make what somebody has looked for."""
        if self.rows and all(offer.act is Act.MAKE and offer.text for offer in self.rows):
            return -1
        return 1 if self._now.record and not self.text.strip() and len(self.rows) > 1 else 0

    def ask(self, text: str) -> None:
        """Answer to this text; "" is answered by what was opened last."""
        if text.strip() != self.text.strip():
            self._asking.take_back()  # nobody waits for the answer to the letters before
        self.text = text
        self._show()
        self._look()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._closed = True
        self._asking.take_back()
        self._found, self.rows, self.text = [], (), ""
        self._watchers.clear()

    # -- inside

    def _look(self) -> None:
        """Ask the store; while it answers, only the last text waits for its turn."""
        if self._running or self._closed:
            return
        self._running = True
        text = self.text.strip()
        asked = address.read(text)
        if text and asked is None:
            asking = self._asking = Asking()

            def refused(problem: KnownError) -> None:
                if asking.taken_back:  # the same letters may stand there again by now
                    self._running = False
                    self._look()
                else:
                    self._take(text, [], problem)

            self._errands.read(
                lambda: self._session.read(reading.find, text, now_ms(), RECORDS_MAX, asking),
                lambda found: self._take(text, found),
                refused,
            )
            return
        wanted = [asked] if asked else [(each.kind, each.id) for each in self._opened.last()]

        def take(found: list[Shown]) -> None:
            if not self._closed and not text:
                self._opened.refresh(wanted, found)
            self._take(text, found)

        self._errands.read(
            lambda: self._session.read(_at, wanted, now_ms()),
            take,
            lambda problem: self._take(text, [], problem),
        )

    def _take(self, text: str, found: list[Shown], problem: KnownError | None = None) -> None:
        self._running = False
        if self._closed:
            return
        if text != self.text.strip():
            self._look()
            return
        self._found, self._problem, self._answered = found, problem, text
        self._show()

    def _show(self) -> None:
        text = self.text.strip()
        if not text:
            self.rows = beginning(self._opened.last(), self._now, self._uses)
        elif address.read(text) is not None:
            self.rows = tuple(record(each) for each in self._found) if self.settled else ()
        else:
            # Records found for the letters before stay until the next ones are here, so that nothing jumps.
            self.rows = offers(text, self._now, self._found, self._uses)
        self.note = self._say(text)
        self.tell()

    def _say(self, text: str) -> str:
        if not text or not self.settled:
            return ""
        if self._problem is not None:
            return sentences(self._problem.title, self._problem.hint)
        if any(offer.act is not Act.MAKE or not offer.text for offer in self.rows):
            return ""
        if address.read(text) is not None:
            return _("The record of this address is not on this device.")
        return _("Nothing matches “{text}”").format(text=text)


def _at(store: Reader, wanted: Sequence[Address], now: int) -> list[Shown]:
    """The records at these addresses as rows; those that are deleted or not here are left out."""
    titles = Titles(store)
    found = []
    for _kind, id_ in wanted:
        try:
            kept = records.get(store, id_)
        except NotFound:
            continue
        if not kept.deleted:
            found.append(reading.shown(kept, titles, now, with_kind=True))
    return found

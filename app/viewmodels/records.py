"""A list of any kind: first rows at once, all rowids behind them, rows on demand, steady while the store changes.

Selection and scroll hold on to rowids: a record stays itself while others come, go and move around it.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Final

from app.changes import SYNC, Changes
from app.services.session import Session
from app.store.filters import ALL, Filter
from app.store.lists import Where, filter_of
from app.viewmodels import loading, reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.loading import PATCHED_MAX, First, Load, Patch
from app.viewmodels.places import Places
from app.viewmodels.reading import RowText, Shown
from sync.protocol.errors import KnownError
from sync.protocol.kinds import Kind

PAGE: Final = 32  # rows fetched at once
KEPT: Final = 4096  # rows held; a million are never looked at together
REST_S: Final = 0.5  # between two readings of all for pages of the server: they come several a second
REST_TIMES: Final = (
    4  # and as many times as long as the last one took, so that most of the time stays for others
)
NEWS_LATE_S: Final = 2.0  # a record may have moved in the store before its news is here, never by so much


def now_ms() -> int:
    """UTC milliseconds by this machine's clock: good enough for "3 d"."""
    return time.time_ns() // 1_000_000


class RecordList(Watched):
    """The records of one kind, filtered and sorted. Watchers hear of new places; `on_rows` of rows that were fetched.

    `count`, `row` and `shown` never wait. A row that is not here yet is None and on its way. Only one errand for
    places is under way at a time, so the store's thread may read them while the screen does.
    """

    def __init__(
        self,
        session: Session,
        errands: Errands,
        kind: Kind,
        *,
        where: Where = ALL,
        order: str = "",
    ) -> None:
        super().__init__()
        self.kind = kind
        self.order = order
        self.filter: Filter = filter_of(kind, where)
        self.ready = False  # there is something to show, if only that nothing is found
        self.whole = False  # every place is known
        self.on_rows: Callable[[int, int], None] | None = None
        self._session = session
        self._errands = errands
        self._places = Places()
        self._total: int | None = None
        self._shown: dict[int, Shown] = {}
        self._asked: set[int] = set()
        self._looked_at = range(PAGE)
        self._seen: array[int] = array("q")
        self._busy = False
        self._stale = False  # all is to be read again
        self._other = True  # another list than the one that is shown
        self._news: dict[bytes, None] = {}
        self._texts_changed = False
        self._lately: dict[bytes, float] = {}
        self._hurry = True  # somebody waits for all to be read again; nobody does for what a server sends
        self._resting = False  # the reading under way is for such rows: after it, the next one may wait
        self._rests_until = 0.0
        self._rest: threading.Timer | None = None
        self._closed = False

    # -- what is shown

    def count(self) -> int:
        """How many rows there are; while places are being read, as many as there will be if that is known."""
        known = len(self._places)
        return known if self.whole else max(known, self._total or 0)

    def places(self) -> Places:
        """The places as they stand; to be read, not to be changed."""
        return self._places

    def row(self, at: int) -> RowText | None:
        """What the row says, or None while it is being fetched."""
        rowid = self.rowid(at)
        if rowid is None:
            return None
        found = self._shown.get(rowid)
        if found is None:
            self._fetch(at // PAGE)
            return None
        return found.text

    def shown(self, at: int) -> Shown | None:
        """Which record stands at a row; None while it is being fetched, and outside the list."""
        rowid = self.rowid(at)
        return None if rowid is None else self._shown.get(rowid)

    def rowid(self, at: int) -> int | None:
        """The rowid at a row: what stays the same while rows move."""
        return self._places[at] if 0 <= at < len(self._places) else None

    def at(self, rowid: int | None) -> int:
        """Where a rowid stands now; -1 when it is not in the list."""
        return self._places.at(rowid)

    def look(self, rows: range) -> None:
        """Tell which rows are on the screen: they are kept fresh, and fetched before others."""
        self._looked_at = rows
        self._seen = self._places.span(rows.start, rows.stop)
        for page in {rows.start // PAGE, max(rows.start, rows.stop - 1) // PAGE} if rows else ():
            if any(self._places[at] not in self._shown for at in self._page(page)):
                self._fetch(page)

    # -- news

    def load(self) -> None:
        """Read all of the list again; a reading under way is followed by one more."""
        self._stale = self._hurry = True
        self._go_on()

    def sort(self, order: str) -> None:
        """Sort by a field, "-" before it for the other way."""
        self.show(self.filter, order)

    def show(self, filter_: Filter, order: str) -> None:
        """Show another part of the kind, or another order; the rows before stay until there are new ones."""
        if (filter_, order) != (self.filter, self.order):
            self.filter, self.order = filter_, order
            self._other = True
            self.load()

    def heard(self, changes: Changes) -> None:
        """Take in news from the store."""
        if self._closed:
            return
        own = [id_ for kind, id_ in changes.records if kind == self.kind.name]
        self._news.update(dict.fromkeys(own))
        self._texts_changed |= any(self._tells_of(kind) for kind, _id in changes.records)
        if not changes.records or len(self._news) > PATCHED_MAX:
            self._stale = True
            self._hurry |= changes.origin != SYNC
        self._go_on()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._closed = True
        if self._rest is not None:
            self._rest.cancel()
        self._places = Places()
        self._total = None
        self._shown = {}
        self._news.clear()
        self._lately.clear()
        self.filter = ALL
        self.on_rows = None
        self._watchers.clear()

    # -- inside: one errand for places at a time

    def _tells_of(self, kind: str) -> bool:
        """A row shows titles of other kinds too, such as a deal's customer."""
        names = (*self.kind.subtitle, self.kind.side)
        types = (self.kind.by_name[name].type for name in names if name)
        return kind != self.kind.name and any(getattr(type_, "to", None) == kind for type_ in types)

    def _go_on(self) -> None:
        if self._busy or self._closed:
            return
        if self._stale and not self._hurry and (rest := self._rests_until - time.monotonic()) > 0:
            self._come_back(rest)
        elif self._stale:
            self._resting = not self._hurry
            self._stale = self._texts_changed = self._hurry = False
            self._news.clear()
            self._read()
        elif self._news or self._texts_changed:
            self._mend()

    def _come_back(self, seconds: float) -> None:
        """Go on after a rest."""
        if self._rest is None:

            def rested() -> None:
                self._rest = None
                self._go_on()

            self._rest = threading.Timer(seconds, lambda: self._errands.post(rested))
            self._rest.daemon = True
            self._rest.start()

    def _stopped(self, _problem: KnownError | None = None) -> None:
        self._busy = False
        self._go_on()

    def _read(self) -> None:
        self._busy = True
        asked = (self.kind, self.filter, self.order)
        if not self._other:
            self._step(Load(asked))
            return

        def take(found: First) -> None:
            if self._closed:
                return
            self._other = asked[1:] != (self.filter, self.order)
            if not self._other:
                self._places, self._total = found.places, found.total
                self._shown = dict(found.rows)
                self._asked.clear()
                self.whole = found.total == len(found.places)
                self.ready = self.whole or len(found.places) > 0
                self.tell()
            if self._other or self.whole:
                self._stopped()
            else:
                self._step(Load(asked))

        self._errands.read(lambda: self._session.read(loading.first, asked, now_ms()), take, self._stopped)

    def _step(self, load: Load, begun: float | None = None) -> None:
        if self._stale and self._other:
            self._stopped()  # another list is wanted meanwhile
            return
        looked_at, seen = self._looked_at, self._seen
        begun = time.monotonic() if begun is None else begun

        def take(at_end: bool) -> None:
            if self._closed:
                return
            if not at_end:
                self._step(load, begun)
                return
            if self._resting:
                now = time.monotonic()
                self._rests_until = now + max(REST_S, REST_TIMES * (now - begun))
            self._places, self._shown = load.places, dict(load.rows)
            self._total, self.whole, self.ready = len(load.places), True, True
            self._asked.clear()
            self._stopped()
            self.tell()

        self._errands.read(
            lambda: self._session.read(load.step, looked_at, seen, now_ms()), take, self._stopped
        )

    def _mend(self) -> None:
        """Put the records that were heard of into their places."""
        now = time.monotonic()
        own = {
            **dict.fromkeys(self._news),
            **{id_: None for id_, at in self._lately.items() if now - at < NEWS_LATE_S},
        }
        if len(own) > PATCHED_MAX:
            own = dict.fromkeys(self._news)
        self._lately = {
            **{id_: at for id_, at in self._lately.items() if id_ in own},
            **dict.fromkeys(self._news, now),
        }
        ids = list(own)
        anew = self._texts_changed
        self._news.clear()
        self._texts_changed = False
        self._busy = True
        asked = (self.kind, self.filter, self.order)
        places, seen = self._places, self._seen

        def take(found: Patch | None) -> None:
            if self._closed:
                return
            if found is None:
                self._stale = True
            else:
                places.change(found.gone, found.placed)
                self._total = len(places)
                self._shown = dict(found.rows) if anew else {**self._shown, **found.rows}
                self._asked.clear()
            self._stopped()
            if found is not None:
                self.tell()

        self._errands.read(
            lambda: self._session.read(loading.patch, asked, places, ids, seen, now_ms()), take, self._stopped
        )

    # -- inside: rows

    def _page(self, page: int) -> range:
        return range(page * PAGE, min(len(self._places), (page + 1) * PAGE))

    def _fetch(self, page: int) -> None:
        if page in self._asked or self._closed:
            return
        self._asked.add(page)
        places = self._page(page)
        rowids = self._places.span(places.start, places.stop)
        asked = self._asked

        def take(found: Mapping[int, Shown]) -> None:
            if len(self._shown) > KEPT:
                self._shown = {}
                self._asked = {page}
            self._shown.update(found)
            if self.on_rows is not None and places:
                self.on_rows(places.start, places.stop - 1)

        self._errands.read(
            lambda: self._session.read(reading.rows, self.kind, rowids, now_ms()),
            take,
            lambda _problem: asked.discard(page),
        )

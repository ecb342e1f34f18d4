"""A list of any kind: ids first, rows in pages around what is looked at, steady while the store changes below it."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping
from typing import Final

from app.changes import Changes
from app.services.session import Session
from app.store.store import Store
from app.viewmodels import reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.reading import RowText, Shown
from sync.protocol.kinds import Kind

PAGE: Final = 64  # rows fetched at once
KEPT: Final = 4096  # rows held; a million are never looked at together


def now_ms() -> int:
    """UTC milliseconds by this machine's clock: good enough for "3 d"."""
    return time.time_ns() // 1_000_000


class RecordList(Watched):
    """The records of one kind, filtered and sorted. Watchers hear of new ids; `on_rows` of rows that were fetched.

    `count`, `row` and `id_at` never wait. A row that is not here yet is None and on its way.
    """

    def __init__(
        self,
        session: Session,
        errands: Errands,
        kind: Kind,
        *,
        where: Mapping[str, str] | None = None,
        order: str = "",
    ) -> None:
        super().__init__()
        self.kind = kind
        self.order = order
        self.ready = False
        self.on_rows: Callable[[int, int], None] | None = None
        self._session = session
        self._errands = errands
        self._where = dict(where or {})
        self._ids: array[int] = array("q")
        self._shown: dict[int, Shown] = {}
        self._asked: set[int] = set()
        self._looked_at = range(PAGE)
        self._running = False
        self._again = False
        self._closed = False

    # -- what is shown

    def count(self) -> int:
        """How many rows there are."""
        return len(self._ids)

    def row(self, at: int) -> RowText | None:
        """What the row says, or None while it is being fetched."""
        found = self._shown.get(self._ids[at])
        if found is None:
            self._fetch(at // PAGE)
            return None
        return found.text

    def shown(self, at: int) -> Shown | None:
        """Which record stands at a row; None while it is being fetched, and outside the list."""
        return self._shown.get(self._ids[at]) if 0 <= at < len(self._ids) else None

    def rowid(self, at: int) -> int | None:
        """The rowid at a row: what stays the same while rows move."""
        return self._ids[at] if 0 <= at < len(self._ids) else None

    def at(self, rowid: int | None) -> int:
        """Where a rowid stands now; -1 when it is not in the list."""
        if rowid is None:
            return -1
        try:
            return self._ids.index(rowid)
        except ValueError:
            return -1

    def look(self, rows: range) -> None:
        """Tell which rows are on the screen: they are kept fresh, and fetched before others."""
        self._looked_at = rows
        for page in {rows.start // PAGE, max(rows.start, rows.stop - 1) // PAGE} if rows else ():
            if any(self._ids[at] not in self._shown for at in self._page(page)):
                self._fetch(page)

    # -- news

    def load(self) -> None:
        """Read ids, and the rows that are looked at, again; a load under way is followed by one more."""
        if self._running:
            self._again = True
            return
        self._running = True
        looked_at, order = self._looked_at, self.order
        # The first picture needs the rows in view at once: they come with the ids, in one go.
        self._errands.run(
            lambda: self._session.call(_load, self.kind, self._where, order, looked_at, now_ms()),
            self._loaded,
            lambda _problem: self._stopped(),
        )

    def sort(self, order: str) -> None:
        """Sort by a field, "-" before it for the other way."""
        if order != self.order:
            self.order = order
            self.load()

    def heard(self, changes: Changes) -> None:
        """Take in news from the store."""
        touched = not changes.records or any(self._concerns(kind) for kind, _id in changes.records)
        if touched and not self._closed:
            self.load()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._closed = True
        self._ids = array("q")
        self._shown = {}
        self.on_rows = None
        self._watchers.clear()

    # -- inside

    def _concerns(self, kind: str) -> bool:
        """A row shows titles of other kinds too, such as a deal's customer."""
        if kind == self.kind.name:
            return True
        names = (*self.kind.subtitle, self.kind.side)
        types = (self.kind.by_name[name].type for name in names if name)
        return any(getattr(type_, "to", None) == kind for type_ in types)

    def _loaded(self, found: tuple[array[int], dict[int, Shown]]) -> None:
        if self._closed:
            return
        self._ids, self._shown = found
        self._asked.clear()
        self.ready = True
        self._stopped()
        self.tell()

    def _stopped(self) -> None:
        self._running = False
        if self._again and not self._closed:
            self._again = False
            self.load()

    def _page(self, page: int) -> range:
        return range(page * PAGE, min(len(self._ids), (page + 1) * PAGE))

    def _fetch(self, page: int) -> None:
        if page in self._asked or self._closed:
            return
        self._asked.add(page)
        places = self._page(page)
        rowids = [self._ids[at] for at in places]
        wanted_from = self._ids

        def take(found: dict[int, Shown]) -> None:
            if wanted_from is not self._ids:
                return  # the list has moved on; whoever looks asks anew
            if len(self._shown) > KEPT:
                self._shown = {}
                self._asked = {page}
            self._shown.update(found)
            if self.on_rows is not None and places:
                self.on_rows(places.start, places.stop - 1)

        self._errands.run(
            lambda: self._session.call(reading.rows, self.kind, rowids, now_ms()),
            take,
            lambda _problem: self._asked.discard(page),
        )


def _load(
    store: Store, kind: Kind, where: Mapping[str, str], order: str, looked_at: range, now: int
) -> tuple[array[int], dict[int, Shown]]:
    ids = reading.ids(store, kind, where, order)
    first = looked_at.start // PAGE * PAGE
    window = ids[first : max(looked_at.stop, first + PAGE)]
    return ids, reading.rows(store, kind, window, now)


class FoundList(Watched):
    """What a search finds over all kinds, as a list; the last letters typed win over those before."""

    def __init__(self, session: Session, errands: Errands) -> None:
        super().__init__()
        self.text = ""
        self.ready = False
        self.on_rows: Callable[[int, int], None] | None = None
        self._session = session
        self._errands = errands
        self._found: list[Shown] = []
        self._running = False
        self._again = False

    def count(self) -> int:
        """How many rows there are."""
        return len(self._found)

    def row(self, at: int) -> RowText | None:
        """What the row says."""
        return self._found[at].text

    def shown(self, at: int) -> Shown | None:
        """Which record stands at a row."""
        return self._found[at] if 0 <= at < len(self._found) else None

    def rowid(self, at: int) -> int | None:
        """A number that stands for the record at a row, as in other lists."""
        return hash(self._found[at].id) if 0 <= at < len(self._found) else None

    def at(self, rowid: int | None) -> int:
        """Where such a number stands now; -1 when it is not there."""
        return next((at for at, each in enumerate(self._found) if hash(each.id) == rowid), -1)

    def look(self, rows: range) -> None:
        """All rows are here already."""

    def find(self, text: str) -> None:
        """Search for this; an empty text finds nothing."""
        self.text = text
        self.load()

    def load(self) -> None:
        """Search again for what stands in the field."""
        if self._running:
            self._again = True
            return
        text = self.text.strip()
        if not text:
            self._take("", [])
            return
        self._running = True
        self._errands.run(
            lambda: self._session.call(reading.find, text, now_ms()),
            lambda found: self._take(text, found),
            lambda _problem: self._take(text, []),
        )

    def heard(self, changes: Changes) -> None:
        """Take in news from the store."""
        if self.text.strip():
            self.load()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._found = []
        self.text = ""
        self.on_rows = None
        self._watchers.clear()

    def _take(self, text: str, found: list[Shown]) -> None:
        self._running = False
        if self._again:
            self._again = False
            self.load()
            return
        self._found = found if text == self.text.strip() else []
        self.ready = True
        self.tell()

"""The list of the section that is shown, with what is selected in it; filter and order stay with each section.

They are kept as long as the desk is: a lock forgets them, for a filter may hold a name.
"""

from __future__ import annotations

from collections.abc import Callable

from app.services.session import Session
from app.store.filters import ALL, Filter
from app.viewmodels import reading
from app.viewmodels.base import Errands
from app.viewmodels.records import RecordList
from app.viewmodels.selection import Picked
from sync.protocol.kinds import KINDS


class Sections:
    """One list at a time. `told` hears of its rows, `picked` of its selection."""

    def __init__(
        self,
        session: Session,
        errands: Errands,
        told: Callable[[], None],
        picked: Callable[[], None],
        section: str,
    ) -> None:
        self.names: dict[bytes, str] = {}  # titles of records that a filter names
        self._session = session
        self._errands = errands
        self._told = told
        self._told_picked = picked
        self._kept: dict[str, tuple[Filter, str]] = {}
        self._make(section)

    def open(self, section: str) -> None:
        """Show the list of another kind, as it was left."""
        if self.rows.kind.name != section:
            self._kept[self.rows.kind.name] = (self.rows.filter, self.rows.order)
            self.rows.close()
            self._make(section)
            self.rows.load()

    def show(self, filter_: Filter, order: str) -> None:
        """Narrow the list to a filter and sort it; another filter ends the selection."""
        if filter_ != self.rows.filter:
            self.picked.clear()
        self.rows.show(filter_, order)

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._kept.clear()
        self.names.clear()
        self.rows.close()

    def _make(self, section: str) -> None:
        kind = KINDS[section]
        filter_, order = self._kept.get(section, (ALL, reading.orders(kind)[0]))
        self.rows = RecordList(self._session, self._errands, kind, where=filter_, order=order)
        self.picked = Picked(self.rows, self._errands)
        self.rows.watch(self.picked.settle)
        self.rows.watch(self._told)
        self.picked.watch(self._told_picked)

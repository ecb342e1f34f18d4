"""Chosen records as a CSV file, written piece by piece in bounded memory: cells as in an export of a whole kind."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from app.errors import unwritten
from app.paths import Profile
from app.services.exchange.export import headings, row_of, without_hidden
from app.services.exchange.relate import Index
from app.services.unfinished import Unfinished
from app.store import lists
from app.store.filters import Asks, Condition, Filter
from app.store.schema import NUMBER
from app.store.store import Store
from sync.protocol.fields import Ref
from sync.protocol.kinds import KINDS, Kind

_SAME_MAX = 50  # records of one name; more are told apart by id anyway


class SelectedFile:
    """A file in the making, beside its place until `finish` puts it there; readable by its person alone."""

    def __init__(self, profile: Profile, kind: Kind, path: Path, hidden: Collection[str] = ()) -> None:
        """Begin the file, without fields that are hidden. Raises AppError when it cannot be written, NoSpace."""
        self._kind = kind
        self._fields = without_hidden(kind, hidden)
        try:
            self._making = Unfinished(profile, path)
        except OSError as error:
            raise unwritten(error) from error
        self._file = os.fdopen(self._making.handle, "w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        with self._told():
            self._writer.writerow(headings(kind, self._fields))

    def write(self, store: Store, rowids: Sequence[int]) -> int:
        """Add records in the order of these rowids; how many are still there. Raises AppError, NoSpace."""
        found = [record for record in lists.by_rowids(store, self._kind, rowids) if not record.deleted]
        indexes = {
            field.type.to: _index(store, KINDS[field.type.to], [r.values.get(field.name) for r in found])
            for field in self._fields
            if isinstance(field.type, Ref)
        }
        row = row_of(self._fields, indexes)
        with self._told():
            self._writer.writerows(row(record.id, record.values) for record in found)
        return len(found)

    def finish(self) -> None:
        """Put the file in its place. Raises AppError, NoSpace; then there is none."""
        with self._told():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._making.put_in_place()

    def leave(self) -> None:
        """Leave nothing of it; a second call does nothing."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._making.leave()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.leave()
            raise unwritten(error) from error


def _index(store: Store, kind: Kind, ids: Sequence[bytes | None]) -> Index:
    """The records referred to, and all others that their titles could mean as well."""
    index = Index()
    known: set[bytes] = set()
    for title in {lists.title_of(store, id_) for id_ in set(ids) if id_ is not None} - {None, ""}:
        where = Filter((Condition(kind.title, Asks.IS, (title,)),))
        for record in lists.page(store, kind, where=where, limit=_SAME_MAX).records:
            if record.id not in known:
                known.add(record.id)
                index.add(record.id, record.title, record.values.get(NUMBER))
    return index

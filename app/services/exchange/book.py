"""The store as import and export see it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.services.exchange.ports import Batch, Book
from app.store import lists, records
from app.store.store import Store
from sync.protocol.fields import Value
from sync.protocol.kinds import Kind

PAGE = 500  # records read at a time


def book_of(store: Store) -> Book:
    """The book of an open store; to be used in the store's thread."""
    return _StoreBook(store)


class _StoreBatch:
    def __init__(self, batch: records.Batch) -> None:
        self._batch = batch

    def add(self, kind: Kind, values: Mapping[str, Value], record_id: bytes, /) -> None:
        self._batch.add(kind, values, id=record_id)

    def edit(self, record_id: bytes, values: Mapping[str, Value], /) -> None:
        self._batch.edit(record_id, values)


class _StoreBook:
    def __init__(self, store: Store) -> None:
        self._store = store

    def titles(self, kind: Kind, /) -> Iterable[tuple[bytes, str, str | None]]:
        return lists.titles(self._store, kind)

    def get(self, record_id: bytes, /) -> Mapping[str, Value]:
        return records.get(self._store, record_id).values

    def records(self, kind: Kind, /) -> Iterable[tuple[bytes, Mapping[str, Value]]]:
        after: tuple[Any, int] | None = None
        while True:
            page = lists.page(self._store, kind, after=after, limit=PAGE)
            yield from ((record.id, record.values) for record in page.records)
            if page.next is None:
                return
            after = page.next

    @contextlib.contextmanager
    def batch(self) -> Iterator[Batch]:
        with records.batch(self._store) as batch:
            yield _StoreBatch(batch)

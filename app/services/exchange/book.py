"""The store as import and export see it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from app.services.exchange.ports import Batch, Book, Catalogue, Named
from app.store import lists, narrowing, records, rows, sight, space
from app.store.reader import Reader
from app.store.schema import Stored
from app.store.store import Store
from app.store.words import fold_key
from sync.protocol.fields import Value
from sync.protocol.kinds import Kind

PAGE: Final = 500  # records read at a time

T = TypeVar("T")


class Desk(Protocol):
    """Who lets others ask the store: `call` goes to the thread that writes, `read` beside it."""

    def call(self, work: Callable[[Store], T], /) -> T:
        """`work` on the store that writes."""

    def read(self, work: Callable[[Reader], T], /) -> T:
        """`work` on a reader of it."""


def book_of(store: Store) -> Book:
    """The book of an open store; to be used in the store's thread."""
    return _StoreBook(store)


def catalogue_of(desk: Desk) -> Catalogue:
    """The book as a plan sees it, asked in short questions: whoever saves or reads meanwhile does not wait for it."""
    return _Catalogue(desk)


class _Here:
    """One thread has it all."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def call(self, work: Callable[[Store], T], /) -> T:
        return work(self._store)

    def read(self, work: Callable[[Reader], T], /) -> T:
        return work(self._store)


class _Catalogue:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def titles(self, kind: Kind, /) -> Iterator[Named]:
        first, last = 1, 1
        while first <= last:
            found, last = self._desk.read(partial(_stretch, kind=kind, first=first))
            yield from found
            first += narrowing.SPAN

    def titled(self, kind: Kind, titles: Collection[str], /) -> Iterator[Named]:
        # In the order of the index: each page of it is read once.
        keys = sorted({fold_key(title) for title in titles})
        for some in _pieces(keys):
            yield from self._desk.read(partial(lists.titled, kind=kind, keys=some))

    def numbered(self, kind: Kind, numbers: Collection[str], /) -> Iterator[Named]:
        for some in _pieces(sorted(numbers)):
            yield from self._desk.read(partial(lists.numbered, kind=kind, numbers=some))

    def named(self, kind: Kind, ids: Collection[bytes], /) -> Iterator[Named]:
        for some in _pieces(sorted(ids)):
            yield from self._desk.read(partial(lists.named, kind=kind, ids_=some))

    def values(self, kind: Kind, ids: Collection[bytes], /) -> Mapping[bytes, Mapping[str, Value]]:
        found: dict[bytes, Mapping[str, Value]] = {}
        for some in _pieces(sorted(ids)):
            there = self._desk.read(partial(_fetch, kind=kind, ids=some))
            found.update((id_, stored.values) for id_, stored in there.items() if not stored.deleted)
        return found

    def hidden(self, kind: Kind, /) -> frozenset[str]:
        return self._desk.read(partial(sight.hidden, kind=kind))

    def turn(self, kind: Kind, /) -> int:
        return self._desk.call(lambda store: store.shapes[kind.name].turns)


class _StoreBatch:
    def __init__(self, batch: records.Batch) -> None:
        self._batch = batch

    def add(self, kind: Kind, values: Mapping[str, Value], record_id: bytes, /) -> None:
        self._batch.add(kind, values, id=record_id)

    def edit(self, record_id: bytes, values: Mapping[str, Value], /) -> None:
        self._batch.edit(record_id, values)


class _StoreBook(_Catalogue):
    def __init__(self, store: Store) -> None:
        super().__init__(_Here(store))
        self._store = store

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
    def batch(self, rows: int, /) -> Iterator[Batch]:
        space.needed(self._store.db.folder, rows * space.ROW)
        shapes = self._store.shapes.values()
        turns = [shape.turns for shape in shapes]
        try:
            with records.batch(self._store) as batch:
                yield _StoreBatch(batch)
        except BaseException:
            # Nothing of it stays, so a plan from before it still holds.
            for shape, turn in zip(shapes, turns, strict=True):
                shape.turns = turn
            raise


def _stretch(store: Reader, kind: Kind, first: int) -> tuple[list[Named], int]:
    """Some records by what names them, from a rowid on, and the last rowid that there is."""
    last = narrowing.last_rowid(store, store.shapes[kind.name])
    return lists.titles_between(store, kind, first, first + narrowing.SPAN - 1), last


def _fetch(store: Reader, kind: Kind, ids: list[bytes]) -> dict[bytes, Stored]:
    return rows.fetch(store.db, store.shapes[kind.name], ids)


def _pieces(wanted: list[T]) -> Iterator[list[T]]:
    for at in range(0, len(wanted), PAGE):
        yield wanted[at : at + PAGE]

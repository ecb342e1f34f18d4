"""A server's store that is two: whatever is asked of one is asked of the other too, and must be answered alike."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sync.server.db.base import Heard, Transaction
from sync.server.db.moving import MovableStore
from sync.server.db.sql import plain


class Twin:
    """Two stores that hold the same at the beginning. What differs, call by call, is told in `faults`."""

    def __init__(self, one: MovableStore, other: MovableStore) -> None:
        self._stores = (one, other)
        self.heard: Heard = lambda news: None
        self.faults: list[str] = []

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction on both."""
        one, other = self._stores
        with one.read() as first, other.read() as second:
            yield _Pair(first, second, self.faults)

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """A write transaction on both; what raises is undone on both."""
        one, other = self._stores
        with one.write() as first, other.write() as second:
            yield _Pair(first, second, self.faults)
        if first.news != dataclasses.replace(second.news, by=first.news.by):
            self.faults.append(f"news: {first.news!r} and {second.news!r}")
        if first.news:
            self.heard(first.news)

    def room(self) -> int:
        """Bytes that are free for both."""
        return min(store.room() for store in self._stores)

    def close(self) -> None:
        """Close both, once what they hold has been compared."""
        held = [_everything(store) for store in self._stores]
        self.faults += [f"{table} differs" for table in held[0] if held[0][table] != held[1].get(table)]
        for store in self._stores:
            store.close()


def _everything(store: MovableStore) -> dict[str, Counter[tuple[Any, ...]]]:
    """All rows of all tables; `rowid` says only in which order rows came, and has gaps where something was undone."""
    with store.telling() as whole:
        return {
            table: Counter(
                tuple(map(plain, row)) for row in whole.rows(table, sorted({*columns} - {"rowid", "n"}))
            )
            for table, columns in whole.tables().items()
        }


class _Pair:
    """A transaction on both."""

    def __init__(self, one: Transaction, other: Transaction, faults: list[str]) -> None:
        self.epoch = one.epoch
        self.news = one.news
        if one.epoch != other.epoch:
            faults.append("epoch")
        self.people: Any = _Both(one.people, other.people, faults)
        self.records: Any = _Both(one.records, other.records, faults)
        self.post: Any = _Both(one.post, other.post, faults)
        self.blobs: Any = _Both(one.blobs, other.blobs, faults)
        self.histories: Any = _Both(one.histories, other.histories, faults)
        self.consoles: Any = _Both(one.consoles, other.consoles, faults)


class _Both:
    """A book in both."""

    def __init__(self, one: Any, other: Any, faults: list[str]) -> None:
        self._books = (one, other)
        self._faults = faults

    def __getattr__(self, name: str) -> Callable[..., Any]:
        one, other = (getattr(book, name) for book in self._books)

        def asked(*words: Any, **named: Any) -> Any:
            first, second = one(*words, **named), other(*words, **named)
            if isinstance(first, Iterator):
                return self._alike(name, first, second)
            if first != second:
                self._faults.append(f"{name}: {first!r} and {second!r}")
            return first

        return asked

    def _alike(self, name: str, one: Iterator[Any], other: Iterator[Any]) -> Iterator[Any]:
        for first in one:
            second = next(other, None)
            if first != second:
                self._faults.append(f"{name}: {first!r} and {second!r}")
            yield first
        if next(other, None) is not None:
            self._faults.append(f"{name}: one ends before the other")

"""An empty book, and files made on the spot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.plan import prepare
from app.services.exchange.ports import Book
from app.services.exchange.report import Report
from sync.protocol.kinds import Kind
from tests.services.exchange.twin import TwinBook
from tests.store.device import Device

TODAY = dt.date(2026, 11, 22)
Made = Callable[[str, str], Path]


def bring(book: Book, *paths: Path, kind: Kind | None = None) -> Report:
    """Prepare and apply."""
    return apply(prepare(paths, book, kind=kind, today=TODAY), book)


@pytest.fixture
def book() -> TwinBook:
    """An empty book in memory."""
    return TwinBook()


@pytest.fixture
def store_book(tmp_path: Path) -> Iterator[Book]:
    """The book of a new, real, encrypted store."""
    folder = tmp_path / "profile"
    folder.mkdir()
    device = Device(folder)
    yield book_of(device.create())
    device.close()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Writes a file of that name and text, as UTF-8."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return make

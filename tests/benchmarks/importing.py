"""A file of 100,000 customers imported into the million, against a plain tuned load of the same rows.

Ours reads, understands and checks the file, looks for records that are here already, makes an op of every row,
seals all of them and writes rows, search words and outbox. The twin reads the file and writes rows, search words
and an outbox entry per row into the plain file: one transaction, large cache, no checkpoint, large hash of the index.
"""

from __future__ import annotations

import csv
import datetime as dt
import gc
import os
import resource
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from app.services.bulk.__main__ import HELD_KIB
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.plan import prepare
from app.store.schema import Stored
from app.store.store import Store
from sync.protocol.ids import new_record_id
from tests.benchmarks import book, names
from tests.benchmarks.measure import Act, Aim
from tests.benchmarks.million import Ground
from tests.benchmarks.plain import PlainDatabase

ROWS: Final = 100_000
HEADINGS: Final = (
    "Customer name", "Type", "Industry", "Phone", "E-mail", "Street", "Postcode", "City", "Country", "Owner",
    "Territory", "Employees", "Customer number", "Notes",
)  # fmt: skip


def measure(ground: Ground) -> list[Act]:
    """One import each, into a copy of the store and of the twin."""
    count = min(ROWS, max(100, ground.size // 10))
    with ground.copy() as copy:
        file = copy.folder / "customers.csv"
        write_file(file, count)
        gc.disable()  # as in the bulk process; for both of them
        try:
            with copy.twin() as twin:
                plain = _plain(twin, file, count)
            with copy.store() as store:
                planned, applied = _ours(store, file, count)
        finally:
            gc.enable()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = f"import {count:,} rows into {ground.size:,}"
    return [
        Act(name, planned + applied, plain, Aim(ratio=1.25), unit="s", note=f"peak {rss:,.0f} MB"),
        Act(f"{name}: reading and deciding", planned, None, unit="s"),
        Act(f"{name}: writing", applied, plain, unit="s"),
    ]


def write_file(file: Path, count: int) -> None:
    """The file as another program would export it."""
    dice = names.Dice(99)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        for number in range(count):
            values = book.customer(dice, names.tongue(dice), 5_000_000 + number)
            place = values["address"]
            writer.writerow(
                (
                    values["name"], values["type"], values["industry"], values["phones"][0]["value"],
                    values["emails"][0]["value"], place["street"], place["postcode"], place["city"],
                    place["country"], values["owner"], values["territory"], values.get("employees", ""),
                    values["number"], values["notes"],
                )
            )  # fmt: skip


def _ours(store: Store, file: Path, count: int) -> tuple[float, float]:
    """Seconds of the plan, and of writing it, with as much of the store in memory as the bulk process has."""
    store.db.hold(HELD_KIB)
    before = store.counts()["customer"]
    began = time.perf_counter()
    plan = prepare([file], book_of(store), today=dt.date(2026, 7, 1), currency="EUR")
    decided = time.perf_counter()
    apply(plan, book_of(store))
    done = time.perf_counter()
    assert store.counts()["customer"] - before == len(plan.steps) > 0.9 * count
    return decided - began, done - decided


def _plain(twin: Store, file: Path, count: int) -> float:
    """Seconds of the tuned plain load."""
    db = twin.db
    assert isinstance(db, PlainDatabase)
    conn = db.connection
    conn.execute("PRAGMA cache_size = -524288")
    conn.execute("PRAGMA wal_autocheckpoint = 200000")
    shape = twin.shapes["customer"]
    index = shape.index
    conn.execute(f'INSERT INTO "{index}" ("{index}", rank) VALUES (\'hashsize\', 67108864)')
    began = time.perf_counter()
    conn.execute("BEGIN IMMEDIATE")
    rowid = conn.execute("SELECT max(_rowid) FROM record_customer").fetchone()[0]
    rows: list[list[Any]] = []
    words: list[tuple[int, str]] = []
    ops: list[tuple[Any, ...]] = []
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        next(reader)
        for at, line in enumerate(reader, 1):
            stored = Stored(bytes(new_record_id()), waiting=1, values=_values(line))
            rows.append([rowid + at, *shape.row(stored)])
            words.append((rowid + at, shape.words(stored.values)))
            op = msgspec.msgpack.encode(stored.values)
            ops.append((at, at, "customer", stored.id, len(op), op))
    conn.executemany(shape.insert, rows)
    conn.executemany(f'INSERT INTO "{index}" (rowid, t) VALUES (?, ?)', words)
    conn.executemany("INSERT INTO outbox (n, first, kind, id, size, op) VALUES (?, ?, ?, ?, ?, ?)", ops)
    conn.execute("UPDATE counts SET kept = kept + ? WHERE kind = 'customer'", (count,))
    conn.execute("COMMIT")
    return time.perf_counter() - began


def _values(line: list[str]) -> dict[str, Any]:
    """A line as values, taken as it stands."""
    (
        name,
        type_,
        industry,
        phone,
        email,
        street,
        postcode,
        city,
        country,
        owner,
        territory,
        staff,
        number,
        note,
    ) = line
    values: dict[str, Any] = {
        "name": name, "type": type_, "industry": industry,
        "phones": [{"id": os.urandom(8).hex(), "label": "work", "value": phone}],
        "emails": [{"id": os.urandom(8).hex(), "label": "work", "value": email}],
        "address": {"street": street, "postcode": postcode, "city": city, "country": country},
        "owner": owner, "territory": territory, "number": number, "notes": note,
    }  # fmt: skip
    if staff:
        values["employees"] = int(staff)
    return values

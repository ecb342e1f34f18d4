"""The ground on which everything is measured: an enrolled laptop whose store holds the generated book, and its twin.

Both are made once and kept in build/bench, under a name that changes with seed, size, generator and schema.
`FIELDKEEP_BENCH_SIZE` is the number of customers and of deals, 1,000,000 when it is not set.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import itertools
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.errors import AppError
from app.keys import vault
from app.keys.ring import SystemKeyring
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.card import read_card
from app.services.opening import open_session
from app.store import merging, rows, words
from app.store.schema import Stored
from app.store.store import Store
from sync.protocol import sealing
from sync.protocol.ids import new_device_id, new_incarnation
from sync.protocol.kinds import KINDS
from tests.benchmarks import book, names
from tests.benchmarks.plain import ROOT, open_plain
from tests.benchmarks.recorder import Recorder, replay
from tests.ui.organisation import organisation

FOLDER: Final = ROOT / "build" / "bench"
SIZE: Final = "FIELDKEEP_BENCH_SIZE"
CHUNK: Final = 50_000  # rows in one transaction while the ground is made
KEPT_DAYS: Final = 10  # an enrolled laptop locks itself after three weeks without its server


@dataclass(frozen=True)
class Ground:
    """The laptop's profile, the plain file beside it, and what opens the store without the keyring."""

    folder: Path
    size: int
    key: bytes
    recovery: bytes

    @property
    def profile(self) -> Profile:
        """The enrolled laptop. Nothing measured may change it: see `copy`."""
        return Profile(self.folder / "laptop")

    @property
    def plain(self) -> Path:
        """The twin's file."""
        return self.folder / "plain.db"

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """The laptop's store, for reading."""
        with _closing(Store.open(self.profile, SecretBytes(self.key), recovery=self.recovery)) as store:
            yield store

    @contextlib.contextmanager
    def twin(self) -> Iterator[Store]:
        """The same store in the plain file, for reading."""
        with _closing(open_plain(self.plain, recovery=self.recovery)) as store:
            yield store

    @contextlib.contextmanager
    def copy(self, *, laptop: bool = True, plain: bool = True) -> Iterator[Ground]:
        """A ground of its own that may be written to, gone at the end."""
        with tempfile.TemporaryDirectory(dir=FOLDER if FOLDER.is_dir() else None) as name:
            folder = Path(name)
            if laptop:
                shutil.copytree(self.profile.folder, folder / "laptop")
            if plain:
                shutil.copy(self.plain, folder)
                shutil.copy(self.plain.with_suffix(".seal"), folder)
            yield Ground(folder, self.size, self.key, self.recovery)


def size() -> int:
    """How many customers, and as many deals."""
    return int(os.environ.get(SIZE, "1_000_000"))


def ground(count: int | None = None, folder: Path = FOLDER) -> Ground:
    """The ground of that size; made when it is not there, too old, or of another schema."""
    count = size() if count is None else count
    place = folder / f"book-{count}-{_digest(count)}"
    facts = place / "facts.json"
    fresh = facts.is_file() and time.time() - facts.stat().st_mtime < KEPT_DAYS * 86_400
    if fresh:
        with contextlib.suppress(AppError):  # a keyring that has lost the key: it is made anew, which is said
            return _opened(place, count)
        _say(f"the keyring does not know {place.name} any more")
    for old in folder.glob(f"book-{count}-*"):
        shutil.rmtree(old)
    _make(place, count)
    return _opened(place, count)


def _opened(place: Path, count: int) -> Ground:
    facts = json.loads((place / "facts.json").read_text())
    profile = Profile(place / "laptop")
    card = read_card(profile)
    with vault.open_key(profile, SystemKeyring(card.org, card.device)) as key:
        return Ground(place, count, bytes(key.view), bytes.fromhex(facts["recovery"]))


def _make(place: Path, count: int) -> None:
    """Enrol a laptop, fill its store, and the twin by the very same statements."""
    _say(f"making {count:,} customers and {count:,} deals, twice: some minutes")
    began = time.monotonic()
    place.mkdir(parents=True)
    with organisation(place / "organisation", "Bench Ltd") as org:
        email = org.person("rep00")
        made = org.laptop("laptop", email)
    shutil.move(made.folder, place / "laptop")
    profile = Profile(place / "laptop")
    with open_session(profile) as session:
        recovery = session.papers.held.root.recovery
        session.call(fill, place / "plain.db", recovery, count)
    facts = {"recovery": recovery.hex(), "seconds": round(time.monotonic() - began)}
    (place / "facts.json").write_text(json.dumps(facts))
    _say(f"made in {facts['seconds']} s")


def fill(store: Store, plain: Path, recovery: bytes, count: int) -> None:
    """The whole book into the store and its twin; to be used in the store's thread."""
    with _closing(open_plain(plain, recovery=recovery)) as twin:
        _fill(store, twin, count)


def _fill(store: Store, twin: Store, count: int) -> None:
    here = store.here()
    with twin.db.write() as db:
        db.execute(
            "INSERT INTO here (one, device, incarnation, person, next_n, hlc, acked_n, durable_seq, cursor,"
            " sealed) SELECT 1, ?, ?, ?, 1, 0, 0, 0, ?, 0",
            (here.device, here.incarnation, here.person, b"\x80"),
        )
    indexes = [_hurry(each) for each in (store, twin)]
    dice = names.Dice(book.SEED)
    products = book.products(dice)
    _lay(store, twin, "product", products)
    customer_ids: list[bytes] = []
    _lay(store, twin, "customer", _noting(book.customers(dice, count), customer_ids))
    _lay(store, twin, "deal", book.deals(dice, count, customer_ids, [each.id for each in products]))
    for each in (store, twin):  # as upkeep leaves it once nobody writes
        while merging.step(each):
            pass
    for each, dropped in zip((store, twin), indexes, strict=True):
        for sql in dropped:
            each.db._conn.execute(sql)
        each.db.checkpoint()


def _hurry(store: Store) -> list[str]:
    """Nothing is lost when this is cut short, so nothing waits for the disk; the statements of dropped indexes."""
    conn = store.db._conn
    conn.set_authorizer(None)
    for pragma in ("synchronous = OFF", "cache_size = -524288", "wal_autocheckpoint = 100000"):
        conn.execute(f"PRAGMA {pragma}")
    found = conn.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'record%' AND sql IS NOT NULL"
    ).fetchall()
    for name, _sql in found:
        conn.execute(f'DROP INDEX "{name}"')
    return [sql for _name, sql in found]


def _lay(store: Store, twin: Store, kind: str, stored: Iterable[Stored]) -> None:
    source = iter(stored)
    recorder = Recorder(store.db)
    while some := list(itertools.islice(source, CHUNK)):
        recorder.statements.clear()
        with store.db.write() as db:
            rows.write(db, store.shapes[kind], [(None, one) for one in some])
        replay(twin.db, recorder.statements)
    recorder.let_go()


def _noting(stored: Iterable[Stored], ids: list[bytes]) -> Iterator[Stored]:
    for each in stored:
        ids.append(each.id)
        yield each


def _digest(count: int) -> str:
    """Changes with everything that the two files are made of."""
    with tempfile.TemporaryDirectory() as name:
        profile = Profile(Path(name))
        recovery = sealing.public_bytes(X25519PrivateKey.generate())
        made = Store.create(
            profile, SecretBytes.random(32), device=new_device_id(), incarnation=new_incarnation(),
            recovery=recovery, person="rep00@demo.example",
        )  # fmt: skip
        with _closing(made) as store:
            schema = store.db.all("SELECT name, sql FROM sqlite_master ORDER BY name")
    sources = [inspect.getsource(module) for module in (book, names)]
    found = words.searched(KINDS["customer"])
    texts = [words.text_of(found, each.values) for each in book.customers(names.Dice(1), 500)]
    tokens = [sorted(text.split()) for text in texts]  # the index keeps no order
    return hashlib.sha256(repr((count, schema, sources, tokens)).encode()).hexdigest()[:12]


@contextlib.contextmanager
def _closing(store: Store) -> Iterator[Store]:
    try:
        yield store
    finally:
        store.close()


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()

"""Real sets: 280,000 Chinese company names searched and imported, and the same rows in eight character sets.

`FIELDKEEP_REAL_DATA` names the folder of real files; where it is absent that is said loudly.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.plan import prepare
from app.services.exchange.read import read
from app.store import rows, search
from app.store.schema import Stored
from app.store.store import Store
from app.viewmodels.reading import FOUND_MAX
from sync.protocol import sealing
from sync.protocol.ids import new_device_id, new_incarnation
from sync.protocol.kinds import KINDS
from tests.benchmarks import book, names
from tests.benchmarks.measure import Act, Aim, at, say, timed
from tests.benchmarks.million import CHUNK, Ground
from tests.benchmarks.plain import ROOT

REAL_DATA: Final = "FIELDKEEP_REAL_DATA"
QUERIES: Final = ("中", "科技", "大众", "华为", "上海", "北京电子", "银行", "龘")
TODAY: Final = dt.date(2026, 7, 1)
_SCAN: Final = "SELECT _rowid FROM record_customer WHERE name LIKE ? ORDER BY _key LIMIT 200"


def measure(ground: Ground) -> list[Act]:
    """Nothing when there is no real data, which is said."""
    folder = real_data()
    if folder is None:
        say(
            f"!!! REAL DATA ABSENT: set {REAL_DATA} to the folder of real files; nothing of this group was measured"
        )
        return []
    return [*_names(folder), *_encodings(folder)]


def real_data() -> Path | None:
    """The folder of real files. Raises FileNotFoundError when one is named and not there."""
    named = os.environ.get(REAL_DATA)
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if named and not folder.is_dir():
        raise FileNotFoundError(f"{REAL_DATA} names a folder that is not there")
    return folder if folder.is_dir() else None


def company_names(folder: Path) -> list[str]:
    """The company names, one of each."""
    file = next((folder / "companies_cn_short").glob("Company-Shorter-Form*.txt"))
    lines = file.read_text(encoding="utf-8-sig").splitlines()[
        3:
    ]  # who made the list, when, and an empty line
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _names(folder: Path) -> list[Act]:
    """Every name a customer: how fast they are laid in, and found again without one left out."""
    kind = KINDS["customer"]
    found = company_names(folder)
    dice = names.Dice(1)
    with _store() as store:
        shape = store.shapes[kind.name]
        every = [Stored(book.record_id(dice, 0.5), ver=1, values={"name": name}) for name in found]

        def lay() -> None:
            for first in range(0, len(every), CHUNK):
                with store.db.write() as db:
                    rows.write(db, shape, [(None, one) for one in every[first : first + CHUNK]])

        rate = len(every) / timed(lay) * 1000
        said = f"{len(every):,} names"
        acts = [Act("real names laid in, with search words", rate, None, unit="rows/s", note=said)]
        for text in QUERIES:
            find = partial(search.find, store, text, limit=FOUND_MAX)
            took = at([timed(find) for _time in range(20)], 0.5)
            whole = sum(text in name for name in found)
            held = len(search.find(store, text, limit=len(found)))
            assert held >= whole, f"search left out {whole - held} of {whole} names"
            scan = timed(partial(store.db.all, _SCAN, (f"%{text}%",)))
            said = f"{held:,} hold it; twin: LIKE"
            acts.append(Act(f"real names: search {text}", took, scan, Aim(most=16), note=said))
    return acts


def _encodings(folder: Path) -> list[Act]:
    """Each file of the set read, understood and brought in; lists of names without headings are read alone."""
    acts = []
    for file in sorted((folder / "derived_encodings").iterdir()):
        if file.name == "SOURCE.txt":
            continue
        with _store() as store:
            plan = prepare([file], book_of(store), kind=KINDS["customer"], today=TODAY, currency="EUR")
            told = plan.report().files[0]
            if plan.steps:
                rate = len(plan.steps) / timed(partial(apply, plan, book_of(store))) * 1000
                said = f"{told.encoding}, {len(plan.steps):,} records"
            else:
                lines = read(file).rows
                rate = len(lines) / timed(partial(read, file)) * 1000
                said = f"read alone: {told.reason.partition('.')[0]}; {len(lines):,} lines"
        acts.append(Act(f"real file {file.name}", rate, None, unit="rows/s", note=said))
    return acts


@contextlib.contextmanager
def _store() -> Iterator[Store]:
    """An empty store, gone at the end."""
    with tempfile.TemporaryDirectory() as folder:
        recovery = sealing.public_bytes(X25519PrivateKey.generate())
        store = Store.create(
            Profile(Path(folder)), SecretBytes.random(32), device=new_device_id(), incarnation=new_incarnation(),
            recovery=recovery, person=book.owner(0),
        )  # fmt: skip
        try:
            yield store
        finally:
            store.close()

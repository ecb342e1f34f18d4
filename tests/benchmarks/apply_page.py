"""How fast pages of the server are laid in: `python -m tests.benchmarks.apply_page [PAGES]` prints rows a second.

First pages of new customers, then the same customers changed (one field of each; then the name of each), then
searches, saves and one batch over what is there. Search words are written with the rows.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import lists, records, search
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol import sealing
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_device_id, new_incarnation, new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.messages import PAGE_ROWS, Change, Cursor

FIRST = ("Anna", "Björn", "Chen", "Dora", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun")
LAST = ("Adams", "Bauer", "Costa", "Dang", "Evans", "Fischer", "Garcia", "Huang", "Ito", "Jensen")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
TRADES = ("Software", "Retail", "Medical", "制造", "零售", "物流", "Energy", "Food")
TOWNS = ("上海", "北京", "Berlin", "Lyon", "Osaka", "Seoul", "Austin", "Köln")


def customer(draw: random.Random) -> dict[str, object]:
    """The cells of one customer, about 550 bytes."""
    chinese = draw.random() < 0.6
    person = (
        draw.choice(SURNAMES) + draw.choice(GIVEN) if chinese else f"{draw.choice(FIRST)} {draw.choice(LAST)}"
    )
    number = draw.randrange(10**6)
    name = (
        f"{draw.choice(TOWNS[:2])}{person}{draw.choice(TRADES[3:6])}有限公司"
        if chinese
        else f"{person} {number} Ltd"
    )
    return {
        "name": name,
        "type": "company",
        "stage": draw.choice(("lead", "prospect", "customer")),
        "industry": draw.choice(TRADES),
        f"phones/{draw.randbytes(8).hex()}": {
            "label": "work",
            "value": f"+86 138 {draw.randrange(10**8):08d}",
        },
        f"emails/{draw.randbytes(8).hex()}": {"label": "work", "value": f"info{number}@example.com"},
        "address": {"street": f"Long Road {number % 999}", "city": draw.choice(TOWNS), "country": "CN"},
        "owner": f"rep{number % 35}@example.com",
        "employees": number % 5000,
        "revenue": {"minor": number * 100, "currency": "EUR"},
        "number": f"C-{number:06d}",
        "tags/key": True,
        "notes": f"Met at the fair; wants an offer for {number % 90} units until spring.",
    }


def main(pages: int) -> None:
    """Run it all once and print."""
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(
            Profile(Path(folder)), SecretBytes.random(32), device=new_device_id(), incarnation=new_incarnation(),
            recovery=sealing.public_bytes(X25519PrivateKey.generate()), person="rep@example.com",
        )  # fmt: skip
        replica = StoreReplica(store)
        world: dict[bytes, dict[str, object]] = {
            new_record_id(): customer(draw) for _row in range(pages * PAGE_ROWS)
        }
        _pages(replica, "new rows", world, 0)
        for cells in world.values():
            cells["stage"] = "former"
        _pages(replica, "one field changed", world, len(world))
        for cells in world.values():
            cells["name"] = f"{cells['name']} B"
        _pages(replica, "names changed", world, 2 * len(world))
        for text in ("a", "王", "王芳", "138 1", "offer", "anna offer", "零售有"):
            _time(f"search {text!r}", 30, partial(search.find, store, text, kinds=[KINDS["customer"]]))
        _time("first page by name", 30, lambda: lists.page(store, KINDS["customer"]))
        _time("first page by town", 5, lambda: lists.page(store, KINDS["customer"], order="address"))
        _time("every id by name", 5, lambda: lists.ids(store, KINDS["customer"]))
        some = draw.sample(sorted(world), 200)
        _time("save one", 200, lambda: records.edit(store, some.pop(), {"industry": "Fishery"}))
        began = time.perf_counter()
        with records.batch(store) as batch:
            for number in range(5000):
                batch.add(KINDS["customer"], {"name": f"Imported {number}", "industry": "Trade"})
        _say(f"a batch of 5,000 new records: {time.perf_counter() - began:.2f} s")
        store.close()


def _pages(replica: StoreReplica, what: str, world: dict[bytes, dict[str, object]], seq: int) -> None:
    ids = sorted(world)
    took = []
    for at in range(0, len(ids), PAGE_ROWS):
        some = ids[at : at + PAGE_ROWS]
        seq += len(some)
        changes = [
            Change(kind="customer", id=id_, ver=seq, cells={c: Raw(pack(v)) for c, v in world[id_].items()})
            for id_ in some
        ]
        answer = Answer(Cursor(epoch=b"e", seq=seq), 0, 0, changes=changes)
        began = time.perf_counter()
        replica.apply(answer)
        took.append(time.perf_counter() - began)
    rate = len(ids) / sum(took)
    _say(
        f"{what}: {rate:,.0f} rows/s; a page of {PAGE_ROWS:,}: median {statistics.median(took) * 1000:.0f} ms"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _time(what: str, times: int, work: Callable[[], object]) -> None:
    took = []
    for _round in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    _say(f"{what}: median {statistics.median(took):.2f} ms, worst {max(took):.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

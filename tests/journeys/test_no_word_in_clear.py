"""Twenty words that a person types are nowhere in clear: after use, after a kill, after a wipe; nor is any key."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests import forks
from tests.road import ANNA, BEN, Laptop, Town

TEMPORARY = (tempfile.gettempdir(), "/var/tmp", "/dev/shm")  # noqa: S108 - looked into, not written


def _markers() -> list[str]:
    """Twenty words that nobody has ever written, new for every run."""
    return [f"Mk{secrets.token_hex(5)}" for _n in range(20)]


def _recent(folders: list[Path], since: float) -> Iterator[Path]:
    """Files that were touched since then."""
    for folder in folders:
        for where, _folders, names in os.walk(folder, onerror=None):
            for name in names:
                path = Path(where) / name
                try:
                    if path.lstat().st_mtime >= since - 2 and path.is_file() and not path.is_symlink():
                        yield path
                except OSError:
                    continue  # it is gone already: another program's


def _found(words: list[str], folders: list[Path], since: float) -> list[str]:
    """`word in file` for every one of these words, in UTF-8, UTF-16 or hex of UTF-8."""
    needles = {
        needle: word
        for word in words
        for needle in (
            word.encode(),
            word.lower().encode(),
            word.encode("utf-16-le"),
            word.encode().hex().encode(),
        )
    }
    found = []
    for path in _recent(folders, since):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        found += [f"{word} in {path}" for needle, word in needles.items() if needle in data]
    return found


def _processes(words: list[str]) -> list[str]:
    """Which of the words stand in a command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        for name in ("cmdline", "environ"):
            try:
                data = (entry / name).read_bytes()
            except OSError:
                continue
            found += [f"{word} in {name} of {entry.name}" for word in words if word.encode() in data]
    return found


def _use(laptop: Laptop, markers: list[str]) -> str:
    """Type all words into records of every sort, search for them, change them, and take one away."""
    m = iter(markers)
    customer = laptop.add(
        "customer", name=next(m), industry=next(m), notes=next(m), territory=next(m), tags=[next(m)],
        tax_number=next(m), address={"city": next(m), "street": next(m)},
        phones=[{"label": next(m), "value": "+49 30 5550144"}],
        emails=[{"label": "work", "value": f"{next(m)}@example.com"}],
    )  # fmt: skip
    laptop.add("contact", name=next(m), role=next(m), customer=customer)
    laptop.add("deal", name=next(m), notes=next(m), customer=customer)
    laptop.add("activity", subject=next(m), type="call", about=next(m), customer=customer)
    task = laptop.add("task", subject=next(m), notes=next(m))
    laptop.edit(customer, notes=next(m))
    laptop.json("add", "product", "-", stdin=[{"name": next(m)}])
    assert next(m, None) is None
    for word in markers[:3]:
        assert laptop.json("search", "-", stdin=word) is not None
    laptop.json("delete", task)
    return customer


def test_no_word_in_clear(town: Town) -> None:
    since = time.time()
    markers = _markers()
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    folders = [town.folder, *(Path(name) for name in TEMPORARY), Path(os.environ["HOME"])]
    open_ones = ("hw", "trust")  # numbers, and a digest of what is public
    entries = [each for laptop in (anna, ben) for each in laptop.entries().items()]
    keys = [value for name, value in entries if name not in open_ones]
    secrets_ = [*markers, *keys, anna.code, ben.code, anna.code.replace("-", "")]
    assert len(keys) == 8

    # The search itself works: a file with one of the words in it is found.
    proof = town.folder / "proof"
    proof.write_text(markers[7])
    assert _found(markers, [town.folder], since) == [f"{markers[7]} in {proof}"]
    proof.unlink()

    customer = _use(anna, markers)
    assert _found(secrets_, folders, since) == []
    anna.sync()
    ben.sync()
    assert ben.show(customer)["name"] == markers[0]
    assert _found(secrets_, folders, since) == []

    # Killed in the middle of writing and of exchanging.
    seal = anna.profile.sealed_outbox
    before = seal.stat().st_size
    running = anna.start("add", "customer", "-", stdin=f'{{"name": "{markers[0]}", "notes": "{markers[1]}"}}')
    seen: list[str] = []

    def grown() -> bool:
        seen.extend(_processes(secrets_))
        return seal.stat().st_size != before

    forks.wait_until(grown, "nothing is written", pause=0.0005)
    running.kill()
    running.wait()
    assert seen == []
    assert anna.act("sync", step=5, nth=0).code == -9
    assert ben.act("sync", step=3, nth=0).code == -9
    assert _found(secrets_, folders, since) == []

    # Locked, wiped half-way, wiped.
    ben.edit(customer, notes=markers[2])
    ben.json("lock")
    town.order("wipe", ben)
    assert _found(secrets_, folders, since) == []
    assert ben.act("wipe", at=2).code == -9
    assert _found(secrets_, folders, since) == []
    assert ben.ask("sync").code == 4
    heir = town.laptop(BEN)
    heir.sync()
    town.admin("recover", ben.id, "--to", heir.id)
    assert heir.sync()["recovered"] == 1
    assert _found([*secrets_, heir.code], folders, since) == []
    assert _processes(secrets_) == []

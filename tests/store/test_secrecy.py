"""What is kept stands nowhere in clear: not in the store, its log, the sealed outbox, temp folders or the log."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from app.store import conflicts, lists, records, search
from app.store.filters import Asks, Condition, Filter
from app.store.replica import StoreReplica
from app.store.words import fold_key
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_record_id
from sync.protocol.messages import Change, Cursor
from tests.remembered import holders
from tests.store.device import CONTACT, CUSTOMER, PERSON, Device

MARKERS: dict[str, Any] = {
    "name": "Quetzalcoatlus Trading", "industry": "xylography-marker", "phones": ["+49 171 90817263"],
    "emails": ["vervet-marker@example.com"], "address": {"street": "Zyzzyva Lane 77", "city": "麒麟市"},
    "tax_number": "TAX-5544332211", "number": "NUM-998877", "tags": ["wombat-tag"], "notes": "the pangolin clause",
    "owner": "numbat-owner@example.com", "source": "axolotl fair",
}  # fmt: skip
TEXTS = [
    "Quetzalcoatlus", "quetzalcoatlus", "xylography", "90817263", "vervet", "Zyzzyva", "麒麟", "TAX-5544332211",
    "NUM-998877", "wombat", "pangolin", "numbat", "axolotl", "ocelot", "quoll", "capybara", PERSON,
]  # fmt: skip


def _hits(folder: Path, encodings: tuple[str, ...] = ("utf-8", "utf-16-le")) -> list[str]:
    """Every file below `folder` that holds one of the texts."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found += [f"{path.name}: {t}" for t in TEXTS for code in encodings if t.encode(code) in data]
    return found


def test_no_value_is_readable_in_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(variable, str(temp))
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    folder = tmp_path / "profile"
    folder.mkdir()
    device = Device(folder)
    store = device.create()
    made = records.add(store, CUSTOMER, MARKERS)
    records.add(store, CONTACT, {"name": "Ocelot Person", "customer": made.id})
    row = Change(
        kind="customer", id=bytes(new_record_id()), ver=3, person="quoll@example.com",
        cells={"name": Raw(pack("Capybara AG")), "unknown": Raw(pack("capybara"))},
    )  # fmt: skip
    StoreReplica(store).apply(Answer(Cursor(epoch=b"e", seq=3), 0, 0, changes=[row]))
    search.find(store, "quetz")
    lists.page(store, CUSTOMER, order="address")
    records.edit(store, made.id, {"notes": "the pangolin clause, again"})
    conflicts.open_conflicts(store)
    assert (device.profile.folder / "store.db-wal").stat().st_size > 0
    assert _hits(tmp_path) == []
    store.db.checkpoint()
    assert _hits(tmp_path) == []
    store.db.close()  # as a crash leaves it, the sealed outbox still open
    assert _hits(tmp_path) == []
    device.close()
    assert not any(temp.iterdir())
    for text in TEXTS:
        assert text not in caplog.text
    for bare in (device.key, device.key.hex().encode()):
        assert all(bare not in path.read_bytes() for path in folder.iterdir())


def test_the_texts_would_be_found_in_clear(tmp_path: Path) -> None:
    """The search above is worth something: the same values in a plain file are all found."""
    (tmp_path / "plain").write_text("\n".join(TEXTS), encoding="utf-8")
    assert len(_hits(tmp_path)) == len(TEXTS)


def test_no_function_keeps_in_mind_what_a_closed_store_was_asked(device: Device) -> None:
    store = device.create()
    records.add(store, CUSTOMER, {"name": "One", "industry": "ocelot", "owner": "김민수 さくら"})
    wanted = Filter(
        (Condition("industry", Asks.CONTAINS, ("Ocelot",)), Condition("industry", Asks.HAS, ("ocelot",)))
    )
    assert lists.page(store, CUSTOMER, where=wanted).records
    search.find(store, "ocelot")
    search.find(store, "김민수")
    device.close()
    del store
    assert holders("ocelot") == holders("김민수") == []


def test_a_text_that_is_kept_in_mind_would_be_found() -> None:
    kept = lru_cache(fold_key)
    kept("Wombat")
    assert holders("ombat") == ["fold_key"]

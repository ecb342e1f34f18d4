"""A server of an earlier version is opened by the program of today: its tables are brought on, and nothing is gone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from app.store.store import Store
from sync.console import desk, recovery
from sync.protocol import messages
from sync.protocol.kinds import KINDS
from sync.server.db import schema
from tests.server.inside import nobody_asks
from tests.versions.conftest import Opened
from tests.versions.here import Here
from tests.versions.kept import Unpacked, plain_store
from tests.versions.story import LAPTOPS, PEOPLE
from tests.versions.town import Recorded, Tape

KNOWN_BY_PRINT: Final = 4  # the step of the server's store from which on ops are


def _open(kept: Unpacked, opened: Opened, folder: Path) -> Recorded:
    shutil.copytree(kept.folder / "server", folder)
    town = opened(folder)
    town.turn_to(kept.of.ended)
    return town


def test_its_tables_are_brought_on_once(kept: Unpacked, opened: Opened, tmp_path: Path) -> None:
    shutil.copytree(kept.folder / "server", tmp_path / "server")
    before = plain_store(tmp_path / "server")
    assert before.execute("PRAGMA user_version").fetchone() == (kept.of.server,)
    held = before.execute("SELECT count(*) FROM record").fetchone()
    before.close()
    opened(tmp_path / "server").store.close()
    opened(tmp_path / "server").store.close()
    after = plain_store(tmp_path / "server")
    assert after.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert after.execute("SELECT count(*) FROM record").fetchone() == held
    assert after.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    after.close()


def test_it_finds_what_it_knew(kept: Unpacked, tape: Tape, opened: Opened, tmp_path: Path) -> None:
    town = _open(kept, opened, tmp_path / "server")
    assert {each.email for each in town.office.people()} >= set(PEOPLE)
    states = {each.name: each.state for each in town.office.devices()}
    assert states == {"laptop-anna": "active", "laptop-ben": "active", "laptop-lost": "wiped"}
    assert set(states) == set(LAPTOPS)
    assert {each.op for each in town.office.orders()} == {"lock", "unlock", "wipe"}
    refused = town.office.refused("", sealed=False)
    assert [(each.kind, each.rule) for each in refused] == [("customer", "forbidden")]
    with town.store.read() as tx:
        kinds = {
            held.row.kind for each in tx.records.after(0) if (held := tx.records.held(each.id)) is not None
        }
        later = {"attachment"} if kept.of.schema < 2 else set()
        assert kinds == set(KINDS) - later
        assert [each.state for each in tx.records.conflicts_after(0)] == ["open"]


def test_work_that_was_handed_in_can_still_be_opened_and_changes_nothing_twice(
    kept: Unpacked, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the keys of then. The first versions knew no op by its print: theirs go out again, and meet themselves."""
    town = _open(kept, opened, tmp_path / "server")
    devices = town.office.devices()
    views = {each.name: each for each in devices}
    lost = desk.find(devices, views["laptop-lost"].enrolment, wiped=True)
    assert len(town.office.work(lost.enrolment, views["laptop-ben"].enrolment).outboxes) == 1
    here = Here(kept, tmp_path / "laptop", monkeypatch)
    with here.session(town) as (session, exchange):
        exchange.round()
        before = _rows(town)
        found = recovery.recover(town.office, town.keys, nobody_asks, lost, views["laptop-ben"])
        assert found == ((2, 2) if kept.of.server < KNOWN_BY_PRINT else (0, 0))
        assert exchange.round().recovered == found[1]
        assert session.call(Store.unsent) == 0
    assert _rows(town) == before


def _rows(town: Recorded) -> dict[bytes, tuple[Mapping[str, Any], bool]]:
    """What stands in every record."""
    with town.store.read() as tx:
        held = {each.id: tx.records.held(each.id) for each in tx.records.after(0)}
    return {id_: (each.row.cells, each.row.deleted) for id_, each in held.items() if each is not None}


def test_its_root_is_believed_by_who_has_its_digest(
    kept: Unpacked, tape: Tape, opened: Opened, tmp_path: Path
) -> None:
    town = _open(kept, opened, tmp_path / "server")
    status, root = town.send("GET", messages.ROOT_PATH, b"", {})
    assert status == 200
    assert root == next(said.down for said in tape.traffic if said.path == messages.ROOT_PATH)

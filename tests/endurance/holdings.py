"""What a laptop holds when all is over, told by a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app import compose
from app.paths import Profile
from app.services import comparing, records
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Syncing
from app.store import conflicts, lists
from app.store.reader import Reader
from app.store.store import Store
from tests.endurance.laptop import CUSTOMER


def bring_back(words: list[str]) -> int:
    """Take every deleted record back, since a deleted one shows nothing of what it held."""
    asked = json.loads(words[0])
    compose.prepare()
    with open_session(Profile(Path(asked["profile"]))) as session:
        _exchange(session)
        for id_, held in session.read(_all).items():
            if held["deleted"]:
                records.undelete(session, bytes.fromhex(id_))
        _exchange(session)
    return 0


def _exchange(session: Session) -> None:
    syncing = Syncing(session)
    try:
        syncing.round()
    finally:
        syncing.close()


def tell(words: list[str]) -> int:
    """Exchange, and write down what is here: records, conflicts, refused changes, and what differs from the server."""
    asked = json.loads(words[0])
    compose.prepare()
    with open_session(Profile(Path(asked["profile"]))) as session:
        _exchange(session)
        said = {
            "unsent": session.call(Store.unsent),
            "differing": comparing.compare(session).differing,
            "records": session.read(_all),
            "conflicts": session.read(_conflicts),
            "refused": session.read(_refused),
        }
    Path(asked["told"]).write_text(json.dumps(said, default=str), encoding="utf-8")
    return 0


def _conflicts(store: Reader) -> list[dict[str, Any]]:
    met = [each.conflict for each in conflicts.open_conflicts(store)]
    return [
        {"record": each.record.hex(), "field": each.cell, "values": [each.shown, each.kept]} for each in met
    ]


def _refused(store: Reader) -> list[dict[str, Any]]:
    return [
        {"record": each.id.hex(), "code": str(each.code), "cells": each.op.set if each.op else {}}
        for each in conflicts.attention(store)
    ]


def _all(store: Reader) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for deleted in (False, True):
        page = lists.page(store, CUSTOMER, limit=1_000_000, deleted=deleted)
        for each in page.records:
            found[each.id.hex()] = {"deleted": each.deleted, "ver": each.ver, "values": each.values}
    return found

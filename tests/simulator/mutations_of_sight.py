"""Syncing that is broken in who sees what by territory, and in what is known of what goes; a part of `mutations.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from sync.protocol.messages import Change
from sync.server import access, belonging, feed, forgetting, intake
from sync.server.access import Rights, Scope
from sync.server.db.kept import Trace
from sync.server.db.sql_histories import SqlHistories
from sync.server.db.sql_records import SqlRecords


def see_by(patch: pytest.MonkeyPatch, sees: Callable[[Rights, str, Scope], bool]) -> None:
    """The feed alone goes by another rule; whoever judges keeps the true one."""
    patch.setattr(feed, "access", SimpleNamespace(**{**vars(access), "sees": sees}))


def territories_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A rep is sent all of the team's records, whatever territory they were granted."""
    see_by(patch, lambda rights, kind, scope: access.sees(replace(rights, territories=None), kind, scope))


def territories_change_nothing_there(patch: pytest.MonkeyPatch) -> None:
    """Who is granted another territory keeps what is there: nothing is gone through anew."""
    patch.setattr(belonging, "_sight", lambda person: (person.role, person.team, person.rights.care))


def children_stay_behind(patch: pytest.MonkeyPatch) -> None:
    """When a customer comes to another territory, what is about it lies where it lay."""
    patch.setattr(intake, "_followers", lambda *about: [])


def territory_before_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The log of changes does not say in which territory a record lay before."""
    one, many = SqlRecords.traces, SqlRecords.traces_of

    def blind(found: Sequence[Trace]) -> list[Trace]:
        return [
            each if each.before is None else replace(each, before=replace(each.before, territory=""))
            for each in found
        ]

    def traces_of(self: SqlRecords, ids: Sequence[bytes], seq: int) -> dict[bytes, list[Trace]]:
        return {id_: blind(found) for id_, found in many(self, ids, seq).items()}

    patch.setattr(SqlRecords, "traces", lambda self, id_, seq: blind(one(self, id_, seq)))
    patch.setattr(SqlRecords, "traces_of", traces_of)


def held_lines_forget_territories(patch: pytest.MonkeyPatch) -> None:
    """A rep with territories is not told of what changes in them."""
    whole = access.circles

    def circles(rights: Rights) -> frozenset[access.Circle]:
        return whole(rights) - {each for each in whole(rights) if each[0] == "territory"}

    patch.setattr(access, "circles", circles)


def goes_without_a_word(patch: pytest.MonkeyPatch) -> None:
    """The feed takes away now and then whatever it looks at."""
    whole, turn = feed._change, [0]

    def change(*about: Any, **more: Any) -> Change | None:
        found = whole(*about, **more)
        turn[0] += 1
        if found is None or found.gone or turn[0] % 20:
            return found
        return Change(kind=found.kind, id=found.id, ver=found.ver, gone="left")

    patch.setattr(feed, "_change", change)


def log_knows_no_reason(patch: pytest.MonkeyPatch) -> None:
    """What goes for a good reason is held back."""
    patch.setattr(feed, "accounted", lambda *about, **more: 0)


def log_folded_too_far(patch: pytest.MonkeyPatch) -> None:
    """Of a record's entries in the log the newest alone stays, whatever the others say."""
    whole = SqlHistories.fold

    def fold(self: SqlHistories, record: bytes, upto: int) -> int:
        last = self._sql.execute("SELECT max(seq) FROM change WHERE record = ? AND seq <= ?", (record, upto))
        self._sql.execute("DELETE FROM change WHERE record = ? AND seq < ?", (record, last.fetchone()[0]))
        return whole(self, record, upto)

    patch.setattr(SqlHistories, "fold", fold)


def forgotten_records_come_back(patch: pytest.MonkeyPatch) -> None:
    """A deleted record of which nothing is kept can be brought back."""
    patch.setattr(forgetting, "hollow", lambda row: False)


OF_SIGHT: Final = (
    territories_forgotten, territories_change_nothing_there, children_stay_behind, territory_before_forgotten,
    held_lines_forget_territories, goes_without_a_word, log_knows_no_reason,
    log_folded_too_far, forgotten_records_come_back,
)  # fmt: skip

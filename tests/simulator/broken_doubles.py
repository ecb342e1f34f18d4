"""Broken ways of telling and joining records that are about one customer, each to be noticed by the simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from app.store import keyed
from sync.protocol import merge
from sync.protocol.kinds import Kind
from sync.protocol.merge import Merged
from sync.server import intake


def part_of_a_join_is_taken(patch: pytest.MonkeyPatch) -> None:
    """The record that was joined is deleted, though the one that should remain took nothing over."""
    patch.setattr(intake, "_rest_of", lambda op, fallen, print_: None)


def changed_rows_keep_their_keys(patch: pytest.MonkeyPatch) -> None:
    """Records that have changed are not looked at again for duplicates."""
    patch.setattr(keyed, "note", lambda db, shape, rowids: None)


def different_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """That two records are different is heard by the server, and goes nowhere."""
    whole = Kind.check_cells

    def check(self: Kind, cells: Any, *, before: bool = False) -> dict[str, Any]:
        checked = whole(self, cells, before=before)
        return {cell: value for cell, value in checked.items() if not cell.startswith("apart/")}

    patch.setattr(Kind, "check_cells", check)


def joined_records_lead_nowhere(patch: pytest.MonkeyPatch) -> None:
    """What refers to a record that was joined is left with it."""
    patch.setattr(keyed, "note_joined", lambda db, shape, before, after: None)


def a_join_deletes_whatever_was_edited(patch: pytest.MonkeyPatch) -> None:
    """What somebody else wrote to the record meanwhile goes with it, and nobody is asked."""

    def delete(row: merge.Row, meeting: Any, *, unseen: bool) -> Merged:
        return whole(replace(row, cells={}) if unseen else row, meeting, unseen=False)

    whole = merge._delete
    patch.setattr(merge, "_delete", delete)


MUTATIONS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = (
    part_of_a_join_is_taken, changed_rows_keep_their_keys, different_is_forgotten, joined_records_lead_nowhere,
    a_join_deletes_whatever_was_edited,
)  # fmt: skip

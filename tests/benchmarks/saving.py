"""Saving one record: row, outbox, seal, search words and the server's row below, in one FULL transaction.

The twin writes what our save wrote, statement for statement, into the plain file: no check, no op, no seal.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from app.store import records
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.benchmarks import book, names
from tests.benchmarks.measure import Act, Aim, samples_by_turns, spread, timed
from tests.benchmarks.million import Ground
from tests.benchmarks.recorder import Recorder, Statement, replay

SAVES: Final = 100  # in one round


def measure(ground: Ground) -> list[Act]:
    """A change of one field, a change of the name, and a new record, each against the same writes."""
    acts = []
    with ground.copy() as copy, copy.store() as store, copy.twin() as twin:
        dice = names.Dice(7)
        recorder = Recorder(store.db)
        ids = [one[0] for one in store.db.all("SELECT _id FROM record_customer ORDER BY _id LIMIT 100000")]
        for name, work in (
            ("save one field", partial(_field, dice, ids)),
            ("save a new name", partial(_name, dice, ids)),
            ("save a new record", partial(_new, dice)),
        ):
            acts += _side_by_side(name, work, store, twin, recorder, strict=name == "save one field")
    return acts


def _side_by_side(
    name: str, work: Any, store: Store, twin: Store, recorder: Recorder, *, strict: bool
) -> list[Act]:
    written: list[list[Statement]] = []

    def ours() -> list[float]:
        took = []
        for _save in range(SAVES):
            recorder.statements.clear()
            took.append(timed(partial(work, store)))
            written.append(list(recorder.statements))
        return took

    def replayed() -> list[float]:
        took = [timed(partial(replay, twin.db, statements)) for statements in written]
        written.clear()
        return took

    recorder.statements.clear()
    work(store)
    replay(twin.db, recorder.statements)
    mine, other = samples_by_turns(ours, replayed)
    aim = Aim(ratio=2)
    return spread(f"{name}, FULL", mine, other, aim, aim, note="" if strict else "twin: the same writes")


def _field(dice: names.Dice, ids: list[bytes], store: Store) -> None:
    records.edit(store, dice.one(ids), {"industry": f"Trade {dice.below(1000)}"})


def _name(dice: names.Dice, ids: list[bytes], store: Store) -> None:
    words = names.tongue(dice)
    records.edit(store, dice.one(ids), {"name": words.company(dice, dice.one(words.towns)[0])})


def _new(dice: names.Dice, store: Store) -> None:
    number = 10**7 + dice.below(10**6)
    records.add(store, KINDS["customer"], book.customer(dice, names.tongue(dice), number))

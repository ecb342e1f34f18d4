"""Saving one record: row, outbox, seal, search words and the server's row below, in one FULL transaction.

The twin writes what our save wrote, statement for statement, into the plain file: no check, no op, no seal. Two more
lines tell how much of the distance nobody could take: the same writes into an encrypted file, and these while the disk
takes a sealed record beside them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from app.store import records
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.benchmarks import book, names
from tests.benchmarks.measure import ROUNDS, Act, Aim, Took, at, spread, taken
from tests.benchmarks.million import Ground
from tests.benchmarks.recorder import Recorder, Statement, replay

SAVES: Final = 100  # in one round
SEALED: Final = b"s" * 300  # about what a changed field comes to

Written = list[Statement]
Replay = Callable[[Written], object]


def measure(ground: Ground) -> list[Act]:
    """A change of one field, a change of the name, and a new record, each against the same writes."""
    acts = []
    with (
        ground.copy() as copy, copy.store() as store, copy.twin() as twin,
        ground.copy(plain=False) as other, other.store() as encrypted,
        _sealed_beside(copy.folder / "beside", partial(replay, encrypted.db)) as with_sealed,
    ):  # fmt: skip
        dice = names.Dice(7)
        recorder = Recorder(store.db)
        ids = [one[0] for one in store.db.all("SELECT _id FROM record_customer ORDER BY _id LIMIT 100000")]
        for name, work in (
            ("save one field", partial(_field, dice, ids)),
            ("save a new name", partial(_name, dice, ids)),
            ("save a new record", partial(_new, dice)),
        ):
            sides = (partial(replay, twin.db), partial(replay, encrypted.db), with_sealed)
            acts += _side_by_side(name, partial(work, store), recorder, *sides)
    return acts


def _side_by_side(
    name: str, work: Callable[[], object], recorder: Recorder,
    plain: Replay, encrypted: Replay, with_sealed: Replay,
) -> list[Act]:  # fmt: skip
    ours, twin, limit, sealed = list[Took](), list[Took](), list[Took](), list[Took]()

    def saved() -> Written:
        recorder.statements.clear()
        ours.append(taken(work))
        return list(recorder.statements)

    first = saved()
    plain(first)
    encrypted(first)
    ours.clear()
    for _round in range(ROUNDS):
        written = [saved() for _save in range(SAVES)]
        twin += [taken(partial(plain, each)) for each in written]
        for at_, each in enumerate(written):  # no file takes the same writes twice: half of them go each way
            side, took = (with_sealed, sealed) if at_ % 2 else (encrypted, limit)
            took.append(taken(partial(side, each)))
    aim = Aim(ratio=2)
    acts = spread(f"{name}, FULL", _clock(ours), _clock(twin), aim, aim, note=_processor(ours, twin))
    for what, took in (("encrypted", limit), ("and sealed beside", sealed)):
        note = _processor(took, twin)
        acts += spread(f"{name}, limit: {what}", _clock(took), _clock(twin), Aim(), Aim(), note=note)
    return acts


def _clock(took: Sequence[Took]) -> list[float]:
    return [each.clock for each in took]


def _processor(took: Sequence[Took], twin: Sequence[Took]) -> str:
    mine, other = (at([each.processor for each in side], 0.5) for side in (took, twin))
    return f"processor time {mine:.2f} / {other:.2f} ms: {mine / other:.2f} times"


@contextmanager
def _sealed_beside(path: Path, again: Replay) -> Iterator[Replay]:
    """What writes while the disk takes a sealed record, and has both on it in the end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    with ThreadPoolExecutor(1) as disk:

        def writing(written: Written) -> None:
            os.write(handle, SEALED)
            synced = disk.submit(os.fsync, handle)
            again(written)
            synced.result()

        yield writing
    os.close(handle)


def _field(dice: names.Dice, ids: list[bytes], store: Store) -> None:
    records.edit(store, dice.one(ids), {"industry": f"Trade {dice.below(1000)}"})


def _name(dice: names.Dice, ids: list[bytes], store: Store) -> None:
    words = names.tongue(dice)
    records.edit(store, dice.one(ids), {"name": words.company(dice, dice.one(words.towns)[0])})


def _new(dice: names.Dice, store: Store) -> None:
    number = 10**7 + dice.below(10**6)
    records.add(store, KINDS["customer"], book.customer(dice, names.tongue(dice), number))

"""What is on a laptop: what its ops say, each value with its record and cell, and the records that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.store import conflicts, lists, outbox
from app.store.store import Store
from sync.protocol.kinds import KINDS
from sync.protocol.ops import Act, Op, print_of
from tests.simulator.laptop import Laptop

Value = tuple[bytes, str, str]  # a record, a cell, and what was written there, as it is printed

# Each cell that a run writes: kind, cell. All merge rules are among them.
CELLS: Final = (
    ("customer", "name"), ("customer", "industry"), ("customer", "notes"), ("customer", "tax_number"),
    ("deal", "name"), ("deal", "number"), ("deal", "stage"),
    ("contact", "name"), ("contact", "do_not_contact"), ("contact", "tags"),
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A value that somebody wrote into a cell, and what they saw there."""

    value: Any
    was: Any


def values_of(op: Op) -> set[Value]:
    """What an op says, each with its record and cell."""
    return {(op.id, cell, repr(value)) for cell, value in op.set.items()}


def parts_of(value: Any) -> set[str]:
    """A value, or each paragraph of notes: those of two authors are joined."""
    return {repr(part) for part in value.split("\n\n")} if isinstance(value, str) else {repr(value)}


def waiting(laptop: Laptop) -> set[Value]:
    """What waits on a laptop."""
    return set().union(*map(values_of, outbox.every(laptop.store.db)))


def deletes_by(laptop: Laptop) -> set[bytes]:
    """Records that a laptop deleted, and still has the op of, with all that its act says before that."""
    kept = laptop.store.db.all("SELECT incarnation, n, op FROM op_archive")
    there = {(incarnation, n) for incarnation, n, _op in kept}
    taken = [(incarnation, outbox.op_of(data)) for incarnation, _n, data in kept]
    whole = [op for each, op in taken if all((each, n) in there for n in range(op.first or op.n, op.n))]
    return {op.id for op in (*whole, *outbox.every(laptop.store.db)) if op.act is Act.DELETE}


def kept_by(laptop: Laptop) -> set[Value]:
    """What a laptop would send a restored server once more."""
    ops = [outbox.op_of(data) for (data,) in laptop.store.db.all("SELECT op FROM op_archive")]
    return set().union(*map(values_of, ops)) | waiting(laptop)


def looked_at(laptop: Laptop) -> set[Value]:
    """What stands before its author's eyes, since it was not taken."""
    return set().union(
        *(values_of(each.op) for each in conflicts.attention(laptop.store) if each.op is not None)
    )


def prints_of(laptop: Laptop) -> set[bytes]:
    """Prints of the ops that a laptop has sent, or has to send."""
    ops = [outbox.op_of(data) for (data,) in laptop.store.db.all("SELECT op FROM op_archive")]
    return {print_of(op) for op in (*ops, *outbox.every(laptop.store.db))}


def ids(store: Store, kind: str) -> list[bytes]:
    """Ids of the records of a kind that a laptop shows."""
    return [one.id for one in lists.by_rowids(store, KINDS[kind], lists.ids(store, KINDS[kind]))]


def gone(store: Store, kind: str) -> list[bytes]:
    """Ids of those that are deleted there."""
    shape = store.shapes[kind]
    found = store.db.all(f"{shape.select} WHERE _deleted = 1")  # the name is one of the table of kinds
    return [shape.stored(row).id for row in found]


def newest_act(laptop: Laptop) -> list[Op]:
    """The waiting ops of the act that somebody did last."""
    ops = outbox.every(laptop.store.db)
    return [op for op in ops if op.first == ops[-1].first]


def fresh(cell: str, counter: int) -> Any:
    """A value for a cell, another one each time where the cell can hold so many."""
    if cell == "stage":
        return ("engaging", "proposal", "won", "lost")[counter % 4]
    if cell == "do_not_contact":
        return True
    return [f"t{counter}"] if cell == "tags" else f"w{counter}"

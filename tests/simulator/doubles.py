"""One customer made on two laptops: what people do about it, and the laws of records that seem to be one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.errors import AppError
from app.store import alike, choices, conflicts, duplicates, joined, joining, lists, records
from app.store.duplicates import AGAIN
from app.store.joining import Joined
from app.store.records import Record
from app.store.store import Store
from sync.protocol.errors import KnownError
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS, pairs
from sync.protocol.merge import DELETED, Conflict
from sync.server.db.kept import Held
from tests.simulator.laptop import Laptop
from tests.simulator.steps import Pair, Same

if TYPE_CHECKING:
    from tests.simulator.world import World

CHILD = 3  # from here on a customer that is there gets one contact more
CUSTOMER, CONTACT = KINDS["customer"], KINDS["contact"]


@dataclass
class Doubles:
    """What was joined last on each laptop."""

    joined: dict[int, Joined] = field(default_factory=dict)
    made: list[Joined] = field(default_factory=list)
    deleted: set[bytes] = field(default_factory=set)  # and not for being joined

    def play(self, world: World, who: int, laptop: Laptop, step: Same | Pair) -> None:
        """One step."""
        store = laptop.store
        with contextlib.suppress(AppError, KnownError):
            if isinstance(step, Same):
                name, phone = f"Nordlicht {step.which % 3}", f"030 555012{step.which % 3}"
                there = lists.page(store, CUSTOMER, where={"name": name}).records
                if step.which < CHILD or not there:
                    there = [records.add(store, CUSTOMER, {"name": name, "phones": phone})]
                    world.note(laptop)
                world.counter += 1
                records.add(store, CONTACT, {"name": f"n{world.counter}", "customer": there[-1].id})
            elif step.verb == "back":
                if who in self.joined:
                    joining.take_apart(store, self.joined.pop(who))
            else:
                duplicates.catch_up(store)
                told = duplicates.found(store)
                if not told:
                    return
                pair = told[step.pick % len(told)]
                if step.verb == "different":
                    joining.set_apart(store, pair.a, pair.b)
                else:
                    one, other = (pair.b, pair.a) if step.verb == "turn" else (pair.a, pair.b)
                    self.joined[who] = joining.join(store, one, other)
                    self.made.append(self.joined[who])
            world.note(laptop)

    def choice(self, store: Store, conflict: Conflict, *, keep: bool) -> str:
        """What somebody chooses of a conflict."""
        asked = "SELECT 1 FROM joined WHERE gone = ?"
        # A delete that a join meant, chosen after the join was taken back, is a delete like any other.
        if not keep and conflict.kept == DELETED and store.db.first(asked, (conflict.record,)) is None:
            self.deleted.add(conflict.record)
        return choices.KEPT if keep else choices.SWAPPED


def judge(laptop: Laptop) -> Iterator[str]:
    """What is told of pairs that is not so, and what refers to a joined record and leads to none that remains."""
    store = laptop.store
    duplicates.catch_up(store)
    told = {(each.a, each.b): each.why for each in duplicates.found(store)}
    customers = lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER))
    kept = {each.id: each for each in customers}
    masked = "name" in CUSTOMER.hidden(store.here().cursor.care)
    cells = {id_: store.shapes["customer"].cells(records.find_row(store, id_)[1]) for id_ in kept}
    there = {id_: {name: v for name, v in each.values.items() if name not in CUSTOMER.hidden(store.here().cursor.care)}
             for id_, each in kept.items()}  # fmt: skip
    for one, other in _each_two(customers):
        low, apart = pairs.apart(one.id, other.id)
        again = pairs.joined(other.id) in cells[one.id] or pairs.joined(one.id) in cells[other.id]
        said = (alike.said_of("customer", there[each.id]) for each in (one, other))
        why = "" if masked or apart in cells[low] else alike.why(*said)
        why = AGAIN if again and not masked else why
        if told.get((one.id, other.id), "") != why:
            yield f"of {one.title} and {other.title} is told {told.get((one.id, other.id))!r}, not {why!r}"
    for contact in lists.by_rowids(store, CONTACT, lists.ids(store, CONTACT)):
        about = contact.values.get("customer") or b""
        remains = next((id_ for id_ in kept if about and pairs.joined(about) in cells[id_]), None)
        if about in kept or remains is None:
            continue
        if joined.remains_of(store, about) not in kept:
            yield f"{contact.title} leads nowhere, though its customer was joined"
        elif contact.id not in {
            each.id for each in lists.page(
                store, CONTACT, where={"customer": id_text(joined.remains_of(store, about))}, limit=500
            ).records
        }:  # fmt: skip
            yield f"{contact.title} is not among the contacts of the record that remains"
    for each in conflicts.open_conflicts(store):
        if each.remains and each.conflict.id not in {
            met.conflict.id for met in conflicts.open_conflicts(store, record=each.remains)
        }:
            yield f"an edit of a joined record is not told on {each.remains_title}"


def went(
    doubles: Doubles, held: dict[bytes, Held], kept: list[Conflict], forgotten: set[bytes]
) -> Iterator[str]:
    """What was joined and is deleted says where it went, or a conflict keeps that."""
    said = {cell for each in held.values() for cell in each.row.cells} | {each.cell for each in kept}
    for each in doubles.made:
        there = held.get(each.gone)
        if there is None or not there.row.deleted or each.gone in doubles.deleted:
            continue
        if _ends(doubles, each.remains) & forgotten:
            continue  # that was deleted as well, so long ago that nothing of it is kept: nobody can bring it back
        if pairs.joined(each.gone) not in said:
            yield "a record was joined, is deleted, and nothing says where it went"


def _ends(doubles: Doubles, id_: bytes) -> set[bytes]:
    """A record, and those that it was joined into since."""
    found: set[bytes] = set()
    left = {id_}
    while left:
        found |= left
        left = {each.remains for each in doubles.made if each.gone in left} - found
    return found


def _each_two(some: list[Record]) -> Iterator[tuple[Record, Record]]:
    ordered = sorted(some, key=lambda each: each.id)
    for at, one in enumerate(ordered):
        for other in ordered[at + 1 :]:
            yield one, other

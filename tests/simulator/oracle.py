"""Says what of a run that has settled must not be: the laws of syncing, checked on what server and laptops hold."""

# Only names of tables of ours are put into statements.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator

from app.store import conflicts, lists, outbox, search
from app.store.records import find_row
from app.store.restored import FIRST
from sync.protocol import codec
from sync.protocol.codec import Raw
from sync.protocol.desk import HoldsView
from sync.protocol.errors import Outcome
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from sync.protocol.merge import DELETED, KEPT, OPEN, SWAPPED, WHOLE_RECORD, Conflict
from sync.protocol.ops import Act, Op
from sync.server import access, holdings
from sync.server.access import Rights
from sync.server.db.base import Transaction
from sync.server.db.kept import Device, Held
from sync.server.forgetting import hollow
from sync.server.masks import seen
from tests.simulator import doubles, files
from tests.simulator.laptop import Laptop
from tests.simulator.said import Value, Written, looked_at, parts_of, values_of
from tests.simulator.world import World


def judge(world: World) -> list[str]:
    """Every law that this run broke, in words; empty when it held."""
    found = list(world.faults)
    with world.server.read() as tx:
        held = {entry.id: _held(tx, entry.id) for entry in tx.records.after(0)}
        kept = list(tx.records.conflicts_after(0))
        refused = [codec.read(Raw(each.op), Op) for each in tx.records.refused() if each.op]
        persons = {each.email: each.rights for each in tx.people.persons()}
        views = {each.device: _view(tx, each) for each in tx.people.devices()}
    if world.restores:
        world.gone |= world.at_risk
    for who, laptop in sorted(world.laptops.items()):
        rights = persons[laptop.card.person]
        only = _only_here(world, laptop, held)
        told = _replica(laptop, rights, held, kept, only, older=world.mixed.is_older(who))
        found += [f"laptop {who}: {each}" for each in told]
        found += [f"laptop {who}: {each}" for each in doubles.judge(laptop)]
        found += [f"laptop {who}: {each}" for each in _told(laptop, views[laptop.card.device], only)]
    found += _placed(held)
    words: set[Value] = set().union(*map(values_of, refused))
    found += _lost(world, held, kept, words, _stands(world, held, persons))
    found += _passed_over(world, held, kept)
    found += _deletes(world, held, kept)
    found += doubles.went(world.doubles, held, kept, _emptied(world, held))
    found += files.judge(world, held, persons)
    answered = world.refused - world.refused_once
    found += [f"{cell} {v}, which was refused, is kept nowhere" for _id, cell, v in answered - words]
    return found


def _held(tx: Transaction, id_: bytes) -> Held:
    held = tx.records.held(id_)
    assert held is not None
    return held


def _view(tx: Transaction, device: Device) -> HoldsView:
    person = tx.people.person(device.person)
    assert person is not None
    return holdings.held_by(tx, device, person, kind="", ids=True)


def _placed(held: dict[bytes, Held]) -> Iterator[str]:
    """Every record lies where its customer says that it lies, worked out anew from what stands in the records."""
    for id_, each in held.items():
        at = each
        if each.row.kind == "attachment" and each.row.cells.get("deal") in held:
            at = held[each.row.cells["deal"]]
        if hollow(each.row) or hollow(at.row):
            continue  # it stays where it lay
        if at.row.kind != "customer":
            whom = at.row.cells.get("customer")
            if whom not in held:
                if each.scope.territory:
                    yield f"{_title(each)} lies in {each.scope.territory!r} and belongs to nobody there"
                continue
            at = held[whom]
        land = str(at.row.cells.get("territory") or "").strip().casefold()
        if each.scope.territory != land:
            yield f"{_title(held[id_])} lies in {each.scope.territory!r}, not in {land!r}"


def _only_here(world: World, laptop: Laptop, held: dict[bytes, Held]) -> set[bytes]:
    """Records that stay on a laptop though a restored server does not know them: who made them has lost them too."""
    if not world.restores:
        return set()
    shapes = laptop.store.shapes.values()
    found = [
        laptop.store.db.all(f"SELECT _id FROM {shape.table} WHERE _ver = ?", (FIRST,)) for shape in shapes
    ]
    return {id_ for some in found for (id_,) in some} - held.keys()


def _told(laptop: Laptop, view: HoldsView, only: set[bytes]) -> Iterator[str]:
    """What IT is told of a laptop that is not so."""
    if not (view.confirmed and view.exact):
        yield "never said that it let go of what left"
    shapes = laptop.store.shapes.values()
    here = {
        id_text(id_)
        for shape in shapes
        for (id_,) in laptop.store.db.all(f"SELECT _id FROM {shape.table}")
        if id_ not in only
    }
    told = {id_ for each in view.kinds for id_ in each.ids}
    if here != told:
        yield f"IT is told of {len(told - here)} records that are not here, and not of {len(here - told)}"
    if any(each.leaving or each.coming for each in view.kinds):
        yield "IT is told that records are on their way"


def _replica(
    laptop: Laptop,
    rights: Rights,
    held: dict[bytes, Held],
    kept: list[Conflict],
    only: set[bytes],
    *,
    older: bool,
) -> Iterator[str]:
    """What a laptop holds beyond, or short of, what its person may see; or otherwise than the server does."""
    store = laptop.store
    if laptop.unsent():
        yield f"{laptop.unsent()} changes wait for ever"
    visible = {id_: each for id_, each in held.items() if access.sees(rights, each.row.kind, each.scope)}
    here = {
        one.id: one for kind in KINDS.values() for one in lists.by_rowids(store, kind, lists.ids(store, kind))
    }
    alive = {id_: each for id_, each in visible.items() if not each.row.deleted}
    for id_ in alive.keys() - here.keys():
        yield f"{alive[id_].row.kind} {_title(alive[id_])} is missing"
    for id_ in here.keys() - alive.keys() - only:
        why = "deleted" if id_ in visible else "out of sight" if id_ in held else "unknown to the server"
        yield f"{here[id_].kind.name} {here[id_].title} is still here: it is {why}"
    for id_ in alive.keys() & here.keys():
        shape, stored = find_row(store, id_)
        mine = shape.cells(stored)
        theirs = seen(rights, alive[id_].row.kind, alive[id_].row.cells)
        if mine != theirs:
            cells = sorted(c for c in mine.keys() | theirs.keys() if mine.get(c) != theirs.get(c))
            yield f"{_title(alive[id_])} differs in {cells}: {[(mine.get(c), theirs.get(c)) for c in cells]}"
        if stored.ver != alive[id_].row.ver:
            yield f"{_title(alive[id_])} has the number {stored.ver}, not {alive[id_].row.ver}"
    mine_open = {each.conflict.id for each in conflicts.open_conflicts(store)}
    theirs_open = {
        each.id
        for each in kept
        if each.state == "open" and each.record in visible and access.sees_cell(rights, each.kind, each.cell)
    }
    if mine_open != theirs_open:
        yield f"{len(theirs_open - mine_open)} conflicts are missing, {len(mine_open - theirs_open)} should be gone"
    if waiting := store.db.one("SELECT count(*) FROM chosen WHERE waiting = 1")[0]:
        yield f"{waiting} conflicts are settled here for ever, and the server knows nothing of it"
    yield from _searched(laptop, {id_: each for id_, each in held.items() if id_ not in only}, alive, rights)
    if not older:  # that knows nothing of what is hidden, and takes the masks that it gets for values
        yield from _hidden(laptop, rights)
        yield from _tombstones(laptop, rights, visible)


def _hidden(laptop: Laptop, rights: Rights) -> Iterator[str]:
    """Whatever of a hidden class lies beside the rows: ops that were refused or taken, rows below waiting ops."""
    db, durable = laptop.store.db, laptop.store.here().durable_seq
    # What no backup holds yet is kept for a restored server, which may have it from nobody else.
    for table, held in (("outbox", ""), ("attention", ""), ("op_archive", f" AND ver <= {durable}")):
        for (data,) in db.all(f"SELECT op FROM {table} WHERE op IS NOT NULL{held}"):
            op = outbox.op_of(data)
            for cell in op.set:
                if not access.sees_cell(rights, op.kind, cell):
                    yield f"{table} holds {cell}, which is hidden"
    if laptop.store.here().cursor.care != rights.care:
        yield f"shows up to {laptop.store.here().cursor.care}, not {rights.care}"


def _tombstones(laptop: Laptop, rights: Rights, visible: dict[bytes, Held]) -> Iterator[str]:
    """What a deleted record still holds that is hidden."""
    for shape in laptop.store.shapes.values():
        for found in laptop.store.db.all(f"{shape.select} WHERE _deleted = 1"):
            stored = shape.stored(found)
            row = visible[stored.id].row if stored.id in visible else None
            masks = seen(rights, row.kind, row.cells) if row is not None else {}
            for cell, value in shape.cells(stored).items():
                if not access.sees_cell(rights, shape.kind.name, cell) and value != masks.get(cell):
                    yield f"a deleted {shape.kind.name} holds {cell} {value!r}, which is hidden"


def _searched(
    laptop: Laptop, held: dict[bytes, Held], alive: dict[bytes, Held], rights: Rights
) -> Iterator[str]:
    """Every name is found as long as its record is here and its name is seen, and by nobody otherwise."""
    for id_, each in list(held.items())[:8]:
        title = _title(each)
        found = {hit.record.id for hit in search.find(laptop.store, title, limit=500)}
        sees = id_ in alive and access.sees_cell(rights, each.row.kind, "name")
        if sees is not (id_ in found):
            yield f"search {'misses' if sees else 'still finds'} {title}"


def _title(held: Held) -> str:
    return str(held.row.cells.get("name", ""))


def _lost(
    world: World, held: dict[bytes, Held], kept: list[Conflict], words: set[Value], unseen: set[Value]
) -> Iterator[str]:
    """A value that was typed stands in its record or a conflict, or somebody who saw it wrote another."""
    both: dict[tuple[bytes, str], set[str]] = {}
    emptied = _emptied(world, held)
    for id_, cell, value in world.given_up:
        both.setdefault((id_, cell), set()).update(parts_of(value))
    for conflict in kept:
        # Whoever deleted a record that is forgotten by now had seen what such a conflict keeps: that alone keeps it.
        counts = conflict.state not in (KEPT, SWAPPED) or conflict.record in emptied
        if conflict.cell != WHOLE_RECORD and counts:
            both.setdefault((conflict.record, conflict.cell), set()).update(
                parts_of(conflict.shown) | parts_of(conflict.kept)
            )
    missed = world.missed & set().union(*map(looked_at, world.laptops.values()))
    # Refused before their record came, and out of their author's sight when it did: the server keeps them.
    excused = world.refused | world.gone | unseen | ((world.missed & words) - missed)
    for (id_, cell), writes in world.written.items():
        if cell in ("stage", "do_not_contact", "owner", "territory", "customer"):
            continue  # the same few values again and again: nothing tells whose one is
        wanted = [
            each for each in writes if each.value is not None and (id_, cell, repr(each.value)) not in excused
        ]
        row = held[id_].row if id_ in held else None
        if row is None:
            wanted = [each for each in wanted if (id_, cell, repr(each.value)) not in missed]
            if wanted:
                yield f"a record with {cell} {wanted[0].value!r} never came to the server"
            continue
        if row.deleted and cell.startswith("joined/"):
            continue  # of two who joined the same pair the other way round, one finds the record gone
        standing = row.cells.get(cell)
        safe = parts_of(standing) | both.get((id_, cell), set())
        if id_ in emptied:
            safe |= world.forgotten.get((id_, cell), set())
        safe = _seen_from(safe, writes)
        for each in wanted:
            if not parts_of(each.value) <= safe:
                yield f"{cell} {each.value!r} of {_title(held[id_])} is lost: {standing!r} stands there"


def _passed_over(world: World, held: dict[bytes, Held], kept: list[Conflict]) -> Iterator[str]:
    """What somebody chose holds, or stands in a conflict with what somebody else chose who knew nothing of it."""
    by_id = {each.id: each for each in kept}
    back = {id_ for op in world.settles for id_, choice in op.settles.items() if choice == OPEN}
    for op in world.settles:
        for id_, choice in op.settles.items():
            conflict = by_id.get(id_)
            if conflict is None and world.restores:
                continue  # it went with the lost history, and what met there met again under another name
            assert conflict is not None
            if not world.has(op):
                continue  # nobody has it any more since a restore
            if choice == OPEN or id_ in back or conflict.state not in (KEPT, SWAPPED):
                continue
            row = held[op.id].row
            if conflict.cell == WHOLE_RECORD and any(
                act is Act.UNDELETE for act, _ in world.acts.get(op.id, [])
            ):
                continue  # taken back by somebody who knew that it was deleted
            if conflict.cell in op.set:
                stands = row.cells.get(conflict.cell) == op.set[conflict.cell]
                # What stood by then was the other value already: both chose the same, whatever they called it.
                alike = (
                    each.set.get(conflict.cell)
                    for each in world.settles
                    if choice != each.settles.get(id_, choice)
                )
                stands = stands or op.set[conflict.cell] in alike
            else:
                delete = conflict.cell != WHOLE_RECORD or (conflict.kept == DELETED) is (choice == SWAPPED)
                stands = row.deleted is delete
                # Whoever takes a deleted record back has seen that somebody chose so.
                stands = stands or (
                    delete and any(act is Act.UNDELETE for act, _told in world.acts.get(op.id, ()))
                )
            # What two said against each other was kept after the first of them was heard; or what the first chose met
            # a record that was deleted meanwhile, and is asked about anew.
            later = [
                each for each in kept
                if each.record == op.id and each.ver >= conflict.ver and each is not conflict
            ]  # fmt: skip
            said = any(each.cell in (conflict.cell, WHOLE_RECORD) for each in later)
            if conflict.state != choice and not said and not stands:
                yield f"{_title(held[op.id])}: the choice {choice} of {conflict.cell} was passed over"


def _stands(world: World, held: dict[bytes, Held], persons: dict[str, Rights]) -> set[Value]:
    """What was refused and stands before its author's eyes: a record of its act has not come to the restored server, or
    is there and not shown to them, since a restore took rights away of which nobody knows any more.
    """
    found = set[Value]()
    for laptop in world.laptops.values() if world.restores else ():
        rights, refused = persons[laptop.card.person], conflicts.attention(laptop.store)
        shown = {id_ for id_, each in held.items() if access.sees(rights, each.row.kind, each.scope)}
        wordless = {(each.incarnation, each.n) for each in refused if each.op is None}
        acts: dict[tuple[bytes, int], list[Op]] = {}
        for each in refused:
            if each.op is not None:
                acts.setdefault((each.incarnation, each.op.first), []).append(each.op)
        for (incarnation, first), ops in acts.items():
            torn = any((incarnation, n) in wordless for n in range(first, ops[-1].n))
            if torn or any(op.id not in shown for op in ops):
                found |= set[Value]().union(*map(values_of, ops))
    return found


def _emptied(world: World, held: dict[bytes, Held]) -> set[bytes]:
    """Records that were deleted so long ago that the server has forgotten what stood in them."""
    forgotten = {id_ for id_, _cell in world.forgotten}
    return {id_ for id_ in forgotten & held.keys() if hollow(held[id_].row)}


def _seen_from(safe: set[str], writes: list[Written]) -> set[str]:
    """These values, and what their authors had before their eyes, and so on."""
    whole = set(safe)
    while True:
        seen = [parts_of(each.was) for each in writes if parts_of(each.value) <= whole]
        more = set().union(*seen) - whole
        if not more:
            return whole
        whole |= more


def _deletes(world: World, held: dict[bytes, Held], kept: list[Conflict]) -> Iterator[str]:
    """A delete that was taken holds, unless somebody took the record back. On a restored server it may meet what was
    written since, and is kept in a conflict then; or be refused, since its author may not delete it any more. Where
    answers are forgotten, one that was held and kept in a conflict is answered as taken, with how the record stands.
    """
    retold = world.restores or world.forgets
    met = {each.record for each in kept if each.cell == WHOLE_RECORD} if retold else set()
    for id_, acts in world.acts.items():
        taken = [act for act, outcome in acts if outcome in (Outcome.OK, Outcome.MERGED)]
        if world.restores and (Act.DELETE, Outcome.REJECTED) in acts:
            continue
        # Told or not: of an undelete whose answer was lost, the answer may be forgotten when it is asked for again.
        back = id_ in world.brought_back or any(act is Act.UNDELETE for act, _outcome in acts)
        if id_ in met or (world.restores and id_ in world.deletes_gone):
            continue
        if Act.DELETE in taken and not back and id_ in held and not held[id_].row.deleted:
            yield f"{_title(held[id_])} was deleted and is here again"

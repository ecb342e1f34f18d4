"""Random edits of one record on several devices: whatever the order, nothing that anybody wrote is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import merge
from sync.protocol.errors import Outcome
from sync.protocol.merge import DELETED, KEPT, SWAPPED, WHOLE_RECORD, Conflict, Row
from sync.protocol.ops import Act, Op
from tests.protocol.merging import RECORD, Device, Server
from tests.protocol.strategies import tries

# One cell for each way in which two texts can meet: latest, hold, notes, an element of several.
CELLS = ("industry", "owner", "notes", "phones/00000000000000aa")
NAMES = ("ann", "bob", "eve")

CHOICES = ("keep", "take", "choose again")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.sampled_from(NAMES), st.sampled_from(CELLS)),
        st.tuples(st.just("empty"), st.sampled_from(NAMES), st.sampled_from(CELLS)),
        st.tuples(st.just("take back"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("append"), st.sampled_from(NAMES), st.just("notes")),
        st.tuples(st.sampled_from(CHOICES), st.sampled_from(NAMES), st.just("")),
        st.tuples(
            st.sampled_from(["sync", "push", "pull", "delete", "undelete"]),
            st.sampled_from(NAMES),
            st.just(""),
        ),
    ),
    max_size=25,
)
COPIES = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.sampled_from(NAMES[:2]), st.sampled_from(CELLS)),
        st.tuples(
            st.sampled_from(["sync", "push", "pull", "back up", "restore"]),
            st.sampled_from(NAMES[:2]),
            st.just(""),
        ),
    ),
    max_size=25,
)


@dataclass
class World:
    """A record, the devices that edit it, and everything that was ever written."""

    server: Server = field(default_factory=Server)
    ticks: list[int] = field(default_factory=lambda: [1_000])
    devices: dict[str, Device] = field(default_factory=dict)
    backups: dict[str, Device] = field(default_factory=dict)
    count: int = 0
    given_up: list[tuple[str, Any]] = field(default_factory=list)  # what somebody knowingly chose against
    chosen: dict[str, Op] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.devices = {name: Device(name, self.server, self.ticks) for name in NAMES}
        self.devices["ann"].add(name="Acme")
        for device in self.devices.values():
            device.sync()

    def fresh(self, cell: str) -> Any:
        """A value that nobody has written before."""
        self.count += 1
        return (
            {"label": "", "value": str(self.count)} if cell.startswith("phones/") else f"value {self.count}."
        )

    def step(self, what: str, name: str, cell: str) -> None:
        """One thing that happens."""
        device = self.devices[name]
        shown, deleted = device.shown
        if what == "edit":
            device.do(Act.SET, **{cell: self.fresh(cell)})
        elif what == "empty" and shown.get(cell) is not None and cell != "notes":
            device.do(Act.SET, **{cell: None})
        elif what == "take back" and (mine := [*device.sent, *device.waiting]):
            device.do(Act.SET, **mine[-1].was)
        elif what == "append" and not deleted:
            device.do(Act.SET, notes="\n".join(filter(None, [shown.get("notes"), self.fresh(cell)])))
        elif what == "delete" and not deleted:
            device.do(Act.DELETE)
        elif what == "undelete" and deleted:
            device.do(Act.UNDELETE)
        elif what in ("keep", "take") and device.open:
            self.choose(device, device.open[0], KEPT if what == "keep" else SWAPPED)
        elif what == "choose again" and name in self.chosen:
            device.reopen(self.chosen.pop(name))
        elif what == "back up":
            self.backups[name] = device.copied()
        elif what == "restore" and name in self.backups:
            self.count += 1
            device.restore(self.backups[name], self.count.to_bytes(8, "big"))
        elif what in ("sync", "push", "pull"):
            getattr(device, what)()

    def choose(self, device: Device, conflict: Conflict, choice: str) -> None:
        """Somebody chooses, and gives up what is not chosen."""
        shown, deleted = device.shown
        other = conflict.kept if choice == KEPT else None if deleted else shown.get(conflict.cell)
        if conflict.cell != WHOLE_RECORD:
            self.given_up.append((conflict.cell, other))
        self.chosen[device.name] = device.settle(conflict, choice)

    def settle(self) -> None:
        """Everything is sent and seen."""
        for _ in range(2):
            for device in self.devices.values():
                device.sync()


def _run(steps: list[tuple[str, str, str]]) -> World:
    world = World()
    for step in steps:
        world.step(*step)
    world.settle()
    return world


def _pieces(cell: str, value: Any) -> list[Any]:
    """What must not be lost of a value: the whole of it; of notes, each line."""
    if value is None:
        return []
    return value.split("\n") if cell == "notes" else [value]


def _lost(world: World) -> list[tuple[str, Any]]:
    """What was written and is neither in the row, nor kept, nor overwritten by somebody who saw it."""
    server, lost = world.server, []
    ops = [op for op, _id, _person, merged in server.log if merged.outcome is not Outcome.REJECTED]
    for op in ops:
        for cell, value in op.set.items():
            places = [server.cells.get(cell), *(each.kept for each in server.open if each.cell == cell)]
            places += [each.was.get(cell) for each in ops if cell in each.set and each is not op]
            places += [value for name, value in world.given_up if name == cell]
            there = [piece for place in places for piece in _pieces(cell, place)]
            written = [
                piece for piece in _pieces(cell, value) if piece not in _pieces(cell, op.was.get(cell))
            ]
            lost += [(cell, piece) for piece in written if piece and piece not in there]
    return lost


@tries(250)
@given(STEPS)
def test_nothing_that_anybody_wrote_is_lost(steps: list[tuple[str, str, str]]) -> None:
    world = _run(steps)
    assert not _lost(world)


@tries(120)
@given(COPIES)
def test_nothing_is_lost_by_a_copy_that_was_put_back(steps: list[tuple[str, str, str]]) -> None:
    world = _run(steps)
    assert not _lost(world)


@tries(120)
@given(STEPS)
def test_what_is_kept_is_kept_once(steps: list[tuple[str, str, str]]) -> None:
    world = _run(steps)
    kept = [(each.cell, repr(each.kept), each.kept_hlc) for each in world.server.conflicts]
    assert len(set(kept)) == len(kept)
    ids = [each.id for each in world.server.conflicts]
    assert len(set(ids)) == len(ids)
    for each in world.server.conflicts:
        assert each.cell == WHOLE_RECORD or each.shown != each.kept


@tries(120)
@given(STEPS)
def test_no_delete_is_lost_and_none_is_undone_by_an_edit(steps: list[tuple[str, str, str]]) -> None:
    server = _run(steps).server
    before: Row | None = None
    for op, _op_id, person, merged in server.log:
        was, now = bool(before and before.deleted), bool(merged.row and merged.row.deleted)
        if was and not now:
            assert op.act is Act.UNDELETE
        if op.act is Act.DELETE and not now:
            assert [(each.cell, each.kept) for each in merged.conflicts] == [(WHOLE_RECORD, DELETED)]
        if op.act is Act.UNDELETE:
            # Somebody else had chosen to leave it deleted: both choices stand in a conflict.
            disputed = [each for each in merged.conflicts if each.kept_by == person]
            assert not now or (op.settles and disputed)
        before = merged.row


@tries(80)
@given(STEPS)
def test_all_devices_end_with_one_record_and_the_log_gives_it_again(
    steps: list[tuple[str, str, str]],
) -> None:
    world = _run(steps)
    assert all(device.row == world.server.row for device in world.devices.values())
    again = Server()
    for op, op_id, person, _merged in world.server.log:
        again.take(op, op_id, person)
    assert again.row == world.server.row
    assert again.conflicts == world.server.conflicts


@tries(120)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), min_size=1, max_size=6))
def test_an_opt_out_that_was_not_seen_is_never_undone(edits: list[tuple[str, bool]]) -> None:
    """All write without seeing one another, in any order: one "yes" is enough."""
    world = World()
    last: dict[str, bool] = {}
    for name, value in edits:
        world.devices[name].set(do_not_contact=value)
        last[name] = value
    for device in world.devices.values():
        device.push()
    assert world.server.cells["do_not_contact"] is any(last.values())


@tries(120)
@given(st.permutations(["given", "expired", "withdrawn", "refused"]), st.integers(1, 4))
def test_consent_ends_at_the_strictest_word_in_any_order(words: list[str], count: int) -> None:
    order = ["given", "expired", "withdrawn", "refused"]
    server, ticks = Server("consent"), [0]
    maker = Device("ann", server, ticks)
    maker.add(purpose="news", status="given")
    maker.sync()
    for number, word in enumerate(words[:count]):
        one = Device(f"d{number}", server, ticks, row=maker.row)
        if word != "given":
            one.set(status=word)
        one.push()
    assert server.cells["status"] == max(["given", *words[:count]], key=order.index)


def test_the_oracle_notices_a_lost_value() -> None:
    """The check above is worth what it can find: a server that simply overwrites is found out."""
    world = World()
    world.devices["ann"].set(industry="A")
    world.devices["bob"].set(industry="B")
    world.settle()
    assert not _lost(world)
    world.server.conflicts.clear()
    assert _lost(world) == [("industry", "A")]
    assert merge.WHOLE_RECORD == ""
    assert isinstance(world.server.log[0][0], Op)
    assert world.server.log[0][0].id == RECORD

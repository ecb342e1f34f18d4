"""Random histories: a device, a server, a colleague, lost answers and restarts, against a plain model in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from app.store import lists, outbox, records, search
from app.store.replica import StoreReplica
from sync.client.ports import Answer
from sync.protocol import codec
from sync.protocol.errors import Outcome
from sync.protocol.ids import new_incarnation, new_record_id
from sync.protocol.messages import Change
from sync.protocol.ops import Act, Op, lay
from tests.store.device import CUSTOMER, Device
from tests.store.server import Server

NAMES = ("Anna Ltd", "北京王芳有限公司", "Ärger & Søn", "王芳", "O'Neill; DROP TABLE", "한국상사")
STAGES = ("lead", "prospect", "customer", "former", None)


Question = tuple[int, bytes, Answer]  # asked after which sequence, under which incarnation, and its answer


class Model:
    """What the replica must show, said as plainly as can be: the server's rows and the ops that wait."""

    def __init__(self) -> None:
        self.server: dict[bytes, tuple[int, bool, dict[str, Any]]] = {}
        self.waiting: list[Op] = []

    def hear(self, answer: Answer) -> None:
        """Lay in one answer."""
        results = {result.n: result for result in answer.results}
        for op in [op for op in self.waiting if op.n <= answer.acked_n]:
            self.waiting.remove(op)
            result = results.get(op.n)
            if result is None or result.outcome is not Outcome.REJECTED:
                ver, deleted, cells = self.server.get(op.id, (0, False, {}))
                cells, deleted = lay(cells, deleted, [op])
                self.server[op.id] = (max(ver, result.ver if result else 1), deleted, cells)
            if result is not None and result.row is not None:
                self._take(result.row)
        for change in answer.changes:
            self._take(change)

    def _take(self, change: Change) -> None:
        if change.ver >= self.server.get(change.id, (0, False, {}))[0]:
            cells = {cell: codec.unpack(bytes(raw)) for cell, raw in change.cells.items()}
            if change.gone == "deleted" and not cells:  # of a deleted record the server sends none
                cells = self.server.get(change.id, (0, True, {}))[2]
            self.server[change.id] = (change.ver, change.gone == "deleted", cells)

    def shown(self) -> dict[bytes, tuple[bool, dict[str, Any]]]:
        """Every record: whether it is deleted, and its cells."""
        found: dict[bytes, tuple[bool, dict[str, Any]]] = {}
        for id_ in {*self.server, *(op.id for op in self.waiting)}:
            pending = [op for op in self.waiting if op.id == id_]
            if id_ not in self.server and all(op.act is not Act.ADD for op in pending):
                continue
            _ver, deleted, cells = self.server.get(id_, (0, False, {}))
            laid, deleted = lay(cells, deleted, pending)
            found[id_] = (deleted, laid)
        return found


class Histories(RuleBasedStateMachine):
    """One device's life."""

    made = Bundle("made")
    answers = Bundle("answers")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.device = Device(Path(self.folder.name))
        self.store = self.device.create()
        self.server = Server()
        self.model = Model()

    @rule(target=made, name=st.sampled_from(NAMES), stage=st.sampled_from(STAGES))
    def add(self, name: str, stage: str | None) -> bytes:
        made = records.add(self.store, CUSTOMER, {"name": name, "stage": stage})
        self._note(made.id, name=name, stage=stage)
        return made.id

    @rule(
        id_=made,
        name=st.sampled_from(NAMES),
        stage=st.sampled_from(STAGES),
        tags=st.sets(st.sampled_from("abc")),
    )
    def edit(self, id_: bytes, name: str, stage: str | None, tags: set[str]) -> None:
        if not self.model.shown().get(id_, (True, {}))[0]:
            records.edit(self.store, id_, {"name": name, "stage": stage, "tags": tags})
            self._note(id_, name=name, stage=stage, **{f"tags/{tag}": True for tag in tags})

    @rule(id_=made, back=st.booleans())
    def turn(self, id_: bytes, back: bool) -> None:
        if id_ in self.model.shown():
            (records.undelete if back else records.delete)(self.store, id_)
            self._note(id_)
            deleted, cells = self.model.shown()[id_]
            assert deleted is not back or not cells  # what was never held here comes back with the answer

    @rule(target=made, name=st.sampled_from(NAMES))
    def colleague_adds(self, name: str) -> bytes:
        id_ = bytes(new_record_id())
        self.server.write(Op(n=1, kind="customer", id=id_, act=Act.ADD, hlc=1 << 16, set={"name": name}))
        return id_

    @rule(id_=made, name=st.sampled_from(NAMES), act=st.sampled_from(list(Act)[1:]), seen=st.booleans())
    def colleague_edits(self, id_: bytes, name: str, act: Act, seen: bool) -> None:
        if id_ in self.server.rows:
            cells = {"name": name, "stage": "former"} if act is Act.SET else {}
            base = self.server.seq if seen else 0
            self.server.write(Op(n=1, kind="customer", id=id_, act=act, hlc=1 << 62, base=base, set=cells))

    @rule(id_=made)
    def rights_change(self, id_: bytes) -> None:
        self.server.refuses ^= {id_}

    @rule(target=answers, ops=st.integers(0, 4), limit=st.integers(1, 5))
    def exchange(self, ops: int, limit: int) -> Question:
        """Send some ops; the answer may be laid in at once, much later, twice or never."""
        return self._exchange(ops, limit)

    @rule(answer=consumes(answers), again=st.booleans())
    def hear(self, answer: Question, again: bool) -> None:
        self._hear(answer, again)

    def _exchange(self, ops: int, limit: int) -> Question:
        taken = StoreReplica(self.store).take(ops, 2**20) if ops else []
        results = self.server.push(self.device.id, self.store.incarnation, taken)
        after = self.store.here().cursor.seq
        page = self.server.page(self.device.id, self.store.incarnation, after, limit)
        return after, self.store.incarnation, msgspec.structs.replace(page, results=results)

    def _hear(self, answer: Question, again: bool = False) -> None:
        after, incarnation, page = answer
        # The engine has one exchange at a time: an answer to an older question is never laid in.
        if after != self.store.here().cursor.seq or incarnation != self.store.incarnation:
            return
        sent = {op.n for op in self.model.waiting} & {result.n for result in page.results}
        unknown = [op for op in self.model.waiting if op.n <= page.acked_n and op.n not in sent]
        if unknown:
            return  # an answer without their results: the engine sends such ops again first
        for _time in range(2 if again else 1):
            StoreReplica(self.store).apply(page)
            self.model.hear(page)

    @rule()
    def restart(self) -> None:
        self.store = self.device.reopen()

    @rule()
    def take_new_numbers(self) -> None:
        StoreReplica(self.store).renumber(bytes(new_incarnation()))
        self.model.waiting = outbox.every(self.store.db)
        assert [op.n for op in self.model.waiting] == list(range(1, len(self.model.waiting) + 1))

    @invariant()
    def the_store_shows_what_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        shape, found = self.store.shapes["customer"], {}
        for row in self.store.db.all(shape.select):
            stored = shape.stored(row)
            found[stored.id] = (stored.deleted, shape.cells(stored))
            waiting = [op for op in self.model.waiting if op.id == stored.id]
            assert stored.waiting == len(waiting)
            base = outbox.bases(self.store.db, [stored.id])
            known = self.model.server.get(stored.id)
            assert base == ({stored.id: known} if waiting and known else {})
        assert found == self.model.shown()
        assert outbox.every(self.store.db) == self.model.waiting
        kept = {id_: cells for id_, (deleted, cells) in found.items() if not deleted}
        assert self.store.counts()["customer"] == len(kept)
        assert len(lists.ids(self.store, CUSTOMER)) == len(kept)
        for name in NAMES:
            hits = {hit.record.id for hit in search.find(self.store, name, limit=1_000)}
            assert hits == {
                id_ for id_, cells in kept.items() if cells["name"] == name or _within(name, cells)
            }
        self.device.assert_sealed(self.store)

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        try:
            self.server.refuses.clear()
            for _round in range(100):
                self._hear(self._exchange(1_000, 5))
                if not self.model.waiting and self.store.here().cursor.seq == self.server.seq:
                    break
            self.the_store_shows_what_the_model_says()
            assert not self.model.waiting
            ours = {
                id_: (deleted, {} if deleted else cells)
                for id_, (_ver, deleted, cells) in self.model.server.items()
            }
            assert ours == {
                row.id: (row.deleted, {} if row.deleted else dict(row.cells))
                for row in self.server.rows.values()
            }
        finally:
            self.device.close()
            self.folder.cleanup()

    def _note(self, id_: bytes, **values: object) -> None:
        """At most one op was added by an act, and the model shows what the person asked for."""
        waiting = outbox.every(self.store.db)
        assert waiting[:-1] == self.model.waiting or waiting == self.model.waiting
        self.model.waiting = waiting
        _deleted, cells = self.model.shown()[id_]
        assert {name: cells.get(name) for name in values} == values


def _within(name: str, cells: dict[str, Any]) -> bool:
    """Whether a query by one of our names finds another one of them."""
    return name == "王芳" and "王芳" in cells["name"]


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
